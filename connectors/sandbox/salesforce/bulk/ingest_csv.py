"""The CSV that an ingest job is sent: its header row, its rows, or why it is none."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from connectors.sandbox.salesforce.bulk.dialect import Dialect


class BadUpload(Exception):
    """The CSV cannot be read; the job fails with this message."""


@dataclass(frozen=True)
class Upload:
    """`header` is what the cells say, `header_sent` how they were written."""

    header: tuple[str, ...] = ()
    header_sent: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def header_of(content: bytes, dialect: Dialect) -> tuple[str, ...]:
    """The first row. Raises BadUpload."""
    return _read(content.partition(b"\n")[0] + b"\n", dialect)[0]


def uploaded(content: bytes, dialect: Dialect) -> Upload:
    """The whole CSV. Raises BadUpload: other text than UTF-8, other line endings than the job's, ragged rows."""
    first = content.partition(b"\n")[0]
    if first.endswith(b"\r") != (dialect.line_ending == "\r\n"):
        name = dialect.line_ending_name
        raise BadUpload(f"InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is {name}")
    header, *rows = _read(content, dialect)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise BadUpload(f"InvalidBatch : Row {number} has {len(row)} values for {len(header)} columns")
    sent = tuple(first.decode().rstrip("\r").split(dialect.delimiter))
    return Upload(header, sent if len(sent) == len(header) else header, tuple(rows))


def _read(content: bytes, dialect: Dialect) -> list[tuple[str, ...]]:
    try:
        text = content.decode()
        # Line breaks inside of quotes stay as they came.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True)
        found = [tuple(row) for row in reader if row]
    except UnicodeDecodeError as problem:
        raise BadUpload("InvalidBatch : The data is not UTF-8") from problem
    except csv.Error as problem:
        raise BadUpload(f"InvalidBatch : Failed to parse CSV: {problem}") from problem
    if not found:
        raise BadUpload("InvalidBatch : The data has no header row")
    return found

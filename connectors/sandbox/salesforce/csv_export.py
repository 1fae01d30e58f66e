"""Reads a folder of CSV files named after objects, as an org's Data Export writes them, into rows of text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.sandbox.salesforce.objects import SOBJECTS

TextRow = dict[str, str]
"""A row by field name as the sandbox spells it; values are trimmed, blank ones are left out."""

TAKEN = (
    "User", "Account", "Contact", "Opportunity", "OpportunityStage", "OpportunityHistory", "Task", "Event",
    "CurrencyType", "DatedConversionRate",
)  # fmt: skip
"""Objects that are looked for, in an order in which each comes after what it refers to."""

_FIELD_NAMES = {
    s.name: {f.name.lower(): f.name for f in s.fields if f.type != "address"} | {"currencyisocode": "CurrencyIsoCode"}
    for s in SOBJECTS
}
_NULLS = frozenset({"", "#N/A"})


class NotAnExport(ValueError):
    """The folder cannot be taken for an export at all; the message says what is missing."""


@dataclass
class Export:
    """What a folder holds. `set_aside` counts (object, reason); `unknown_columns` and `unknown_files` were left out."""

    rows: dict[str, list[TextRow]] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    set_aside: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_files: tuple[str, ...] = ()


def read_export(folder: Path) -> Export:
    """Every CSV file of a folder that is named after an object the sandbox takes. Raises NotAnExport."""
    if not folder.is_dir():
        raise NotAnExport(f"{folder} is not a folder")
    export, unknown = Export(), []
    names = {name.lower(): name for name in TAKEN}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv"):
        name = names.get(path.stem.lower())
        if name is None:
            unknown.append(path.name)
        elif name in export.rows:
            raise NotAnExport(f"{folder} holds two files for {name}")
        else:
            _read(export, name, path)
    export.unknown_files = tuple(unknown)
    if "Account" not in export.rows:
        raise NotAnExport(f"{folder} holds no Account.csv: files are named after Salesforce objects")
    return export


def decoded(raw: bytes) -> str:
    """Text in UTF-8 (with or without byte order mark), UTF-16 with one, or else in Windows' Western encoding."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _read(export: Export, name: str, path: Path) -> None:
    text = decoded(path.read_bytes()).replace("\0", "")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = [column.strip() for column in next(lines, [])]
    known = [_FIELD_NAMES[name].get(column.lower()) for column in header]
    if "Id" not in known:
        raise NotAnExport(f"{path.name} has no column Id: its first line must hold API field names")
    missing = tuple(column or "(no name)" for column, at in zip(header, known, strict=True) if at is None)
    if missing:
        export.unknown_columns[name] = missing
    export.columns[name] = frozenset(column for column in known if column)
    export.rows[name] = list(_rows(export, name, lines, known))


def _delimiter(text: str) -> str:
    """That of the first line: a comma, or what a spreadsheet of another country puts there."""
    first = text[: text.find("\n")] if "\n" in text else text
    return max(",;\t", key=first.count)


def _rows(export: Export, name: str, lines: Iterable[list[str]], known: list[str | None]) -> Iterator[TextRow]:
    for values in _readable(export, name, lines):
        if not any(values):
            continue
        if len(values) != len(known):
            export.set_aside[name, "another number of values than the first line has"] += 1
            continue
        cells = ((column, value.strip()) for column, value in zip(known, values, strict=True) if column)
        yield {column: value for column, value in cells if value not in _NULLS}


def _readable(export: Export, name: str, lines: Iterable[list[str]]) -> Iterator[list[str]]:
    each = iter(lines)
    while True:
        try:
            yield next(each)
        except StopIteration:
            return
        except csv.Error:
            export.set_aside[name, "not readable as CSV"] += 1

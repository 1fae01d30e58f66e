"""Turns records as Salesforce sends them into the text columns of a mapping, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.errors import UnexpectedAnswer
from connectors.mapping import Mapping

Record = dict[str, Any]


def records_of(answer: Record, what: str) -> list[Record]:
    """The rows of a query's answer, which must have some."""
    rows = answer.get("records")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedAnswer(f"Salesforce sent no list of records for {what}")
    return rows


def text_frame(records: Sequence[Record], names: Iterable[str]) -> pl.DataFrame:
    """One text column for each field; what a record lacks is null."""
    columns = {name: [_quick(record.get(name)) for record in records] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def shaped(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The columns of the mapping's raw schema; those the frame lacks are null."""
    missing = [pl.lit(None, pl.String).alias(c) for c in mapping.raw_schema() if c not in frame.columns]
    return frame.with_columns(missing).select(mapping.raw_schema().keys())


def as_text(value: Any) -> str | None:
    """JSON's numbers and truth values spelled as Salesforce's CSV would, without an exponent."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        spelled = repr(value)
        return format(Decimal(spelled), "f") if "e" in spelled else spelled
    return str(value)


def _quick(value: Any) -> str | None:
    return value if value is None or type(value) is str else as_text(value)

"""The cells of a stored plan as people see them: what stood there, what is wanted, why, and what became of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from flows.escaping import plain, spreadsheet
from kammodel.entities import PublishPlan
from kammodel.publish.deciding import REASONS

COLUMNS = ("account", "field", "before", "after", "decision", "why", "outcome", "code", "what it means")
_PRIVATE = "(a person's text)"
NO_TEXTS = frozenset[str]()


def cell_rows(cells: pl.DataFrame, texts: Iterable[str]) -> list[tuple[str, ...]]:
    """Under COLUMNS. What a person typed into one of the fields `texts` is not shown: it may be about anybody."""
    free = set(texts)

    def shown(value: str | None, *, is_typed: bool, field: str) -> str:
        return _PRIVATE if value and is_typed and field in free else value or ""

    return [
        (
            cell["source_id"],
            cell["field"],
            shown(cell["before"], is_typed=_is_typed(cell), field=cell["field"]),
            shown(cell["after"], is_typed=cell["reason"] == "returned", field=cell["field"]),
            cell["decision"],
            REASONS.get(cell["reason"] or "", cell["reason"] or ""),
            cell["outcome"] or "pending",
            cell["code"] or "",
            cell["message"] or "",
        )
        for cell in cells.iter_rows(named=True)
    ]


def cells_csv(cells: pl.DataFrame, texts: Iterable[str]) -> str:
    """Every cell, for a spreadsheet; none of them is a formula there."""
    lines = io.StringIO()
    out = csv.writer(lines, lineterminator="\n")
    out.writerow(COLUMNS)
    out.writerows([spreadsheet(text) for text in row] for row in cell_rows(cells, texts))
    return lines.getvalue()


def state_of(plan: PublishPlan, outcomes: dict[str, int], to_review: int, now: dt.datetime) -> str:
    """Where a plan stands, in a word or two. `to_review`: its cells that a person may set free still."""
    is_open = bool(outcomes.get("pending") or outcomes.get("waiting"))
    if plan.expires_at is not None and now > plan.expires_at and (is_open or to_review):
        return "too old"
    if plan.tripped and plan.approved_at is None and (is_open or to_review):
        return "waits for approval"
    if to_review and not is_open:
        return "waits for review"
    if plan.applied_at is not None:
        return "applied"
    if is_open:
        return "to be written"
    return "overtaken" if outcomes.get("superseded") else "nothing to write"


def plain_row(row: Sequence[str]) -> tuple[str, ...]:
    """Without signs that steer a terminal."""
    return tuple(plain(text) for text in row)


def _is_typed(cell: Mapping[str, str | None]) -> bool:
    """Whether a person's value stood, or may have stood, in a cell before."""
    return cell["decision"] == "held" or cell["code"] == "EDITED" or cell["reason"] == "rule"

"""Windows that are read by hand: how far each is, and what the live schedule has stored meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
from sqlmodel import col, select

from kammodel.entities import BackfillWindow, Run, Sourced
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

WindowKey = tuple[str, str, str, dt.datetime, dt.datetime]
"""Source, instance, stream, since, until."""
_ENOUGH, _MOST_LOOKED_AT = 2_000, 50
"""Rows of a run, below which signing in takes most of its time; and runs, the newest first."""


def load_window(tx: Transaction, key: WindowKey) -> BackfillWindow | None:
    """How far a window of a stream is; None where it was never begun."""
    found = tx.session.get(BackfillWindow, key)
    return None if found is None else BackfillWindow(**found.model_dump())


def save_window(tx: Transaction, window: BackfillWindow) -> None:
    """Moves a window, in the same transaction as the rows that it speaks of."""
    tx.session.merge(window)
    tx.session.flush()


def drop_window(tx: Transaction, key: WindowKey) -> None:
    """Forgets that a window was read: it is read from its start the next time."""
    found = tx.session.get(BackfillWindow, key)
    if found is not None:
        tx.session.delete(found)
        tx.session.flush()


def reopen_window(tx: Transaction, found: BackfillWindow) -> None:
    """Has a closed window count as one that is still to be read, from its start."""
    found.closed_at = None
    save_window(tx, found)


def closed_windows(
    tx: Transaction, source: str, instance: str, stream: str, reads_as: Callable[[str], bool]
) -> list[BackfillWindow]:
    """Windows of a stream that were read to their end by a mapping that holds today, the oldest first. `reads_as`:
    whether rows that were read under a fingerprint mean the same now."""
    query = select(BackfillWindow).where(
        BackfillWindow.source == source,
        BackfillWindow.source_instance == instance,
        BackfillWindow.stream == stream,
        col(BackfillWindow.closed_at).is_not(None),
        col(BackfillWindow.read_until) == col(BackfillWindow.until),
    )
    found = tx.session.exec(query.order_by(col(BackfillWindow.since), col(BackfillWindow.until)))
    return [window for window in found if reads_as(window.fingerprint)]


def stored_since(
    tx: Transaction, entity: type[Sourced], ids: pl.Series, at: dt.datetime, *, source: str, instance: str
) -> pl.Series:
    """Those of the ids whose rows have changed in the store at an instant or later, deletions included."""
    sql = (
        f'SELECT source_id FROM "{entity.__tablename__}" WHERE source=:source AND source_instance=:instance '  # noqa: S608
        f"AND synced_at >= :at AND {tx.backend.among('source_id', 'ids')}"
    )
    where = {"source": source, "instance": instance, "at": to_micros(at), "ids": tx.backend.listed(ids)}
    return tx.frame(sql, {"source_id": pl.String()}, **where)["source_id"]


KIND = "backfill-crm"
"""Runs that read windows: their result has `source`, `rows`, `calls`, `seconds`, of these `storing` rows, and `paced`,
those foreseen for its calls, null where nothing was."""


@dataclass(frozen=True)
class Speed:
    """Of a whole run: rows in a second, and seconds to a call.

    `pace`: how many times as long as was foreseen for its calls the run took beside storing rows; `seconds_a_row`: to
    store one. Null of a run that foresaw nothing.
    """

    rows_a_second: float
    seconds_a_call: float
    pace: float | None = None
    seconds_a_row: float | None = None


def measured_speed(tx: Transaction, source: str) -> Speed | None:
    """That of the newest backfill of a CRM that read enough rows to tell; None where there is none."""
    query = select(Run).where(Run.kind == KIND, col(Run.ended_at).is_not(None)).order_by(col(Run.started_at).desc())
    for run in tx.session.exec(query.limit(_MOST_LOOKED_AT)):
        rows, seconds, calls = (_number(run.result.get(name)) for name in ("rows", "seconds", "calls"))
        if run.result.get("source") == source and rows >= _ENOUGH and seconds > 0 and calls > 0:
            paced, storing = (_number(run.result.get(name)) for name in ("paced", "storing"))
            if paced <= 0 or storing > seconds:
                return Speed(rows / seconds, seconds / calls)
            return Speed(rows / seconds, seconds / calls, (seconds - storing) / paced, storing / rows)
    return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0

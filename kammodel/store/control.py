"""Bookmarks, set-aside rows and runs: how far we are, what we could not read, what happened when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl
from sqlmodel import col, select

from kammodel.entities import Bookmark, Run, Sweep
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction


def load_bookmark(tx: Transaction, source: str, instance: str, stream: str) -> Bookmark | None:
    """Where a stream stands, or None if it was never read."""
    return tx.session.get(Bookmark, (source, instance, stream))


def bookmarks(tx: Transaction) -> list[Bookmark]:
    """Where every stream stands, in key order."""
    query = select(Bookmark).order_by(col(Bookmark.source), col(Bookmark.source_instance), col(Bookmark.stream))
    return list(tx.session.exec(query))


def save_bookmark(tx: Transaction, bookmark: Bookmark) -> None:
    """Moves a bookmark, in the same transaction as the rows that it speaks of."""
    tx.session.merge(bookmark)
    tx.session.flush()


def load_sweep(tx: Transaction, source: str, instance: str, stream: str) -> Sweep:
    """What was swept of a stream so far."""
    known = tx.session.get(Sweep, (source, instance, stream))
    own = Sweep(source=source, source_instance=instance, stream=stream)
    return own if known is None else Sweep(**known.model_dump())


def save_sweep(tx: Transaction, sweep: Sweep) -> None:
    """Remembers what was swept."""
    tx.session.merge(sweep)
    tx.session.flush()


REJECTED = {
    "entity": pl.String(),
    "source_id": pl.String(),
    "field": pl.String(),
    "reason": pl.String(),
    "raw": pl.String(),
}


def save_rejects(
    tx: Transaction, rejects: pl.DataFrame, *, source: str, instance: str, stream: str, entity: str, at: dt.datetime
) -> None:
    """Keeps rows that could not be read: source_id, field, reason, raw. A row known already is renewed."""
    sql = (
        "INSERT INTO rejected_record (source, source_instance, stream, entity, source_id, field, reason, raw, "
        "rejected_at) VALUES (:source, :instance, :stream, :entity, :source_id, :field, :reason, :raw, :at) "
        "ON CONFLICT (source, source_instance, stream, entity, source_id) DO UPDATE SET field=excluded.field, "
        "reason=excluded.reason, raw=excluded.raw, resolved_at=NULL"
    )
    fixed = {"source": source, "instance": instance, "stream": stream, "entity": entity, "at": to_micros(at)}
    rows = [fixed | row for row in rejects.iter_rows(named=True)]
    if rows:
        tx.run(sql, rows)


def open_rejects(tx: Transaction, source: str, instance: str, stream: str) -> pl.DataFrame:
    """The rows of a stream that are still set aside, with their raw text."""
    sql = (
        "SELECT entity, source_id, field, reason, raw FROM rejected_record WHERE source=:source "  # noqa: S608
        "AND source_instance=:instance AND stream=:stream AND resolved_at IS NULL "
        f"ORDER BY {tx.backend.in_order('entity', 'source_id')}"
    )
    return tx.frame(sql, REJECTED, source=source, instance=instance, stream=stream)


def resolve_rejects(
    tx: Transaction, ids: pl.Series, *, source: str, instance: str, stream: str, entity: str, at: dt.datetime
) -> int:
    """Closes the open rejects whose rows could be read now; returns how many there were."""
    sql = (
        "UPDATE rejected_record SET resolved_at=:at WHERE source=:source AND source_instance=:instance AND "
        "stream=:stream AND entity=:entity AND source_id=:id AND resolved_at IS NULL"
    )
    fixed = {"source": source, "instance": instance, "stream": stream, "entity": entity, "at": to_micros(at)}
    rows = [fixed | {"id": id_} for id_ in ids]
    return tx.run(sql, rows) if rows else 0


def start_run(tx: Transaction, run: Run) -> None:
    """Writes down that a run began."""
    tx.session.add(run)
    tx.session.flush()


def end_run(tx: Transaction, run_id: str, state: str, result: dict[str, object], at: dt.datetime) -> None:
    """Writes down how a run ended: done, partial or failed."""
    run = tx.session.get_one(Run, run_id)
    run.state, run.result, run.ended_at = state, result, at
    tx.session.add(run)
    tx.session.flush()


def last_run_of_day(tx: Transaction, as_of: dt.date, kinds: Sequence[str]) -> Run | None:
    """The newest run of one of the kinds for an as-of day that ended well."""
    query = select(Run).where(col(Run.kind).in_(kinds), Run.state == "done", Run.as_of == as_of)
    return tx.session.exec(query.order_by(col(Run.started_at).desc(), col(Run.ended_at).desc())).first()


def has_run_since(tx: Transaction, kind: str, at: dt.datetime, *, after: dt.date) -> bool:
    """Whether a run of a kind, for a day later than `after`, began at an instant or later and ended well."""
    query = select(Run.run_id).where(Run.kind == kind, Run.state == "done", Run.started_at >= at)
    return tx.session.exec(query.where(col(Run.as_of) > after)).first() is not None


def last_run(tx: Transaction, kind: str) -> Run | None:
    """The newest run of a kind that ended well."""
    query = select(Run).where(Run.kind == kind, Run.state == "done").order_by(col(Run.started_at).desc())
    return tx.session.exec(query).first()

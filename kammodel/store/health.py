"""How runs ended and what is open, counted for a look at the whole."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlmodel import col, select

from kammodel.entities import Bookmark, PublishPlan, Run
from kammodel.store.store import Transaction

DONE, PARTIAL, FAILED, RUNNING = "done", "partial", "failed", "running"
CRM, LINE, HOLDER, ROWS, COMMAND, OVERTAKEN = "crm", "line", "holder", "rows", "command", "overtaken"
"""What stands in the result of a run: its CRM, how it ended in words, the process that it was, how many rows, and,
where it was begun with more than its name, the command that goes on with it; and that a newer plan had taken the place
of the one that it was to write."""


def newest_run(tx: Transaction, kinds: Sequence[str], crm: str | None, states: Sequence[str] = ()) -> Run | None:
    """The run of one of the kinds that began last, of one CRM, or, with None, of none in particular."""
    query = select(Run).where(col(Run.kind).in_(kinds))
    of = col(Run.result)[CRM].as_string()
    query = query.where(of.is_(None) if crm is None else of == crm)
    if states:
        query = query.where(col(Run.state).in_(states))
    found = tx.session.exec(query.order_by(col(Run.started_at).desc(), col(Run.ended_at).desc())).first()
    return None if found is None else Run(**found.model_dump())


def running(tx: Transaction, kind: str) -> list[Run]:
    """The runs of a kind that have not told how they ended."""
    return list(tx.session.exec(select(Run).where(Run.kind == kind, Run.state == RUNNING)))


def is_running(tx: Transaction, run_id: str) -> bool:
    """Whether there is such a run that has not told how it ended."""
    found = tx.session.get(Run, run_id)
    return found is not None and found.state == RUNNING


def newest_failed(tx: Transaction) -> Run | None:
    """The failed run that began last, of whatever kind."""
    found = tx.session.exec(select(Run).where(Run.state == FAILED).order_by(col(Run.started_at).desc())).first()
    return None if found is None else Run(**found.model_dump())


def drop_run(tx: Transaction, run_id: str) -> None:
    """Takes out a run that is told of by another row."""
    tx.session.delete(tx.session.get_one(Run, run_id))
    tx.session.flush()


def streams_of(tx: Transaction, crm: str) -> list[Bookmark]:
    """The bookmarks of a CRM, in the order of streams."""
    query = select(Bookmark).where(Bookmark.source == crm).order_by(col(Bookmark.stream))
    return [Bookmark(**one.model_dump()) for one in tx.session.exec(query)]


def newest_plan(tx: Transaction, crm: str) -> PublishPlan | None:
    """The plan of a CRM that was made last."""
    query = select(PublishPlan).where(PublishPlan.source == crm).order_by(col(PublishPlan.number).desc())
    found = tx.session.exec(query).first()
    return None if found is None else PublishPlan(**found.model_dump())


def rejects_by_reason(tx: Transaction, crm: str) -> list[tuple[str, str, str, int]]:
    """Stream, field, reason and number of the rows that are set aside still; the most first."""
    sql = (
        "SELECT stream, field, reason, count(*) AS n FROM rejected_record WHERE source=:crm AND resolved_at IS NULL "
        "GROUP BY stream, field, reason"
    )
    schema = {"stream": pl.String(), "field": pl.String(), "reason": pl.String(), "n": pl.Int64()}
    found = tx.frame(sql, schema, crm=crm)
    return list(found.sort("n", "stream", "field", "reason", descending=[True, False, False, False]).iter_rows())

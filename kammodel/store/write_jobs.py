"""Jobs that a CRM carries out by itself: noted before they begin, struck once they have ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

_ID = {"job_id": pl.String()}


def forget(tx: Transaction, *, source: str, instance: str, before: dt.datetime) -> None:
    """Strikes the jobs that began before an instant."""
    sql = "DELETE FROM write_job WHERE source=:source AND source_instance=:instance AND begun_at < :before"
    tx.run(sql, [{"source": source, "instance": instance, "before": to_micros(before)}])


def noted(tx: Transaction, source: str, instance: str) -> list[str]:
    """Ids of the jobs that may not have ended, the oldest first."""
    sql = "SELECT job_id FROM write_job WHERE source=:source AND source_instance=:instance ORDER BY begun_at, job_id"
    return tx.frame(sql, _ID, source=source, instance=instance)["job_id"].to_list()


def note(tx: Transaction, job_id: str, *, source: str, instance: str, at: dt.datetime) -> None:
    """Keeps a job that is about to begin."""
    sql = (
        "INSERT INTO write_job (source, source_instance, job_id, begun_at) VALUES (:source, :instance, :id, :at) "
        "ON CONFLICT DO NOTHING"
    )
    tx.run(sql, [{"source": source, "instance": instance, "id": job_id, "at": to_micros(at)}])


def strike(tx: Transaction, job_ids: Iterable[str], *, source: str, instance: str) -> None:
    """Forgets jobs that write no more."""
    sql = "DELETE FROM write_job WHERE source=:source AND source_instance=:instance AND job_id=:id"
    tx.run(sql, [{"source": source, "instance": instance, "id": job_id} for job_id in job_ids])

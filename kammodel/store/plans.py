"""Publish plans and the ledger in and out."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlmodel import col, func, select

from kammodel.entities import PlannedCell, PublishPlan, polars_schema
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

CELLS = polars_schema(PlannedCell)
UNDONE = {"source_id": pl.String(), "field": pl.String(), "undone": pl.String()}
_OPEN = "(outcome IS NULL OR outcome='waiting')"
"""Of a cell that is to be written: it is not, or nobody knows."""
LEDGER = {"source_id": pl.String(), "field": pl.String(), "value": pl.String()}


def save_plan(tx: Transaction, plan: PublishPlan, cells: pl.DataFrame) -> None:
    """Stores a plan and its cells, and gives it its number. What it overtakes: see `supersede_pending`. Cells that are
    not to be written end as held, at once."""
    plan.number = 1 + (tx.session.exec(select(func.max(PublishPlan.number))).one() or 0)
    tx.session.add(plan)
    tx.session.flush()
    decision = pl.col("decision")
    spelled = [pl.lit(None).alias(n) for n in ("before_spelled", "after_spelled") if n not in cells.columns]
    ended = cells.with_columns(
        *spelled,
        plan_id=pl.lit(plan.plan_id),
        outcome=pl.when(decision != "write").then(pl.lit("held")),
        code=pl.when(decision == "review").then(pl.lit("REVIEW")),
        kind=pl.lit(None),
        message=pl.lit(None),
    )
    tx.insert("planned_cell", ended.select(pl.col(n).cast(t) for n, t in CELLS.items()))


def supersede_pending(tx: Transaction, source: str, instance: str, plan_id: str) -> int:
    """Closes the pending cells of older plans: a newer plan has looked at the same accounts again."""
    sql = (
        f"UPDATE planned_cell SET outcome='superseded' WHERE {_OPEN} AND decision='write' AND plan_id IN "  # noqa: S608
        "(SELECT plan_id FROM publish_plan WHERE source=:source AND source_instance=:instance AND plan_id<>:plan)"
    )
    parameters = {"source": source, "instance": instance, "plan": plan_id}
    return tx.run(sql, [parameters])


def latest_plan(tx: Transaction, source: str, instance: str) -> PublishPlan | None:
    """The newest plan for a CRM."""
    query = select(PublishPlan).where(PublishPlan.source == source, PublishPlan.source_instance == instance)
    return tx.session.exec(query.order_by(col(PublishPlan.number).desc())).first()


def cells_of(tx: Transaction, plan_id: str, *, pending_only: bool = False) -> pl.DataFrame:
    """The cells of a plan; `pending_only` those that are still to be written."""
    where = f"AND decision='write' AND {_OPEN}" if pending_only else ""
    order = tx.backend.in_order("source_id", "field")
    sql = f"SELECT {','.join(CELLS)} FROM planned_cell WHERE plan_id=:plan {where} ORDER BY {order}"  # noqa: S608
    return tx.frame(sql, CELLS, plan=plan_id)


def ledger(tx: Transaction, source: str, instance: str, *, undoing: str = "") -> pl.DataFrame:
    """What we last wrote, and what we may have written in a plan whose outcome was never learned.

    A cell may have several rows: any of its values in the CRM is ours. A value that an undo gave back to a person is
    theirs, whoever sent it; only for what undoes that very undo, the plan `undoing`, it is ours to take away.
    """
    sql = (
        "SELECT source_id, field, value FROM written_cell WHERE source=:source AND source_instance=:instance "  # noqa: S608
        "AND (NOT is_returned OR plan_id=:undoing) UNION "
        "SELECT c.source_id, c.field, c.after FROM planned_cell c JOIN publish_plan p USING (plan_id) WHERE "
        f"p.source=:source AND p.source_instance=:instance AND c.decision='write' AND {_OPEN} "
        "AND (coalesce(c.reason, '')<>'returned' OR plan_id=:undoing)"
    )
    return tx.frame(sql, LEDGER, source=source, instance=instance, undoing=undoing)


def pending_undo(tx: Transaction, source: str, instance: str) -> pl.DataFrame:
    """What is to be written of an undo, or nobody knows: the cells of the newest plan, if it is one, or those of it
    that go on with one."""
    newest = latest_plan(tx, source, instance)
    cells = cells_of(tx, newest.plan_id if newest else "", pending_only=True)
    if newest is None or newest.kind != "publish":
        return cells
    return cells.filter(pl.col("reason").is_in(["undo", "redo", "returned"]))


def undone(tx: Transaction, source: str, instance: str) -> pl.DataFrame:
    """The values that were taken back, and are not written a second time: source_id, field, undone."""
    sql = (
        "SELECT source_id, field, undone FROM written_cell WHERE source=:source AND source_instance=:instance "
        "AND is_undone"
    )
    return tx.frame(sql, UNDONE, source=source, instance=instance)


def record_cells(tx: Transaction, plan: PublishPlan, cells: pl.DataFrame, at: dt.datetime) -> None:
    """Ends pending cells of a plan: source_id, field, outcome, kind (of a refusal), code, message.

    Written cells go into the ledger in the same transaction, also where a run beside this one has overtaken the plan
    meanwhile: what the CRM took is ours all the same. An undo notes there what it took back. `retry` leaves a cell
    waiting: a later apply of the plan tries it, or the next plan does. A statement for all accounts whose cells of a
    field ended alike.
    """
    told = pl.col("outcome").replace({"gone": "rejected", "retry": "waiting"})
    settled = cells.select("source_id", "field", "kind", "code", "message", outcome=told)
    mine = f"plan_id=:plan AND field=:field AND {tx.backend.among('source_id', 'ids')} AND decision='write'"
    is_back = "coalesce(reason IN ('undo', 'returned'), FALSE)"
    columns = ("value", "plan_id", "written_at", "is_undone", "undone", "is_returned")
    ledger_sql = (
        f"INSERT INTO written_cell (source, source_instance, source_id, field, {', '.join(columns)}) SELECT "  # noqa: S608
        f":source, :instance, source_id, field, after, plan_id, :at, {is_back}, "
        f"CASE WHEN {is_back} THEN before END, coalesce(reason='returned', FALSE) "
        f"FROM planned_cell WHERE {mine} AND ({_OPEN} OR outcome='superseded') "
        "ON CONFLICT (source, source_instance, source_id, field) DO UPDATE SET "
        + ", ".join(f"{name}=excluded.{name}" for name in columns)
    )
    ended_sql = (
        "UPDATE planned_cell SET outcome=:outcome, kind=:kind, code=:code, message=:message "  # noqa: S608
        f"WHERE {mine} AND ({_OPEN} OR (:outcome='written' AND outcome='superseded'))"
    )
    of = {"plan": plan.plan_id, "source": plan.source, "instance": plan.source_instance, "at": to_micros(at)}
    alike = settled.group_by("field", "outcome", "kind", "code", "message", maintain_order=True).agg("source_id")
    for group in alike.iter_rows(named=True):
        ids = tx.backend.listed(pl.Series(group.pop("source_id"), dtype=pl.String))
        if group["outcome"] == "written":
            tx.run(ledger_sql, [of | {"field": group["field"], "ids": ids}])
        tx.run(ended_sql, [{"plan": plan.plan_id, "ids": ids} | group])


def give_up(tx: Transaction, plan_id: str, cells: pl.DataFrame) -> None:
    """Ends pending cells (source_id, field) of a plan as held: somebody changed them after it was made."""
    sql = (
        "UPDATE planned_cell SET outcome='held', reason='edited', code='EDITED' WHERE plan_id=:plan "  # noqa: S608
        f"AND source_id=:source_id AND field=:field AND decision='write' AND {_OPEN}"
    )
    tx.run(sql, [{"plan": plan_id} | cell for cell in cells.select("source_id", "field").iter_rows(named=True)])


def adopt(tx: Transaction, cells: pl.DataFrame, *, source: str, instance: str, plan_id: str, at: dt.datetime) -> None:
    """Enters cells (source_id, field, value) into the ledger as ours, as written at an instant; also what was given
    back to a person, who has come to want what we do."""
    if cells.is_empty():
        return
    sql = (
        "INSERT INTO written_cell (source, source_instance, source_id, field, value, plan_id, written_at, is_undone, "
        "is_returned) VALUES (:source, :instance, :source_id, :field, :value, :plan, :at, FALSE, FALSE) "
        "ON CONFLICT (source, source_instance, source_id, field) DO UPDATE SET value=excluded.value, "
        "plan_id=excluded.plan_id, is_returned=FALSE, written_at=CASE WHEN written_cell.value IS DISTINCT FROM "
        "excluded.value THEN excluded.written_at ELSE written_cell.written_at END "
        "WHERE written_cell.is_returned OR written_cell.value IS DISTINCT FROM excluded.value"
    )
    fixed = {"source": source, "instance": instance, "plan": plan_id, "at": to_micros(at)}
    tx.run(sql, [fixed | row for row in cells.iter_rows(named=True)])


def written_since(tx: Transaction, ids: pl.Series, source: str, instance: str, at: dt.datetime) -> pl.Series:
    """Those of the accounts that we wrote to at or after an instant: their re-stamped rows are our own echo."""
    sql = (
        "SELECT DISTINCT source_id FROM written_cell WHERE source=:source AND source_instance=:instance "  # noqa: S608
        f"AND {tx.backend.among('source_id', 'ids')} AND written_at >= :at"
    )
    schema, listed = {"source_id": pl.String()}, tx.backend.listed(ids)
    return tx.frame(sql, schema, source=source, instance=instance, at=to_micros(at), ids=listed)["source_id"]


def finish_plan(tx: Transaction, plan_id: str, at: dt.datetime) -> None:
    """Stamps a plan as applied; not one with cells that somebody approved while the others were written."""
    sql = (
        "UPDATE publish_plan SET applied_at=:at WHERE plan_id=:plan AND NOT EXISTS (SELECT 1 FROM planned_cell "  # noqa: S608
        f"WHERE planned_cell.plan_id=:plan AND decision='write' AND {_OPEN})"
    )
    tx.run(sql, [{"plan": plan_id, "at": to_micros(at)}])


def pending_accounts(tx: Transaction, source: str, instance: str) -> pl.Series:
    """Ids of the accounts with cells whose write was planned and has no known outcome."""
    sql = (
        "SELECT DISTINCT c.source_id FROM planned_cell c JOIN publish_plan p USING (plan_id) WHERE p.source=:source "  # noqa: S608
        f"AND p.source_instance=:instance AND c.decision='write' AND {_OPEN}"
    )
    return tx.frame(sql, {"source_id": pl.String()}, source=source, instance=instance)["source_id"]


def to_compare(tx: Transaction, source: str, instance: str) -> pl.Series:
    """Ids of the accounts that the CRM showed us again since their fields were last compared."""
    sql = "SELECT source_id FROM account_to_compare WHERE source=:source AND source_instance=:instance"
    return tx.frame(sql, {"source_id": pl.String()}, source=source, instance=instance)["source_id"]


def add_to_compare(tx: Transaction, ids: pl.Series, source: str, instance: str) -> None:
    """The next plan looks at these accounts in the CRM."""
    sql = (
        "INSERT INTO account_to_compare (source, source_instance, source_id) VALUES (:source, :instance, :id) "
        "ON CONFLICT DO NOTHING"
    )
    tx.run(sql, [{"source": source, "instance": instance, "id": id_} for id_ in ids])


def compared(tx: Transaction, ids: pl.Series, source: str, instance: str) -> None:
    """These accounts have been looked at."""
    sql = "DELETE FROM account_to_compare WHERE source=:source AND source_instance=:instance AND source_id=:id"
    tx.run(sql, [{"source": source, "instance": instance, "id": id_} for id_ in ids])

"""What a run that broke off may have written: told where it went over people's work, and ended as it is found."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import polars as pl

from connectors.contract import Connector, LooksBack
from flows.pipeline.cells import writes_of
from kammodel.entities import PublishPlan
from kammodel.publish.deciding import CELL
from kammodel.publish.fields import CustomField
from kammodel.publish.plan import canonical_frame
from kammodel.store import Store, Transaction, plans

IS_OPEN = (pl.col("decision") == "write") & (pl.col("outcome").is_null() | (pl.col("outcome") == "waiting"))
"""Of a cell that is to be written: it is not, or nobody knows."""
_log = logging.getLogger(__name__)
_MOST_NAMED = 20
FOUND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When a value was written that we only found in the CRM: not lately, so that its account is no echo of ours."""


def look_back(
    connector: Connector, store: Store, made: PublishPlan, now: pl.DataFrame, fields: Sequence[CustomField]
) -> None:
    """Tells of cells that a write without an answer, of a run that did not come back to them, has put over what a
    person had entered. What stands there is ours then: only an apply of that plan could have put theirs back."""
    with store.transaction() as tx:
        there = _found(tx, now, source=made.source, instance=made.source_instance)
    over = _written_over(connector, there, fields)
    if over:
        text = "%s: an interrupted write went over what people had entered in %d accounts, as their history shows: %s"
        _log.warning(text, made.source, len(over), ", ".join(sorted(over)[:_MOST_NAMED]))


def with_theirs(
    connector: Connector, cells: pl.DataFrame, now: pl.DataFrame, fields: Sequence[CustomField]
) -> pl.DataFrame:
    """The cells of a plan (source_id, field, before, before_spelled, after, reason, outcome), less what a write without
    an answer went over, as the history shows: there it is what a person had entered that stood there `before`."""
    over = _written_over(connector, _holding(cells.filter(IS_OPEN), now), fields)
    # A field that they had cleared is theirs as well: its value is null, and it is there.
    told = [(account, key, value) for account, values in over.items() for key, value in values.items()]
    if not told:
        return cells
    theirs = pl.DataFrame(told, schema=dict.fromkeys((*CELL, "theirs"), pl.String), orient="row")
    texts = theirs.pivot("field", index="source_id", values="theirs")
    plain = _long(canonical_frame(texts, [f for f in fields if f.key in texts.columns]), "plain")
    theirs = theirs.join(plain, on=CELL, how="left").with_columns(is_told=pl.lit(value=True))
    joined = cells.join(theirs, on=CELL, how="left", maintain_order="left")
    is_theirs = IS_OPEN & pl.col("is_told").fill_null(value=False)
    return joined.with_columns(
        before=pl.when(is_theirs).then("plain").otherwise("before"),
        before_spelled=pl.when(is_theirs).then("theirs").otherwise("before_spelled"),
        reason=pl.when(is_theirs).then(pl.lit("rule")).otherwise("reason"),
    ).select(cells.columns)


def _written_over(
    connector: Connector, cells: pl.DataFrame, fields: Sequence[CustomField]
) -> dict[str, dict[str, str | None]]:
    if cells.is_empty() or not isinstance(connector, LooksBack):
        return {}
    return connector.overwritten(fields, writes_of(cells))


def end_as_found(tx: Transaction, now: pl.DataFrame, *, source: str, instance: str) -> None:
    """Ends as written the cells of the newest plan whose outcome was never learned, and that hold what it planned."""
    newest = plans.latest_plan(tx, source, instance)
    if newest is not None:
        there = _found(tx, now, source=source, instance=instance)
        plans.record_cells(tx, newest, there.with_columns(outcome=pl.lit("written")), FOUND)


def _found(tx: Transaction, now: pl.DataFrame, *, source: str, instance: str) -> pl.DataFrame:
    """The cells of the newest plan whose outcome was never learned, and that hold what it planned."""
    newest = plans.latest_plan(tx, source, instance)
    return _holding(plans.cells_of(tx, newest.plan_id if newest else "", pending_only=True), now)


def _holding(cells: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Those of the cells that hold what is to stand there after."""
    held = _long(now, "after")
    return cells.join(held, on=[*CELL, "after"], how="semi", nulls_equal=True, maintain_order="left")


def _long(frame: pl.DataFrame, value: str) -> pl.DataFrame:
    return frame.unpivot(index="source_id", variable_name="field", value_name=value)

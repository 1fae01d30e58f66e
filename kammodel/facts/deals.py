"""Deals as they were known at the end of a day.

Only what counts is in a frame: rows of live accounts, of the system of record where two CRMs hold a company.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Opportunity, OpportunityStageEvent
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ACCOUNT, DEAL, ORG, OWN, FactFrame, Sources, places

_CLOSED = ("won", "lost")


OPPORTUNITY_COLUMNS = (
    *KEY,
    "created_at",
    "updated_at",
    "deleted",
    "account_id",
    "stage_id",
    "status",
    "is_omitted",
    "forecast_category",
    "kind",
    "amount",
    "currency",
    "probability",
    "close_on",
    "merged_into_id",
)
STAGE_EVENT_COLUMNS = (
    *KEY,
    "deleted",
    "opportunity_id",
    "changed_at",
    "stage_id",
    "status",
    "amount",
    "probability",
    "close_on",
)
"""Columns of the entities that the facts are made of."""


@dataclass(frozen=True)
class Deals:
    """`deals`: one row per deal that counts: KEY, group, `stage_id` (null where it is not known what it was), `status`
    (open, won, lost), `closed_on`, `expected_on` (of open ones), `created_on`, `own_amount`, `currency`, `amount` in
    the reporting currency, `amount_why`, `probability`, `kind`, `is_omitted`, `forecast_category`, OWN, ACCOUNT.
    """

    deals: pl.DataFrame
    counts: dict[str, int]


def deals(sources: Sources) -> Deals:
    """Deals as known at the cut. Readings 2-5, 7, 8 and 19.

    - Deleted and merged deals are out; so are those created after the cut, whatever their dates.
    - Where the stage history goes on after the cut, a deal is what its last history row at or before the cut
      says. Otherwise today's values stand.
    - A deal that closed after the as-of day was open then; without history with today's amount and without a
      probability. A closed deal whose close date lies in the future, or is missing, counts on the day on
      which it was closed: by the stage history, else (future only) by its last change. A deal closed on an
      unknown day has `closed_on` null and is in no window.
    - Closed deals convert at the close date, open ones at the as-of date.
    """
    moment = sources.moment
    known = sources.of(Opportunity).filter(moment.existed(), pl.col("merged_into_id").is_null())
    placed = known.join(sources.once(places), on=ACCOUNT, how="left")
    counted = placed.filter(pl.col("group").is_not_null() & pl.col("is_counted"))
    then = _as_known(counted, sources.of(OpportunityStageEvent), moment)
    priced = sources.converted(then.with_columns(on=pl.col("closed_on").fill_null(moment.day)))
    facts = priced.select(DEAL_COLUMNS).sort(*ORG, "source_id")
    counts = {
        "opportunities": known.height,
        "opportunities_orphaned": placed["group"].null_count(),
        "opportunities_of_linked_accounts": placed.filter(~pl.col("is_counted")).height,
        "opportunities_without_status": facts["status"].null_count(),
        "opportunities_reconstructed": int(then["is_reconstructed"].sum()),
        "amounts_without_rate": facts["amount_why"].count(),
        "closed_on_unknown_day": facts.filter(pl.col("status").is_in(_CLOSED) & pl.col("closed_on").is_null()).height,
    }
    return Deals(facts, counts)


DEAL_COLUMNS = (
    *ORG,
    "source_id",
    "group",
    "stage_id",
    "status",
    "closed_on",
    "expected_on",
    "created_on",
    "own_amount",
    "currency",
    "amount",
    "amount_why",
    "probability",
    "kind",
    "is_omitted",
    "forecast_category",
    OWN,
    ACCOUNT,
)


def _as_known(counted: pl.DataFrame, stage_events: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """Adds status, closed_on, expected_on, created_on, own_amount, probability as they were at the cut."""
    numbered = counted.with_row_index("deal")
    joined = numbered.join(_histories(numbered, stage_events, moment), on="deal", how="left")
    by_history = pl.col("goes_on").fill_null(value=False) & pl.col("h_status").is_not_null()
    now = {
        "stage_id": "stage_id",
        "status": "status",
        "close_on": "close_on",
        "amount": "amount",
        "probability": "probability",
    }
    told = joined.with_columns(
        by_history=by_history,
        **{f"t_{to}": pl.when(by_history).then(f"h_{name}").otherwise(name) for name, to in now.items()},
    )
    told = told.with_columns(_closing_day(moment).alias("closing_day"))
    is_closed, later = pl.col("t_status").is_in(_CLOSED), pl.col("closing_day") > moment.day
    never_dated = is_closed & pl.col("closing_day").is_null() & (pl.col("t_close_on") > moment.day)
    reopened = is_closed & (later | never_dated).fill_null(value=False)
    status = pl.when(reopened).then(pl.lit("open")).otherwise("t_status")
    told = told.with_columns(was_open=reopened, then=status)
    open_then = pl.col("then") == "open"
    edited = (pl.col("updated_at") > moment.at).fill_null(value=False)
    return told.select(
        *ORG,
        "source_id",
        OWN,
        ACCOUNT,
        "group",
        "currency",
        "kind",
        "is_omitted",
        forecast_category=pl.when(~pl.col("was_open")).then("forecast_category"),
        stage_id=pl.when(~pl.col("was_open")).then("t_stage_id"),
        status="then",
        closed_on=pl.when(pl.col("then").is_in(_CLOSED)).then("closing_day"),
        expected_on=pl.when(open_then).then("t_close_on"),
        created_on=moment.local_day(pl.col("created_at")),
        own_amount="t_amount",
        probability=pl.when(~pl.col("was_open")).then("t_probability"),
        is_reconstructed=~pl.col("by_history") & edited & pl.lit(moment.is_past),
    )


def _closing_day(moment: Cut) -> pl.Expr:
    """The day on which a closed deal counts; null for an unknown one. Readings 4 and 19."""
    by_history = pl.when(pl.col("last_status") == pl.col("t_status")).then(moment.local_day(pl.col("last_status_at")))
    by_change = pl.when(pl.col("t_close_on").is_not_null()).then(moment.local_day(pl.col("updated_at")))
    return pl.when(pl.col("t_close_on") <= moment.day).then("t_close_on").otherwise(pl.coalesce(by_history, by_change))


def _histories(numbered: pl.DataFrame, stage_events: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """Per `deal` with history: whether it `goes_on` after the cut; its last row up to the cut as `h_*`; and
    `last_status` with `last_status_at`: when the status that it had last (up to the cut, else ever) began."""
    undated = pl.col("status").is_in(_CLOSED) & ~(pl.col("close_on") <= moment.day).fill_null(value=False)
    asked = numbered.filter(undated | pl.lit(moment.is_past)).select("deal", pl.col(OWN).alias(DEAL))
    rows = (
        stage_events.filter(~pl.col("deleted"))
        .drop_nulls("changed_at")
        .join(asked, on=DEAL)
        .sort("deal", "changed_at", "source_id")
    )
    same = (pl.col("deal") == pl.col("deal").shift(1)) & pl.col("status").eq_missing(pl.col("status").shift(1))
    begun = rows.with_columns(
        known=pl.col("changed_at") <= moment.at,
        begun_at=pl.when(~same.fill_null(value=False)).then("changed_at"),
    )
    ever = begun.group_by("deal").agg(
        goes_on=(~pl.col("known")).any(), e_status=pl.col("status").last(), e_at=pl.col("begun_at").max()
    )
    before = (
        begun.filter("known")
        .group_by("deal")
        .agg(
            pl.col("stage_id", "status", "close_on", "amount", "probability").last().name.prefix("h_"),
            h_at=pl.col("begun_at").max(),
        )
    )
    any_before = pl.col("h_at").is_not_null()
    return ever.join(before, on="deal", how="left").with_columns(
        last_status=pl.when(any_before).then("h_status").otherwise("e_status"),
        last_status_at=pl.when(any_before).then("h_at").otherwise("e_at"),
    )


STREAMS = (frozenset({"opportunities"}),)

DEALS = FactFrame(
    "deals",
    reads=STREAMS,
    entities={Opportunity: OPPORTUNITY_COLUMNS, OpportunityStageEvent: STAGE_EVENT_COLUMNS},
    build=lambda sources: sources.once(deals).deals,
    counts=lambda sources: sources.once(deals).counts,
)

"""How deals go through the stages of their pipeline, and where the open ones stand."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.entities import KEY, OpportunityStageEvent, PipelineStage, Sourced
from kammodel.facts.deals import DEALS, STREAMS
from kammodel.facts.frames import DEAL, ORG, OWN, FactFrame, Sources
from kammodel.numbering import Lookup, number, pair

STAGE = number("stage_id")
_TOLD = ("source_id", "changed_at", "stage_id", STAGE, "status", "amount", "close_on", "prev_close_on")
_WON, _LOST = 2**32, -1
"""Where won and lost stand among the positions of stages."""


def numbered(sources: Sources) -> pl.DataFrame:
    """The deals that count, with a number `deal`: quicker to compare than their keys."""
    return sources.frame("deals").with_row_index("deal").rename({"source_id": "opportunity_id", OWN: DEAL})


def deal_events(sources: Sources) -> pl.DataFrame:
    """The history of the deals that count, up to the cut, with their number `deal`; each deal's in order."""
    deals, rows = sources.once(numbered), sources.of(OpportunityStageEvent)
    deal = Lookup(deals[DEAL], deals["deal"]).of(rows[DEAL]).alias("deal")
    counts = ~pl.col("deleted") & (pl.col("changed_at") <= sources.moment.at) & deal.is_not_null()
    own = rows.select(counts).to_series()
    return rows.select(*_TOLD, deal).filter(own).sort("deal", "changed_at", "source_id")


def entries(sources: Sources) -> pl.DataFrame:
    """deal, STAGE, status, `entered_on`, `place`, `next_on`, `best_later`: one row per deal
    that counts and stage, by the first entry up to the cut, in order of entry.

    `place`: the stage's position in its pipeline as the CRM defines it today, won above all, lost below; where the CRM
    tells none, a later one is further. `best_later`: the highest place entered later; `next_on`: the day of the next
    entry. A stage that was skipped has no row, and a move back to a stage is no new entry.
    """
    moment = sources.moment
    told = sources.once(deal_events).drop_nulls("stage_id")
    first = told.filter(pair("deal", STAGE).is_first_distinct())
    stages = sources.of(PipelineStage).filter(~pl.col("deleted")).sort(KEY).select(STAGE, "position").drop_nulls()
    stages = stages.unique(STAGE, keep="first", maintain_order=True)
    placed = first.join(stages, on=STAGE, how="left", maintain_order="left")
    status, position = pl.col("status"), pl.col("position").fill_null(pl.int_range(pl.len()))
    place = pl.when(status == "won").then(_WON).when(status == "lost").then(_LOST).otherwise(position)
    known = placed.with_columns(place=place, entered_on=moment.local_day(pl.col("changed_at")))
    same = pl.col("deal") == pl.col("deal").shift(-1)
    # Deals come in order: each above all after it, the highest place from a row on is that of its own deal.
    deal = pl.col("deal").cast(pl.Int128) * 2**66
    later = ((pl.col("place").cast(pl.Int128) - deal).cum_max(reverse=True) + deal).cast(pl.Int64).shift(-1)
    return known.select(
        "deal",
        STAGE,
        "status",
        "entered_on",
        "place",
        next_on=pl.when(same).then(pl.col("entered_on").shift(-1)),
        best_later=pl.when(same).then(later),
    )


def _visits(sources: Sources) -> pl.DataFrame:
    """group, STAGE, `left_on`, `days`, `is_passed`, `decided_on`, `is_won`,
    `closed_on`: one row per deal and open stage that it entered, by first entries.

    `left_on`: the day of the next first entry, null while there is none; `days` until then. `is_passed`: whether
    the deal came further, to a later stage or to won; False for one that was lost without; null while that is open.
    `is_won` and `closed_on`: how the deal ended, if it has.
    """
    deals = sources.once(numbered).select("deal", "group", "closed_on", ended="status")
    told = sources.once(entries).filter(status="open").join(deals, on="deal", how="left", maintain_order="left")
    further = (pl.col("best_later") > pl.col("place")).fill_null(value=False)
    is_lost = pl.col("ended") == "lost"
    return told.select(
        "group",
        STAGE,
        "closed_on",
        left_on="next_on",
        days=(pl.col("next_on") - pl.col("entered_on")).dt.total_days(),
        is_passed=pl.when(further).then(statement=True).when(is_lost).then(statement=False),
        decided_on=pl.when(further).then("next_on").when(is_lost).then("closed_on"),
        is_won=pl.when(pl.col("ended").is_in(["won", "lost"])).then(pl.col("ended") == "won"),
    )


def _open_stages(sources: Sources) -> pl.DataFrame:
    """source, source_instance, opportunity_id, DEAL, group, STAGE, expected_on, own_amount, amount, amount_why,
    created_on, `stage_since`, `moved_on`: the open deals that are not omitted from the forecast.

    `stage_since`: the day of the first entry into the present stage; `moved_on`: that of the last first entry into any.
    Both are null without a history.
    """
    omitted = pl.col("is_omitted").fill_null(value=False)
    deals = sources.once(numbered).filter(pl.col("status") == "open", ~omitted)
    deals = sources.numbers.with_numbers(deals, ["stage_id"])
    told = sources.once(entries)
    since = told.select("deal", STAGE, stage_since="entered_on")
    moved = told.group_by("deal").agg(moved_on=pl.col("entered_on").max())
    joined = deals.join(since, on=["deal", STAGE], how="left").join(moved, on="deal", how="left").sort("deal")
    return joined.select(
        *ORG,
        "opportunity_id",
        DEAL,
        "group",
        STAGE,
        *("expected_on", "own_amount", "amount", "amount_why", "created_on", "stage_since", "moved_on"),
    )


ENTITIES: Mapping[type[Sourced], tuple[str, ...]] = {
    **DEALS.entities,
    PipelineStage: (*KEY, "deleted", "stage_id", "position"),
}

STAGE_VISITS = FactFrame("stage_visits", reads=STREAMS, entities=ENTITIES, build=_visits)
OPEN_STAGES = FactFrame("open_stages", reads=STREAMS, entities=ENTITIES, build=_open_stages)

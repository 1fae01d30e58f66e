"""Gathers what the report is made of: the day as it is scored, what was recorded before, and what could not be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.pipeline.progress import Progress, quiet
from flows.pipeline.scoring import before_day
from kammodel.entities import User
from kammodel.facts.windows import quarter_of
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.scoring import ScoredDay, ScoringConfig, end_of_day, explain_group, read_inputs, score_day
from kammodel.store import Store
from kammodel.store.control import bookmarks, open_rejects
from kammodel.store.snapshots import latest_snapshots, snapshots_of
from kammodel.tiering.explained import Explanation

Pages = Mapping[str, Callable[[str], str]]
"""By CRM, what gives the address of an account's page by its id."""

TOLD_IN_FULL = ("strategic", "key")
"""Tiers whose groups have a section of their own, from the highest."""

HISTORY = {"as_of": pl.Date(), "score": pl.Float64(), "tier": pl.String()}
REJECTS = {
    "source": pl.String(),
    "entity": pl.String(),
    "field": pl.String(),
    "reason": pl.String(),
    "n": pl.Int64(),
}


@dataclass(frozen=True)
class Member:
    """A live account of a group. `name` is text from a CRM: escape it. `page`: null where no address is known."""

    source: str
    source_id: str
    name: str | None
    page: str | None


@dataclass(frozen=True)
class AccountFacts:
    """What the section of one account group is made of. `history`: HISTORY, a row per day on record, the as-of day at
    the end; `kpis`: its row of `ScoredDay.kpis`; `manager`: a name from a CRM, or an id."""

    explanation: Explanation
    history: pl.DataFrame
    kpis: dict[str, Any]
    manager: str | None
    members: tuple[Member, ...]


@dataclass(frozen=True)
class ReportFacts:
    """`before`: group_id and tier of the snapshots in force at `before_day`, the end of the quarter before, or the last
    day on record where nothing is that old; null where there is none. `rejects`: REJECTS, rows that are still set
    aside. `synced_at`: null where nothing was read. `left_out`: Strategic and Key groups without a section."""

    day: ScoredDay
    before: pl.DataFrame | None
    before_day: dt.date | None
    rejects: pl.DataFrame
    synced_at: dt.datetime | None
    accounts: tuple[AccountFacts, ...]
    left_out: int


def report_facts(
    store: Store,
    config: ScoringConfig,
    pages: Callable[[], Pages],
    *,
    most: int,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> ReportFacts:
    """Scores `config.as_of` from what the store holds, as `kam explain` does, and explains the `most` highest of its
    Strategic and Key groups, by tier and score. Nothing is written. `pages` is asked only where a group has a section.
    """
    inputs = read_inputs(store, given, end_of_day(config), config.shard_rows)
    day = score_day(inputs, config, before_day(store, config).snapshots, with_portfolio=True)
    before_on, before = _before(store, day)
    chosen = highest(day)
    return ReportFacts(
        day=day,
        before=before,
        before_day=before_on,
        rejects=_rejects(store),
        synced_at=inputs.synced_at,
        accounts=_sections(store, day, chosen.head(most), pages, progress),
        left_out=max(chosen.height - most, 0),
    )


def highest(day: ScoredDay) -> pl.DataFrame:
    """The rows of scores of the groups that have a section: by tier, then score, then id."""
    tier = pl.col("tier_effective")
    place = tier.replace_strict(dict(zip(TOLD_IN_FULL, range(len(TOLD_IN_FULL)), strict=True)), default=None)
    own = day.scores.frame.filter(tier.is_in(TOLD_IN_FULL))
    return own.sort(place, -pl.col("score"), "group_id", nulls_last=True)


def _sections(
    store: Store, day: ScoredDay, chosen: pl.DataFrame, pages: Callable[[], Pages], progress: Progress
) -> tuple[AccountFacts, ...]:
    if chosen.is_empty():
        return ()
    known, managers, made = pages(), _managers(store, day), []
    for place, row in enumerate(chosen.select("group", "group_id", "score", "tier_effective").iter_rows(named=True)):
        progress("report", place, chosen.height)
        made.append(
            AccountFacts(
                explanation=explain_group(day, row["group_id"]),
                history=_history(store, day, row),
                kpis=day.kpis.row(by_predicate=pl.col("group") == row["group"], named=True),
                manager=managers.get(row["group"]),
                members=_members(day, row["group"], known),
            )
        )
    progress("report", chosen.height, chosen.height)
    return tuple(made)


def _before(store: Store, day: ScoredDay) -> tuple[dt.date | None, pl.DataFrame | None]:
    end = quarter_of(day.config.as_of)[0] - dt.timedelta(days=1)
    with store.transaction() as tx:
        frame = latest_snapshots(tx, until=end)
    if frame.is_empty():
        if day.previous is None:
            return None, None
        frame, end = day.previous, day.previous.select(pl.col("as_of").max()).item()
    return end, frame.select("group_id", tier="tier_effective")


def _history(store: Store, day: ScoredDay, row: dict[str, Any]) -> pl.DataFrame:
    """What was recorded of the days before, the last record of each; of the day itself what it is now."""
    with store.transaction() as tx:
        known = snapshots_of(tx, row["group_id"])
    earlier = known.filter(pl.col("as_of") < day.config.as_of).unique("as_of", keep="last", maintain_order=True)
    today = {"as_of": [day.config.as_of], "score": [row["score"]], "tier": [row["tier_effective"]]}
    return pl.concat([earlier.select("as_of", "score", tier="tier_effective"), pl.DataFrame(today, schema=HISTORY)])


def _members(day: ScoredDay, group: int, pages: Pages) -> tuple[Member, ...]:
    own = day.members.filter(pl.col("group") == group).sort(
        "is_root", "source", "source_id", descending=[True, *2 * [False]]
    )
    rows = own.select("source", "source_id", "name").iter_rows()
    return tuple(Member(crm, id_, name, pages[crm](id_) if crm in pages else None) for crm, id_, name in rows)


def _managers(store: Store, day: ScoredDay) -> dict[int, str]:
    """By group, what its key account manager is called; the id of one whose name the CRM does not tell."""
    users = store.read(User, ("source", "source_instance", "source_id", "name"))
    named = users.select(kam=pl.concat_str("source", "source_instance", "source_id", separator=":"), called="name")
    own = day.groups.select("group", "kam").drop_nulls("kam").join(named.unique("kam"), on="kam", how="left")
    return dict(own.select("group", pl.coalesce("called", "kam")).iter_rows())


def _rejects(store: Store) -> pl.DataFrame:
    """Rows set aside by what is wrong with them, most of them first. What stood in them stays in the store."""
    found = [pl.DataFrame(schema=REJECTS)]
    with store.transaction() as tx:
        for mark in bookmarks(tx):
            rows = open_rejects(tx, mark.source, mark.source_instance, mark.stream)
            counted = rows.group_by("entity", "field", "reason").agg(n=pl.len().cast(pl.Int64))
            found.append(counted.select(pl.lit(mark.source).alias("source"), "entity", "field", "reason", "n"))
    every = pl.concat(found).group_by("source", "entity", "field", "reason").agg(pl.col("n").sum())
    return every.sort("n", "source", "entity", "field", "reason", descending=[True, *4 * [False]])

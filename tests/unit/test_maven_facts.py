"""The known facts of maven_crm (8,800 opportunities of 85 accounts), as of the last day of 2017."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from kammodel.entities import Account
from kammodel.facts.cut import cut
from kammodel.facts.deals import deals
from kammodel.identity import account_groups
from kammodel.kpis.winning import cycle_days
from kammodel.scoring import Inputs, ScoredDay, score_day
from tests.maven_book import FOLDER, LAST_DAY, MISSING, maven_inputs
from tests.unit.kam_world import CONFIG

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=MISSING)
MAVEN = replace(CONFIG, as_of=LAST_DAY, timezone="UTC", reporting_currency="USD")


@pytest.fixture(scope="module")
def day() -> ScoredDay:
    return score_day(maven_inputs(), MAVEN)


@pytest.fixture(scope="module")
def deal_facts() -> pl.DataFrame:
    found = maven_inputs()
    groups = account_groups(found.of(Account))
    return deals(found.sources(groups, cut(LAST_DAY, "UTC", found.synced_at), "USD")).deals


def test_won_business_is_complete(day: ScoredDay) -> None:
    """4,238 deals worth 10,005,534."""
    assert day.kpis["won_n"].sum() == 4_238
    assert day.kpis["revenue_ttm"].sum() == 10_005_534 * 10_000
    assert day.kpis["lost_n"].sum() == 2_473


def test_win_rate_by_number(day: ScoredDay) -> None:
    won, lost = day.kpis["won_n"].sum(), day.kpis["lost_n"].sum()
    assert round(100 * won / (won + lost), 2) == 63.15


def test_cycle_of_won_deals(deal_facts: pl.DataFrame) -> None:
    """Mean 51.78 days, median 57, at most 138."""
    days = deal_facts.filter(pl.col("status") == "won").select(cycle_days()).to_series()
    assert (round(days.mean(), 2), days.median(), days.max()) == (51.78, 57.0, 138)  # type: ignore[arg-type]


def test_subsidiaries_count_with_their_parent(day: ScoredDay) -> None:
    assert (day.members.height, day.groups.height) == (85, 70)


def test_deals_without_an_account_are_counted_and_not_invented(day: ScoredDay) -> None:
    assert day.counts["opportunities_orphaned"] == 1_425
    assert day.counts["opportunities"] == 8_800


def test_concentration_over_groups_and_over_accounts(day: ScoredDay) -> None:
    """HHI 0.01988 over groups, 0.01358 over accounts."""
    accounts = score_day(without_hierarchy(), MAVEN).kpis["revenue_share"]
    assert round((day.kpis["revenue_share"] ** 2).sum(), 5) == 0.01988
    assert round((accounts**2).sum(), 5) == 0.01358


def test_the_leader_depends_on_the_unit(day: ScoredDay) -> None:
    """Kan-code leads by account, Acme Corporation with its four subsidiaries by group."""
    assert _leader(score_day(without_hierarchy(), MAVEN)) == ("Kan-code", 1)
    assert _leader(day) == ("Acme Corporation", 5)


def test_the_same_book_gives_the_same_scores_in_another_crm(day: ScoredDay) -> None:
    other = score_day(maven_inputs("hubspot"), MAVEN)
    columns = ["score", "tier_effective", "rfm", "quadrant"]
    assert other.scores.frame.select(columns).equals(day.scores.frame.select(columns))


def test_what_was_never_read_is_unknown(day: ScoredDay) -> None:
    assert day.kpis["touches_90d"].null_count() == 70
    assert day.kpis["touches_90d__why"].unique().to_list() == ["not_read"]


def test_an_earlier_day_knows_nothing_of_later_deals() -> None:
    """Won by the end of June 2017: counted from the file by hand."""
    june = score_day(maven_inputs(), replace(MAVEN, as_of=dt.date(2017, 6, 30)))
    rows = pl.read_csv(FOLDER / "sales_pipeline.csv", infer_schema=False)
    won = rows.filter(pl.col("deal_stage") == "Won", pl.col("close_date") <= "2017-06-30")
    assert june.kpis["won_n"].sum() == won.height


def without_hierarchy() -> Inputs:
    alone = maven_inputs()
    accounts = alone.of(Account).with_columns(parent_id=pl.lit(None, pl.String))
    return replace(alone, entities={**alone.entities, Account: accounts})


def _leader(day: ScoredDay) -> tuple[str, int]:
    top = day.groups.join(day.kpis, on="group").sort("revenue_ttm", descending=True)
    name, members = top.select("name", "members").row(0)
    return str(name), int(members)

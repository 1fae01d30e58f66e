"""What the plots of the report say of a book of business whose figures are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from flows.report.html.cadence import against_cadence, asked, contacts
from flows.report.html.concentration import concentration, cumulative_shares
from flows.report.html.quality import coverage, known_measures, reasons
from flows.report.html.rfm import counted, rfm_grid
from flows.report.html.risk import at_risk, endangered, signals
from flows.report.html.tiers import migration, moved_pairs, shares, tone_of
from flows.report.written import UNITS, Written
from flows.words import Words
from kammodel.scoring import ScoredDay
from tests.unit.kam_world import CONFIG, World
from tests.unit.report_book import ACCOUNTS, plain_day, scored

EN, ES = Written(Words("en"), "EUR"), Written(Words("es"), "EUR")


def portfolio(day: ScoredDay) -> dict[str, object]:
    assert day.portfolio is not None
    return day.portfolio.row(0, named=True)


def row(kpi: str, value: object, why: str | None = None) -> dict[str, object]:
    return {kpi: value, f"{kpi}__why": why}


@pytest.mark.parametrize(
    ("name", "value", "en", "es"),
    [
        ("revenue_ttm", 12_345_678_900, "1,234,568", "1.234.568"),
        ("revenue_yoy_growth", -0.234, "-23 %", "-23 %"),
        ("revenue_share", 0.0456, "4.6 %", "4,6 %"),
        ("win_rate_shown", 0.0, "0 %", "0 %"),
        ("cadence_recency", 2.44, "2.4 times", "2,4 veces"),
        ("days_to_renewal", 17, "17 days", "17 días"),
        ("customer_tenure_months", 30, "30 months", "30 meses"),
        ("single_threaded", 0, "no", "no"),
        ("nps", -12.5, "-12.5", "-12,5"),
        ("open_cases", 1234, "1,234", "1.234"),
    ],
)
def test_figures_stand_in_their_unit_and_language(name: str, value: float, en: str, es: str) -> None:
    assert (EN.figure(row(name, value), name).told, ES.figure(row(name, value), name).told) == (en, es)


@pytest.mark.parametrize(
    ("code", "en", "es"),
    [
        ("no_cohort", "no revenue in the year before", "sin ingresos en el año anterior"),
        ("no rate for XAU", "no exchange rate for XAU", "sin tipo de cambio para XAU"),
        ("a_code_of_tomorrow", "a_code_of_tomorrow", "a_code_of_tomorrow"),
        (None, "nothing tells it", "nada lo dice"),
    ],
)
def test_what_is_not_known_has_its_reason_and_is_not_0(code: str | None, en: str, es: str) -> None:
    told = [written.figure(row("nrr_ttm", None, code), "nrr_ttm") for written in (EN, ES)]
    assert [(figure.told, figure.why) for figure in told] == [("not known", en), ("no se sabe", es)]


def test_days_are_written_with_the_month_in_words() -> None:
    day = dt.date(2026, 1, 5)
    assert (EN.day(day), ES.day(day), EN.month(day)) == ("5 Jan 2026", "5 ene 2026", "Jan 26")


def test_the_curve_of_revenue_ends_at_all_of_it() -> None:
    """The KPIs of the portfolio are what it says: 80 % from so many of those that have any."""
    day = plain_day()
    found = cumulative_shares(day.kpis)
    assert len(found) == portfolio(day)["groups_with_revenue_n"] == ACCOUNTS - 3
    assert found[-1] == pytest.approx(1)
    few = portfolio(day)["pareto_n80"]
    assert found[few - 2] < 0.8 <= found[few - 1]  # type: ignore[operator]
    plot = concentration(day, portfolio(day), EN)
    assert plot.says.startswith(f"80 % of the revenue comes from {few} of 31 account groups")
    assert plot.note == "Groups without revenue in these months, in no share: 3."


def test_a_revenue_that_is_not_known_draws_no_curve() -> None:
    book = World()
    book.account("a")
    book.deal("a", 10.0, currency="XAU", close_on=dt.date(2026, 3, 1))
    day = scored(book)
    plot = concentration(day, portfolio(day), EN)
    assert (plot.drawn, plot.says) == (None, "Not known: no exchange rate for EUR.")
    assert "not known: no exchange rate for EUR" in str(shares(day, portfolio(day), EN).drawn)


def test_moves_between_tiers_are_counted_and_those_that_never_had_one_left_out() -> None:
    now = pl.DataFrame({"group_id": list("abcde"), "tier_effective": ["key", "key", "growth", None, None]})
    before = pl.DataFrame({"group_id": list("abcd"), "tier": ["growth", "key", "strategic", "standard"]})
    pairs = moved_pairs(now, before)
    assert pairs == {
        ("growth", "key"): 1,
        ("key", "key"): 1,
        ("strategic", "growth"): 1,
        ("standard", "none"): 1,
    }
    assert [tone_of(*pair) for pair in sorted(pairs)] == ["up", "same", "other", "down"]


def test_without_a_day_before_there_is_no_migration() -> None:
    plot = migration(plain_day(), None, None, EN)
    assert (plot.drawn, plot.says[:30]) == (None, "No earlier day is on record: k")


def test_rfm_is_counted_by_recency_and_frequency() -> None:
    """A part that is not known is none."""
    buyers = pl.DataFrame({"rfm": ["545", "541", "1--", "111"]})
    assert counted(buyers) == {(5, 4): 2, (1, None): 1, (1, 1): 1}
    plot = rfm_grid(plain_day(), EN)
    assert plot.says.startswith("Of 31 buying groups: bought lately and often ")
    assert "R 3" in str(plot.drawn)


def test_few_buyers_are_told_by_recency_alone() -> None:
    book = World()
    book.account("a")
    book.deal("a", 10.0, close_on=dt.date(2026, 6, 1))
    plot = rfm_grid(scored(book), EN)
    assert plot.says.startswith("1 buying groups: too few to rank")
    assert "R 5" in str(plot.drawn)


def test_a_contact_is_behind_where_the_tier_asks_for_a_later_one() -> None:
    """Never is behind; not read is not known."""
    asks = {one.tier: (one.kind, one.every) for one in asked(CONFIG.policy)}
    assert asks == {
        "strategic": ("meeting", 14),
        "key": ("meeting", 30),
        "growth": ("touch", 90),
        "provisional": ("touch", 90),
    }
    day = plain_day()
    tiers = pl.Series(["strategic", "key", "growth", "provisional"])
    few = day.scores.frame.head(4).with_columns(tier_effective=tiers)
    kpis = day.kpis.head(4).with_columns(
        days_since_last_meeting=pl.Series([14, 31, 5, 5], dtype=pl.Int64),
        days_since_last_meeting__why=pl.lit(None, pl.String),
        days_since_last_touch=pl.Series([1, 1, None, None], dtype=pl.Int64),
        days_since_last_touch__why=pl.Series([None, None, "never", "not_read"]),
    )
    faked = replace(day, scores=replace(day.scores, frame=few), kpis=kpis)
    assert contacts(faked)["is_behind"].to_list() == [False, True, True, None]
    assert against_cadence(faked, EN).says == "Behind the cadence of their tier: 2 of 3 groups."
    assert "contact every 90 days · behind 1 of 1 · never 1" in str(against_cadence(faked, EN).drawn)
    assert "not known 1" in str(against_cadence(faked, EN).drawn)


def test_signals_are_those_of_the_kpis() -> None:
    """Most signals first; what is not known is no signal, and no 0 either."""
    day = plain_day()
    found = signals(day)
    known = found.join(day.scores.frame.select("group", tier_effective="tier_effective"), on="group")
    assert set(known["tier_effective"]) <= {"strategic", "key", "growth"}
    assert found["signs"].is_sorted(descending=True)
    assert found.filter("falling")["group_id"].to_list() == ["salesforce:org:005"]
    assert found.filter("ending")["group_id"].to_list() == ["salesforce:org:010"]
    cases = found.filter("cases")["group_id"].to_list()
    assert cases
    assert all(int(group.rsplit(":", 1)[1]) % 5 == 0 for group in cases)
    told = endangered(found, {}, EN)
    ending = next(one for one in told if one.group_id == "salesforce:org:010").signs[-1]
    assert (ending.state, ending.told) == ("yes", "62 days")
    assert {sign.why for one in told for sign in one.signs if sign.state == "unknown"} <= {
        "bought on fewer than three days",
        "no revenue in the year before",
        "less than 24 months of history",
    }
    assert at_risk(found, EN).drawn is not None


def test_what_nobody_has_is_known_least_and_has_its_reason() -> None:
    day = plain_day()
    assert "of 0 of 31 ranked groups" in known_measures(day, EN).says
    told = {(one.label, one.why): one.told for one in reasons(day, EN)}
    assert told["premium support", "no file or field tells it"] == "31"
    assert coverage(day, EN).says.startswith("Below the 66 % that a tier needs: ")


def test_every_figure_on_the_page_has_words_and_a_unit() -> None:
    """A KPI that is renamed would else be found by a reader."""
    from flows.report.html import account, page, quality

    for name in {*page.TILES, *quality.FIGURES, *account.FIGURES}:
        assert name in UNITS
        assert EN.label(name)
        assert ES.label(name)
    for name in quality.COUNTS:
        assert name in plain_day().counts
        assert EN.say(f"r_n_{name}")

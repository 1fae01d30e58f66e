"""The report's page: safe whatever a CRM holds, loads nothing, and is whole without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import polars as pl
import pytest

from connectors.sandbox.seeding.hostile import NAMES
from flows.pipeline.reporting import REJECTS, ReportFacts
from flows.report.html.page import report_page
from flows.words import Words
from kammodel.tiering.explained import OverrideExplained, RollupExplained
from tests.unit.kam_world import World
from tests.unit.report_book import Document, facts, plain_day, scored, world

EN, ES = Words("en"), Words("es")
SCRIPT = "javascript:alert(1)"
PAGE = "https://crm.example/0?a=<b>&c=\"'"
REMOTE = re.compile(r"https?://|url\(|@import|srcset|<link|<script|<iframe|<img|<object", re.IGNORECASE)


@pytest.fixture(scope="module")
def hostile() -> ReportFacts:
    """Every hostile name there is, in the list of accounts at risk and with a section of its own: as name, manager and
    account, and as the reason for a tier set by hand."""
    names = tuple(NAMES.values())
    made = facts(scored(world(names)), most=1, page=PAGE)
    (one,) = made.accounts
    sections = []
    for place, name in enumerate(names):
        override = OverrideExplained(
            tier=name, reason=f"</p>{name}", until=None, since=None, ends_on=None, state="unknown"
        )
        rolled = RollupExplained(name="r", label=name, unit="text", account=name, value=name, why=None)
        told = {
            "rollups": (rolled,),
            "name": name,
            "group_id": f"salesforce:org:{place:03}",
            "reason": name,
            "override": override,
        }
        members = (replace(one.members[0], name=name, source_id=name),)
        explanation = one.explanation.model_copy(update=told)
        sections.append(replace(one, explanation=explanation, manager=name, members=members))
    rejects = [("salesforce", "<i>Case</i>", "{{ 7*7 }}", "<b>why</b>", 3)]
    frame = pl.DataFrame(rejects, schema=REJECTS, orient="row")
    return replace(made, rejects=frame, accounts=tuple(sections))


def test_no_text_of_a_crm_becomes_markup(hostile: ReportFacts) -> None:
    """Tags are ours and closed in turn; none has a handler; the names are there as text."""
    page = report_page(hostile, EN)
    read = Document(page)
    assert (read.crossed, read.open) == ([], [])
    assert not {"script", "b>", "img", "iframe"} & {tag for tag, _ in read.tags}
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert "<script>alert('kam')</script> & <b>Hijos</b> S.L." in read.text
    assert "{{ 7*7 }} ${HOME} %(name)s {0}" in read.text
    assert "| **Tabla** | [x](javascript:alert(1)) | `code`" in read.text
    assert "<i>Case</i>" in read.text


def test_no_sign_steers_the_direction_of_writing_or_a_terminal(hostile: ReportFacts) -> None:
    page = report_page(hostile, EN)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x00-\x09\x0b-\x1f]", page)
    assert page.count("<bdi>") > len(NAMES)


def test_the_page_loads_nothing_and_says_so_to_the_browser(hostile: ReportFacts) -> None:
    """The only addresses are those of the accounts' pages, on a click."""
    page = report_page(hostile, EN)
    read = Document(page)
    policy = next(attributes for tag, attributes in read.tags if "http-equiv" in attributes)
    assert (policy["content"] or "").startswith("default-src 'none'; style-src 'unsafe-inline'")
    links = {attributes["href"] for tag, attributes in read.tags if tag == "a"}
    away = {link for link in links if link and not link.startswith("#")}
    assert away == {PAGE}
    ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
    assert {link[1:] for link in links - away if link} <= ids
    assert not REMOTE.search(re.sub(r'href="https://crm\.example[^"]*"', "", page).replace("https://example.com", ""))


def test_an_address_that_is_not_of_the_web_is_no_link() -> None:
    page = report_page(facts(plain_day(), most=1, page=SCRIPT), EN)
    assert SCRIPT not in page


def test_every_plot_has_a_title_a_sentence_and_ids_of_its_own(hostile: ReportFacts) -> None:
    read = Document(report_page(hostile, EN))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    plots = [attributes for tag, attributes in read.tags if tag == "svg"]
    assert len(plots) > 2 * len(NAMES)
    for plot in plots:
        assert plot["role"] == "img"
        assert set((plot["aria-labelledby"] or "").split()) <= set(ids)


def test_a_section_tells_trend_points_change_next_step_and_figures() -> None:
    """Of the group with the highest tier."""
    made = facts(plain_day(), most=1, page="https://crm.example/0")
    (one,) = made.accounts
    text = Document(report_page(made, EN)).text
    found = one.explanation
    assert found.reason in text
    assert f"From {found.score - 2:.1f} on 31 May 2026 to {found.score:.1f}" in text  # type: ignore[operator]
    assert f"of {found.score:.1f}" in text
    assert "Nothing was on record before." in text
    assert "Net promoter score not known no answers" in text
    assert "Next contract ends in 62 days" in text
    assert made.left_out > 0
    assert f"Left out: {made.left_out}; kam report --accounts N shows more." in text


def test_tiers_that_moved_since_the_quarter_before() -> None:
    """Everybody was Standard at its end."""
    day = plain_day()
    before = day.scores.frame.select("group_id", tier=pl.lit("standard"))
    text = Document(report_page(facts(day, most=0, before=before), EN)).text
    ranked = day.scores.frame["tier_effective"].drop_nulls()
    up, same = (int(ranked.is_in(tiers).sum()) for tiers in (["strategic", "key", "growth"], ["standard"]))
    assert f"Since 31 Mar 2026: up {up}, down 0, in the same tier {same}" in text
    assert "No Strategic or Key group has a section." in text


def test_in_spanish_words_and_numbers() -> None:
    """No sentence is left in English."""
    page = report_page(facts(scored(world(), "es"), most=1), ES)
    text = Document(page).text
    assert page.lstrip().startswith("<!doctype html>")
    assert '<html lang="es">' in page
    assert "A fecha de 30 jun 2026" in text
    assert "El 80 % de los ingresos procede de" in text
    for word in ("not known", "Strategic", "account group", "revenue", "days"):
        assert word not in text


def test_an_empty_store_says_what_to_do() -> None:
    text = Document(report_page(facts(scored(World())), EN)).text
    assert "Nothing is known yet of any account: kam pull reads the CRMs" in text
    assert "Revenue" not in text


def test_one_account_is_a_whole_page() -> None:
    """Too few for thresholds of rank: its score decides, and what cannot be told of one is said."""
    book = World()
    book.account("a", name="Sola")
    for day in ("2024-09-10", "2025-11-10", "2026-05-05"):
        book.deal("a", 1000.0, close_on=dt.date.fromisoformat(day))
    text = Document(report_page(facts(scored(book)), EN)).text
    assert "80 % of the revenue comes from 1 of 1 account groups" in text
    assert "1 buying groups: too few to rank" in text


def test_the_same_facts_give_the_same_bytes(hostile: ReportFacts) -> None:
    assert report_page(hostile, EN) == report_page(hostile, EN)

"""Text from a CRM, and secrets, on their way out of the program."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import re
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import QuotaSpent
from connectors.sandbox.company import ServedCompany
from flows.cli.show import printed, show_pulled, table
from flows.escaping import markdown, plain
from flows.logs import hide_secrets, scrub
from flows.outcome import ended, ends_well
from flows.report.markdown import MOST_MOVES, applied_page, pulls_page, score_page
from flows.results import ApplyReceipt, PullReceipt, ScoreReceipt, StreamReceipt, TierMove, resumes
from flows.settings import settings_from
from flows.steps import unread, unwritten
from flows.words import Words
from kammodel.errors import KamError
from tests.flows.kam_command import kam

CLOSED = StreamReceipt("accounts", is_full=True, read=10)
STOPPED = StreamReceipt("tasks", is_full=True, read=120_000, state="stopped", next_row=120_001)
NOT_BEGUN = StreamReceipt("events", is_full=False, state="not_begun")
IN_PART = (CLOSED, STOPPED, NOT_BEGUN, StreamReceipt("users", is_full=False, state="not_begun"))
HOSTILE = "\x1b[31m|<script>`a`</script>\n\u202e[x](http://e.com)"


def test_plain_is_one_line_without_steering_signs() -> None:
    """Escapes, line ends and signs that turn the direction of writing are gone; words of any script stay."""
    assert plain(HOSTILE) == "[31m|<script>`a`</script> [x](http://e.com)"
    assert plain("株式会社 Söhne Ñandú") == "株式会社 Söhne Ñandú"
    assert plain(None) == ""


def test_markdown_has_no_markup_left() -> None:
    """Neither HTML nor a link nor a table cell can be opened."""
    assert markdown("<b>|*x*|") == r"&lt;b&gt;\|\*x\*\|"
    assert markdown("[x](http://e.com)") == r"\[x\]\(http\://e\.com\)"


def test_a_name_cannot_add_a_cell_to_a_page() -> None:
    """The page of a hostile name has the same rows and cells as that of a tame one."""
    hostile, tame = (score_page(_scored(name)) for name in (HOSTILE, "Acme"))
    cells = [[line.replace(r"\|", "").count("|") for line in page.splitlines()] for page in (hostile, tame)]
    assert cells[0] == cells[1]
    assert "<script>" not in hostile


def test_a_long_list_of_moves_is_cut_and_says_so() -> None:
    """Prefect's UI renders a page in one go."""
    page = score_page(_scored("Acme", moves=MOST_MOVES + 5))
    assert page.count("Acme") == MOST_MOVES
    assert f"The first {MOST_MOVES} of {MOST_MOVES + 5}, by score." in page


def test_a_page_of_pulls_names_what_is_hidden() -> None:
    """An ops engineer sees in Prefect's UI what has to be granted."""
    stream = StreamReceipt("accounts", is_full=True, read=1234, inserted=1200, overlap=30, rejected=4, calls=7)
    page = pulls_page([PullReceipt("hubspot", "1", "Portal", (stream,), {"calls": "grant crm.objects"}, 9, 1.5)])
    assert "| hubspot | accounts | 1,234 | 1,200 | 0 | 0 | 0 | 30 | 4 | 0 | 7 | 0.0 |  |" in page
    assert "| hubspot | calls | grant crm\\.objects |" in page


def test_what_was_refused_is_told_by_code() -> None:
    """Refused and pending cells are counted, in the page and in the words of a partial run."""
    receipt = ApplyReceipt("p", "salesforce", 10, 2, 0, 3, 4, 1.0, {"ENTITY_IS_LOCKED": 2})
    assert "| salesforce | ENTITY\\_IS\\_LOCKED | 2 |" in applied_page([receipt])
    assert unwritten([receipt]) == ("salesforce: 2 cells refused, 3 to be tried again; the next run plans both",)
    assert unwritten([ApplyReceipt("p", "salesforce", 10, 0, 1, 0, 4, 1.0)]) == ()


def test_what_had_no_calls_left_is_told_with_where_it_goes_on() -> None:
    """In the words of a partial run, and in the pages: which stream, which row, what comes later, and why."""
    pull = PullReceipt(
        "salesforce", "1", "Org", IN_PART, {}, 9, 1.5, stopped="spent", resumes=resumes(IN_PART, full=False)
    )
    assert unread([pull]) == ("salesforce resumes at tasks, row 120,001, with the next run: spent",)
    page = pulls_page([pull])
    assert "| salesforce | tasks, which resumes at row 120,001; not begun\\: events, users | spent |" in page
    assert "| salesforce | events |" not in page
    applied = ApplyReceipt("p", "salesforce", 10, 0, 0, 0, 4, 1.0, pending=1200, stopped="spent")
    assert unwritten([applied]) == (
        "salesforce: resumes with the 1,200 cells that are left, with the next apply: spent",
    )


@pytest.mark.parametrize(
    ("streams", "full", "words"),
    [
        ((), False, "resumes at the beginning, with the next run"),
        ((CLOSED, replace(STOPPED, next_row=1)), False, "resumes at tasks, row 1, with the next run"),
        ((CLOSED, STOPPED), True, "resumes at tasks, row 120,001, with the next run (which needs no --full)"),
        ((CLOSED, NOT_BEGUN), False, "resumes at events, with the next run"),
        ((replace(STOPPED, next_row=None), NOT_BEGUN), False, "resumes at events, with the next run"),
        ((CLOSED, replace(STOPPED, next_row=None)), False, "resumes at accounts, with the next run"),
    ],
)
def test_where_a_pull_goes_on(streams: tuple[StreamReceipt, ...], full: bool, words: str) -> None:
    """At the row after the last that is stored; else at the first stream that waits."""
    assert resumes(streams, full=full) == words


def test_no_calls_left_is_a_state_of_its_own() -> None:
    """Partial: of a flow neither success nor failure, whether something was done or nothing."""

    @ends_well
    async def spent() -> None:
        raise QuotaSpent("spent\nto the last")

    @ends_well
    async def broken() -> None:
        raise KamError("broken")

    states: Any = [asyncio.run(spent()), asyncio.run(broken()), ended("receipt", ("left",))]
    assert [(s.name, s.type.value, s.message) for s in states] == [
        ("Partial", "COMPLETED", "spent to the last"),
        ("Failed", "FAILED", "broken"),
        ("Partial", "COMPLETED", "left"),
    ]
    assert ended("receipt", ()) == "receipt"


def test_a_pull_without_calls_ends_with_4_and_the_other_crm_is_read(
    crms: ServedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line on standard error, and the same in the JSON; the next pull has the rest."""
    monkeypatch.setenv("KAM_SALESFORCE__CALL_SHARE", "0.00015")
    told = kam("pull", "--json")
    assert (told.exit_code, told.stderr.count("\n")) == (4, 1)
    salesforce, hubspot = json.loads(told.stdout)
    assert re.fullmatch(r"resumes at \w+(, row [\d,]+)?, with the next run", salesforce["resumes"])
    assert told.stderr.startswith(f"kam: partial: salesforce {salesforce['resumes']}: this run has made 15 of the 15")
    assert {s["state"] for s in salesforce["streams"]} >= {"closed", "not_begun"}
    assert (hubspot["stopped"], hubspot["resumes"]) == (None, None)
    monkeypatch.delenv("KAM_SALESFORCE__CALL_SHARE")
    assert kam("pull", "--crm", "salesforce").exit_code == 0


def test_a_run_neither_scores_nor_writes_what_is_read_in_part(
    crms: ServedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiers would stand on half of the news: it ends after reading, with 4, and says so."""
    assert kam("provision").exit_code == 0
    monkeypatch.setenv("KAM_SALESFORCE__CALL_SHARE", "0.00015")
    told = kam("run", "--json")
    receipt = json.loads(told.stdout)
    assert (told.exit_code, receipt["score"], receipt["write_backs"]) == (4, None, [])
    assert "nothing was scored or written" in told.stderr
    assert receipt["left"][0].startswith("salesforce resumes at")
    shown = kam("plan")
    assert (shown.exit_code, "hubspot" in shown.stdout) == (0, True)
    monkeypatch.setenv("KAM_SALESFORCE__CALL_SHARE", "0.00001")
    spent = kam("plan")
    assert spent.exit_code == 4
    assert spent.stderr.startswith("kam: partial: salesforce: this run has made 1 of the 1 calls")
    assert "hubspot" in spent.stdout


def test_secrets_are_taken_out_of_every_record(caplog: pytest.LogCaptureFixture) -> None:
    """In message, arguments and traceback alike, whatever handler gets the record."""
    hide_secrets(settings_from({"KAM_HUBSPOT__ACCESS_TOKEN": "pat-eu1-s3cr3t"}))
    log = logging.getLogger("test")
    log.error("token %s", "pat-eu1-s3cr3t")
    log.error("failed", exc_info=ValueError("pat-eu1-s3cr3t"))
    assert "s3cr3t" not in caplog.text
    assert caplog.text.count("********") == 2


def test_the_store_password_is_a_secret_too() -> None:
    """As it stands in the address, and as it is typed."""
    settings = settings_from({"KAM_STORE_URL": "postgresql+psycopg://kam:hunter%4022@db/kam"})
    hide_secrets(settings)
    record = logging.getLogRecordFactory()("x", logging.INFO, "f", 1, "hunter%4022 hunter@22", (), None)
    assert record.getMessage() == "******** ********"


def test_the_longest_secret_goes_first() -> None:
    """A secret that begins another one does not leave the rest of it behind."""
    assert scrub("abcdefgh", {"abcdef", "abcdefgh"}) == "********"


def test_numbers_are_written_in_the_way_of_the_language() -> None:
    """1,234.5 in English, 1.234,5 in Spanish, a dash for what is not known."""
    assert (Words("en").number(1234.5, 1), Words("es").number(1234.5, 1)) == ("1,234.5", "1.234,5")
    assert (Words("es").percent(-12.4), Words("en").number(None)) == ("-12 %", "-")


def _scored(name: str, moves: int = 1) -> ScoreReceipt:
    move = TierMove("g", name, "key", "growth", 50.0, "Because.")
    return ScoreReceipt(
        run_id="r",
        as_of=dt.date(2026, 6, 30),
        accounts=2,
        groups=1,
        population=1,
        tiers={"growth": 1},
        moves=(move,) * moves,
        appended=1,
        unavailable_criteria=(),
        counts={},
        seconds=0.1,
    )


@pytest.mark.parametrize("terminal", ["", "1"], ids=["pipe", "terminal"])
def test_names_and_counts_stand_whole_in_80_columns(
    terminal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe has no width, and a line that a terminal breaks is better than a name or a count cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", terminal)
    n, name = 12_345_678, "opportunities > opportunity_stage_event"
    streams = (StreamReceipt(name, True, n, n, n, n, n, n, n, n), StreamReceipt("accounts", is_full=True))
    show_pulled([PullReceipt("hubspot", "1", "Portal", streams, {}, 9, 1.5)])
    text = capsys.readouterr().out
    assert ("\x1b" in text) == bool(terminal)
    assert name in text
    assert "accounts" in text
    assert text.count("12,345,678") == 8
    assert "…" not in text


def test_a_long_name_is_folded_and_keeps_every_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name as long as a CRM allows takes more lines; nothing of it is lost."""
    monkeypatch.setenv("COLUMNS", "80")
    printed(table("Accounts", ("account", "cells"), [("m" * 255, "7")]))
    assert capsys.readouterr().out.count("m") == 255

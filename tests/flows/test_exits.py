"""Text from a CRM, and secrets, on their way out of the program."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from flows.cli.show import printed, show_pulled, table
from flows.escaping import markdown, plain
from flows.logs import hide_secrets, scrub
from flows.report.markdown import MOST_MOVES, applied_page, pulls_page, score_page
from flows.results import ApplyReceipt, PullReceipt, ScoreReceipt, StreamReceipt, TierMove
from flows.settings import settings_from
from flows.steps import unwritten
from flows.words import Words

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
    assert unwritten([receipt]) == "salesforce: 2 cells refused, 3 to be tried again by the next run"
    assert unwritten([ApplyReceipt("p", "salesforce", 10, 0, 1, 0, 4, 1.0)]) is None


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

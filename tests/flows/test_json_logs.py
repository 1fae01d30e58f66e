"""With KAM_LOG_FORMAT=json each log line is an object, with run and CRM, and without secrets."""

from __future__ import annotations

import json
import logging

import pytest

from flows.cli.faults import say
from flows.logs import logged_as, set_up_logging
from flows.settings import settings_from
from tests.flows.kam_command import kam

TOKEN = "pat-canary-0123456789"
HUBSPOT = {"KAM_HUBSPOT__ACCESS_TOKEN": TOKEN}


def lines(capsys: pytest.CaptureFixture[str], log_format: str) -> list[str]:
    logging.root.handlers.clear()
    set_up_logging(settings_from({**HUBSPOT, "KAM_LOG_FORMAT": log_format}))
    log = logging.getLogger("kam.test")
    with logged_as("r1", "hubspot"):
        log.warning("asked with %s\nand more", TOKEN)
    try:
        float(TOKEN)
    except ValueError:
        log.exception("failed")
    return capsys.readouterr().err.splitlines()


def test_each_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = map(json.loads, lines(capsys, "json"))
    assert first["time"].endswith("+00:00")
    del first["time"]
    assert first == {
        "level": "WARNING",
        "logger": "kam.test",
        "message": "asked with ********\nand more",
        "run": "r1",
        "crm": "hubspot",
    }
    assert (second["run"], second["crm"]) == (None, None)
    assert second["trace"].endswith("to float: '********'")


def test_text_is_the_default_form(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, "text")
    assert told[0] == "WARNING kam.test: asked with ********"
    assert TOKEN not in "\n".join(told)


@pytest.mark.parametrize(
    ("arguments", "code", "level", "words"),
    [
        (("status",), 3, "ERROR", "no CRM is configured"),
        (("digest",), 0, "INFO", "No plan has been applied yet"),
    ],
)
def test_what_a_command_says_is_an_object_too(
    arguments: tuple[str, ...], code: int, level: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, like what it logs: whoever collects that reads every line in one way."""
    monkeypatch.setenv("KAM_LOG_FORMAT", "json")
    ended = kam(*arguments)
    (line,) = ended.stderr.splitlines()
    told = json.loads(line)
    assert (ended.exit_code, told["level"], told["logger"], told["run"]) == (code, level, "kam", None)
    assert words in told["message"]
    monkeypatch.setenv("KAM_LOG_FORMAT", "text")
    assert kam(*arguments).stderr.startswith("kam: ")


def test_a_fault_of_the_settings_is_an_object_without_their_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """They could not be read; the variable of the process says how to tell of it."""
    monkeypatch.setenv("KAM_LOG_FORMAT", "json")
    monkeypatch.setenv("KAM_TIMEZONE", "Nowhere/Town")
    ended = kam("status")
    assert ended.exit_code == 3
    assert "KAM_TIMEZONE" in json.loads(ended.stderr)["message"]


def test_a_part_is_a_warning_and_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    lines(capsys, "json")
    say(f"partial: hubspot resumes at calls ({TOKEN})")
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["message"]) == ("WARNING", "partial: hubspot resumes at calls (********)")

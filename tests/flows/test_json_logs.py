"""With KAM_LOG_FORMAT=json each log line is an object, with run and CRM, and without secrets."""

from __future__ import annotations

import json
import logging

import pytest

from flows.logs import logged_as, set_up_logging
from flows.settings import settings_from

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

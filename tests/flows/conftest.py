"""A configured kam with two served CRMs, and an environment without the developer's own variables."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import ServedCompany, serving, two_crms
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book
from flows.log_form import set_form

NOW = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No KAM_ variable from outside, no .env of the working directory, no logging left behind."""
    for name in list(os.environ):
        if name.startswith("KAM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KAM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    make, handlers, level = logging.getLogRecordFactory(), logging.root.handlers[:], logging.root.level
    yield
    logging.setLogRecordFactory(make)
    logging.root.handlers[:], logging.root.level = handlers, level
    set_form(None)


@pytest.fixture
def served() -> Iterator[ServedCompany]:
    """Both CRMs of a small company; our fields are not there yet. Nobody has to wait: the portal states a high limit,
    and a deployment ends at once."""
    clock = Clock(NOW, running=True)
    quick = OrgSettings(deploy_polls=0)
    company = two_crms(seeded_book(40, NOW), clock, org_settings=quick, portal_settings=unhurried())
    with serving(company) as there:
        yield there


@pytest.fixture
def crms(served: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> ServedCompany:
    """The same, and the environment points at them."""
    for name, value in served.environment().items():
        monkeypatch.setenv(name, value)
    return served

"""A rollup as a field of both CRMs: made, written, left alone, emptied once nothing declares it, and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from connectors.contract import Provisioning
from connectors.errors import FieldsNotProvisioned
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import two_crms
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import apply, plan, score, score_day_of
from flows.results import ApplyReceipt
from kammodel.given import Given, read_given
from kammodel.publish.fields import CustomField
from kammodel.rollups.fields import all_fields, field_of
from kammodel.scoring import wanted_values
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN

FILE = """
[[rollup]]
name = "won_amount"
label = { en = "Won ever", es = "Ganado en total" }
over = "opportunities"
level = "account"
operation = "sum"
column = "amount"
filter = [{ column = "status", is = "won" }]
field = true

[[rollup]]
name = "last_kinds"
label = { en = "Last touches", es = "Últimos contactos" }
over = "activities"
operation = "concat"
column = "kind"
filter = [{ column = "is_done", is = true }]
order = [{ column = "day", descending = true }]
top_n = 3
field = { name = "touch_kinds" }
"""
_CRMS = ("salesforce", "hubspot")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "rollups.toml").write_text(FILE, "utf-8")
    return read_given(folder)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    company = two_crms(small_book(40), Clock(NOW), org_settings=OrgSettings(**LEAN))
    folder: Path = tmp_path_factory.mktemp("rolled")
    with office(company, folder) as opened:
        opened.provision()
        opened.pull()
        yield opened


def write(desk: Office, given: Given) -> list[ApplyReceipt]:
    """Scores, plans and applies; then an hour passes."""
    now = desk.clock.now
    score(desk.store, desk.config(), now, given=given)
    for connector in desk.connectors:
        plan(connector, desk.store, desk.config(), now, given=given)
    done = [apply(connector, desk.store, None, now, given=given) for connector in desk.connectors]
    desk.clock.advance(HOUR)
    return done


def held(desk: Office, fields: list[CustomField], crm: str) -> pl.DataFrame:
    connector = next(c for c in desk.connectors if c.name == crm)
    return pl.concat(list(connector.read_fields(fields, desk.accounts(crm)))).sort("source_id")


def test_a_rollups_field_from_its_first_day_to_its_last(desk: Office, given: Given) -> None:
    """One story: each step stands on the one before."""
    fields = [field for rollup in given.rollups if (field := field_of(rollup)) is not None]
    keys = [field.key for field in fields]

    with pytest.raises(FieldsNotProvisioned, match="KAM_Won_Amount__c"):
        write(desk, given)
    for connector in desk.connectors:
        connector.provision(all_fields(given.rollups), "en")
    desk.reconnect()
    first = write(desk, given)
    assert all(receipt.written > 0 == receipt.rejected for receipt in first)
    day = score_day_of(desk.store, desk.config(), given)
    for crm, connector in zip(_CRMS, desk.connectors, strict=True):
        identity = connector.identify()
        wanted = wanted_values(day, identity.source, identity.instance, fields)
        assert held(desk, fields, crm).select("source_id", *keys).equals(wanted)
        assert wanted["won_amount"].n_unique() > 2

    again = write(desk, given)
    assert [receipt.written for receipt in again] == [0, 0]

    without = Given(rollups=given.rollups[1:])
    write(desk, without)
    for crm in _CRMS:
        left = held(desk, fields, crm)
        assert left["won_amount"].null_count() == left.height
        assert left["touch_kinds"].null_count() < left.height
    assert [receipt.written for receipt in write(desk, without)] == [0, 0]

    for connector in desk.connectors:
        assert isinstance(connector, Provisioning)
        names = connector.remove(all_fields(given.rollups), dry_run=False).fields
        assert {"KAM_Won_Amount__c", "kam_won_amount"} & set(names)

"""What moves no change stamp in HubSpot is found all the same: links that changed alone, records that were purged."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from connectors.errors import TryAgainLater
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.rows import UNCLEAR
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from flows.cli.show import show_pulled
from flows.pipeline import pull, sweeping
from flows.report.markdown import pulls_page
from flows.results import PullReceipt, StreamReceipt
from kammodel.entities import Account, AccountPerson, Activity, Opportunity, OpportunityPerson, Person, Sourced
from kammodel.store import Store
from tests.contract.hubspot_world import Front, open_front, portal

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
ALPHA, IBERIA, _, BETA, _, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
DEALS = [str(hubspot_id("deals", n)) for n in range(1, 8)]
CARLA, DAN = (str(hubspot_id("contacts", n)) for n in (1, 2))
LOOK = "/associations/deals/companies/batch/read"
CALL = str(hubspot_id("calls", 1))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@dataclass
class Desk:
    """A store beside a portal; every pull is a new process."""

    front: Front
    there: Portal
    store: Store

    def pull(self, after: dt.timedelta = HOUR, *, full: bool = False) -> PullReceipt:
        self.there.clock.advance(after)
        self.front.faults.log.clear()
        # One call at a time, so that they come in one order.
        settings = HubSpotSettings(base_url=self.front.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=1)
        connector = HubSpotConnector(settings, patience=Patience(sleep=lambda _: None))
        try:
            return pull(connector, self.store, self.there.clock.now, full=full)
        finally:
            connector.close()

    def row(self, entity: type[Sourced], source_id: str) -> dict[str, Any]:
        return self.store.read(entity).filter(pl.col("source_id") == source_id).to_dicts()[0]

    def live(self, entity: type[Sourced]) -> set[str]:
        return set(self.store.read(entity).filter(~pl.col("deleted"))["source_id"])

    def asked(self, path: str) -> int:
        return sum(path in call.path for call in self.front.faults.log)


@pytest.fixture
def desk(front: Front, tmp_path: Path) -> Iterator[Desk]:
    with Store(f"sqlite:///{tmp_path}/kam.db") as store:
        made = Desk(front, front.show(portal()), store)
        made.pull()
        yield made


def of(receipt: PullReceipt, stream: str) -> StreamReceipt:
    return next(s for s in receipt.streams if s.stream == stream)


def test_links_that_change_alone_are_found_within_a_day(desk: Desk) -> None:
    """A deal's company, a company's parent, who took part in a call: no increment shows it, the daily look does."""
    desk.there.associate("deals", DEALS[3], "companies", ALPHA)
    desk.there.dissociate("companies", IBERIA, "companies", ALPHA)
    desk.there.associate("calls", CALL, "contacts", DAN)
    desk.pull()
    assert desk.row(Opportunity, DEALS[3])["account_id"] is None
    assert desk.asked(LOOK) == 0
    receipt = desk.pull(DAY)
    assert desk.row(Opportunity, DEALS[3])["account_id"] == ALPHA
    assert desk.row(Account, IBERIA)["parent_id"] is None
    assert desk.row(Activity, f"call:{CALL}")["person_ids"] == f"{CARLA};{DAN}"
    assert (of(receipt, "opportunities").changed, of(receipt, "accounts").changed) == (1, 1)


def test_the_look_costs_a_call_for_a_thousand_records_and_kind_of_link(desk: Desk) -> None:
    """Where nothing has changed no record is read again; and once a day is enough."""
    receipt = desk.pull(DAY)
    assert desk.asked(LOOK) == 1
    assert desk.asked("/objects/deals/batch/read") == 0
    assert of(receipt, "opportunities").changed == 0
    desk.pull()
    assert desk.asked(LOOK) == 0


def test_persons_links_come_and_go(desk: Desk) -> None:
    """What a person is to a company or in a deal is a row of its own: a link that is taken away ends it."""
    assert desk.live(AccountPerson) == {f"{CARLA}:{ALPHA}", f"{DAN}:{BETA}"}
    desk.there.dissociate("contacts", CARLA, "companies", ALPHA)
    desk.there.associate("contacts", CARLA, "companies", ACME)
    desk.there.associate("deals", DEALS[5], "contacts", CARLA)
    desk.pull(DAY)
    assert desk.live(AccountPerson) == {f"{CARLA}:{ACME}", f"{DAN}:{BETA}"}
    assert f"{DEALS[5]}:{CARLA}" in desk.live(OpportunityPerson)
    desk.there.dissociate("deals", DEALS[5], "contacts", CARLA)
    desk.pull(DAY)
    assert f"{DEALS[5]}:{CARLA}" not in desk.live(OpportunityPerson)


def test_a_link_that_went_with_an_edit_ends_with_the_increment(desk: Desk) -> None:
    """The record came anyway, with all its links: nothing has to wait for the daily look."""
    desk.there.dissociate("contacts", CARLA, "companies", ALPHA)
    desk.there.update("contacts", CARLA, {"jobtitle": "CEO"})
    desk.pull()
    assert desk.live(AccountPerson) == {f"{DAN}:{BETA}"}


def test_the_links_of_a_record_that_is_gone_end_with_it(desk: Desk) -> None:
    """A contact that was merged into another: what it was to companies is now that of the other."""
    desk.there.merge("contacts", DAN, CARLA)
    desk.pull()
    assert CARLA not in desk.live(Person)
    assert desk.row(Person, CARLA)["merged_into_id"] == DAN
    assert {pair.split(":")[0] for pair in desk.live(AccountPerson)} == {DAN}


def test_a_look_that_was_stopped_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portions that were looked at are not looked at again by the next run."""
    monkeypatch.setattr(sweeping, "LINKED_AT_ONCE", 2)
    desk.pull(DAY)
    looks = [n for n, call in enumerate(desk.front.faults.log) if LOOK in call.path]
    assert len(looks) == 3
    desk.there.associate("deals", DEALS[6], "companies", ACME, 5)
    desk.front.faults.at(looks[1], "503", times=6)
    with pytest.raises(TryAgainLater):
        desk.pull(DAY)
    desk.pull()
    assert desk.asked(LOOK) == 2 + 1  # Two portions, and the record that was read again.
    assert desk.row(Opportunity, DEALS[6])["account_id"] == ACME


def test_what_was_purged_is_found_when_ids_are_compared(desk: Desk) -> None:
    """It is in no list and no bin. Once a week all ids are read, a hundred a call; not more often."""
    desk.there.purge("deals", DEALS[5])
    assert of(desk.pull(), "opportunities").gone == 0
    assert DEALS[5] in desk.live(Opportunity)
    assert of(desk.pull(7 * DAY), "opportunities").gone == 1
    assert DEALS[5] not in desk.live(Opportunity)


def test_what_was_never_seen_is_found_when_ids_are_compared(desk: Desk) -> None:
    """A record that no window showed is read by its id."""
    with desk.store.transaction() as tx:
        tx.frame(
            "UPDATE opportunity SET deleted=1 WHERE source_id=:id RETURNING source_id",
            {"source_id": pl.String()},
            id=DEALS[0],
        )
    desk.pull(7 * DAY)
    assert desk.row(Opportunity, DEALS[0])["deleted"] is False


def test_what_was_read_by_a_rule_that_may_surprise_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Which of several companies a deal counts for: on the screen, and on the page of the run; once."""
    deals, companies = desk.there.known("deals"), desk.there.known("companies")
    for other in (BETA, IBERIA):
        desk.there.associations.add(deals, int(DEALS[3]), companies, int(other), ())
    desk.there.update("deals", DEALS[3], {"dealname": "of two"})
    told = desk.pull()
    assert told.notes == {UNCLEAR: 1}
    show_pulled([told])
    assert f"1 {UNCLEAR}" in " ".join(capsys.readouterr().out.split())
    assert f"| hubspot | 1 | {UNCLEAR} |" in pulls_page([told]).replace("\\:", ":")
    assert desk.pull().notes == {}

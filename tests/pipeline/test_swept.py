"""A sweep by itself finds at once what pulls find now and then, reads nothing else, and moves no bookmark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.errors import ConnectorError, PermissionMissing
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from connectors.sandbox.salesforce.ids import salesforce_id
from flows.pipeline.reconciling import reconcile
from flows.pipeline.swept import NOT_READ, Sweeps, sweep
from flows.results import PullReceipt
from kammodel.entities import Account, Activity, Opportunity
from kammodel.store import Store
from kammodel.store.control import bookmarks
from tests.contract.hubspot_world import Front as Portals
from tests.contract.hubspot_world import open_front, portal
from tests.contract.salesforce_connected import HOUR, Front, connected, org
from tests.pipeline.salesforce_desk import LEAN, Desk, of, opened
from tests.pipeline.test_relinking import ALPHA, DEALS, LOOK
from tests.pipeline.test_relinking import Desk as Portal

OLD = "2020-01-01T00:00:00.000+0000"


@pytest.fixture
def desk(front: Front, loaded: Path, tmp_path: Path) -> Iterator[Desk]:
    """An org, an hour after everything was read."""
    with opened(front, tmp_path, org(**LEAN), loaded) as there:
        there.there.clock.advance(HOUR)
        yield there


@pytest.fixture(scope="module")
def portals() -> Iterator[Portals]:
    with open_front() as there:
        yield there


@pytest.fixture
def office(portals: Portals, tmp_path: Path) -> Iterator[Portal]:
    """A portal, from which everything was read."""
    with Store(f"sqlite:///{tmp_path}/kam.db") as store:
        made = Portal(portals, portals.show(portal()), store)
        made.pull()
        yield made


def swept(desk: Desk, what: Sweeps = Sweeps.everything) -> PullReceipt:
    with connected(desk.front) as connector:
        return sweep(connector, desk.store, desk.there.clock.now, of=what)


def swept_there(office: Portal, what: Sweeps) -> PullReceipt:
    office.front.faults.log.clear()
    settings = HubSpotSettings(base_url=office.front.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=1)
    connector = HubSpotConnector(settings, patience=Patience(sleep=lambda _: None))
    try:
        return sweep(connector, office.store, office.there.clock.now, of=what)
    finally:
        connector.close()


def marks(store: Store) -> dict[str, tuple[dt.datetime | None, ...]]:
    with store.transaction() as tx:
        return {one.stream: (one.watermark, one.read_until) for one in bookmarks(tx)}


def test_what_went_and_what_came_unseen_is_found_at_once(desk: Desk) -> None:
    """A week before a pull would look; what merely changed is left to the next pull, whose bookmark stays."""
    gone, late, before = min(desk.there_are("Task")), salesforce_id("00T", 999), marks(desk.store)
    desk.there.purge("Task", gone)
    desk.there.deletions.clear()
    desk.there.load("Task", [{"Id": late, "Subject": "x", "Status": "Completed", "CreatedDate": OLD}])
    account = min(desk.there_are("Account"))
    desk.there.update("Account", account, {"Name": "Renamed"})
    receipt = swept(desk)
    assert (of(receipt, "tasks").gone, of(receipt, "tasks").inserted, receipt.is_partial) == (1, 1, False)
    assert desk.live(Activity) == desk.there_are("Task") | desk.there_are("Event")
    assert desk.row(Account, account)["name"] != "Renamed"
    assert marks(desk.store) == before
    desk.there.clock.advance(HOUR)
    assert of(desk.pull(), "accounts").changed == 1
    assert of(swept(desk), "tasks").gone == 0


def test_access_that_was_lost_is_not_taken_for_deletion(desk: Desk) -> None:
    """As in a pull: nothing is marked where a large part of a stream is not to be seen any more."""
    ids = [salesforce_id("00T", 2000 + n) for n in range(60)]
    now = desk.there.now()
    desk.there.load("Task", [{"Id": i, "Subject": "x", "Status": "Completed", "CreatedDate": now} for i in ids])
    desk.there.clock.advance(HOUR)
    desk.pull()
    before = desk.live(Activity)
    for task in ids:
        desk.there.purge("Task", task)
    with pytest.raises(PermissionMissing, match=r"tasks: 60 of \d+ records"):
        swept(desk)
    assert desk.live(Activity) == before


def test_what_was_never_read_is_left_to_a_pull(front: Front, tmp_path: Path) -> None:
    """All of it would be missing, which is no news."""
    with opened(front, tmp_path, org(**LEAN)) as desk:
        receipt = swept(desk)
        assert {stream.note for stream in receipt.streams} == {NOT_READ}
        assert (receipt.rows, desk.live(Account)) == (0, set())


def test_links_alone_are_looked_at_when_asked(office: Portal) -> None:
    """No ids are compared then; of deletions alone no link is looked at."""
    office.there.associate("deals", DEALS[3], "companies", ALPHA)
    assert not of(swept_there(office, Sweeps.deletions), "opportunities").changed
    assert office.asked(LOOK) == 0
    assert of(swept_there(office, Sweeps.associations), "opportunities").changed == 1
    assert office.row(Opportunity, DEALS[3])["account_id"] == ALPHA
    assert {(one.changed, one.gone) for one in swept_there(office, Sweeps.associations).streams} == {(0, 0)}
    assert office.asked(LOOK) == 1


ODD = ("001-cut", "001000000000001AAZ", "001\u00e9")
"""Cut off, with letters that do not check, and with one that no id has."""


def test_ids_that_no_org_gives_stop_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody has been at the store: the log names the stream, the ids and what to do, and the rest is looked at."""
    true = desk.live(Account)
    with desk.store.transaction() as tx:
        tx.run(
            "INSERT INTO account (source, source_instance, source_id, deleted, synced_at, content_changed_at, "
            "created_at) "
            "SELECT source, source_instance, :id, FALSE, 1, 1, created_at FROM account WHERE source_id=:like",
            [{"id": one, "like": min(true)} for one in ODD],
        )
    gone = min(desk.there_are("Task"))
    desk.there.purge("Task", gone)
    with connected(desk.front) as connector, caplog.at_level("WARNING"):
        found = list(connector.read_fields((), [min(true), *ODD]))
        told = reconcile(connector, desk.store, desk.there.clock.now)
    assert [frame["source_id"].to_list() for frame in found] == [[min(true)]]
    (accounts,) = [one for one in told.windows if one.stream == "accounts"]
    assert (accounts.verdict, accounts.wrong, accounts.absent) == ("ok", 0, 3)
    assert "salesforce accounts: 3 ids in the store are none that this CRM gives ('001-cut', " in caplog.text
    assert "kam sweep --of deletions --crm salesforce" in caplog.text
    swept(desk, Sweeps.deletions)
    assert desk.live(Account) == true
    assert gone not in desk.live(Activity)


def test_what_stops_a_sweep_says_in_which_stream(desk: Desk) -> None:
    """Of the ids that it compares there is no answer, as often as they are asked for."""
    desk.front.faults.on_path("/queryAll", "503", times=60)
    with pytest.raises(ConnectorError, match=r"^salesforce \w+: .*503"):
        swept(desk, Sweeps.deletions)


def test_ids_that_no_portal_gives_stop_nothing_either(office: Portal, caplog: pytest.LogCaptureFixture) -> None:
    """They go with the next comparison of ids; what is there stays."""
    with office.store.transaction() as tx:
        before = tx.live_ids(Account, source="hubspot", instance="145000001")
        tx.run(
            "INSERT INTO account (source, source_instance, source_id, deleted, synced_at, content_changed_at) "
            "SELECT source, source_instance, :id, FALSE, 1, 1 FROM account WHERE source_id=:like",
            [{"id": "12-cut", "like": before[0]}],
        )
    with caplog.at_level("WARNING"):
        swept_there(office, Sweeps.deletions)
    assert "hubspot accounts: 1 ids in the store are none that this CRM gives ('12-cut')" in caplog.text
    with office.store.transaction() as tx:
        after = tx.live_ids(Account, source="hubspot", instance="145000001")
    assert (set(after), after.len()) == (set(before), before.len())
    assert before.len() > 0

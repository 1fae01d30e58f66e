"""Pages of the Salesforce sandbox's queries: every row once, cursors that live two days, the bin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from connectors.sandbox.salesforce.ids import salesforce_id
from tests.contract.salesforce_client import code, signed_in
from tests.contract.salesforce_small_org import BETA, GONE, Desk, open_desk, small_org


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def test_pages_hold_every_row_once(desk: Desk) -> None:
    """simple-salesforce follows the links; pages may be smaller than asked."""
    org = desk.show(small_org(query_page_rows=2))
    for n in range(5):
        org.create("Account", {"Name": f"n{n}"})
    with signed_in(desk.url) as sf:
        names = [record["Name"] for record in sf.query_all_iter("SELECT Name FROM Account ORDER BY Id")]
    assert names == ["Acme", 'beta\'s "best"', "n0", "n1", "n2", "n3", "n4"]
    assert desk.app is not None
    assert desk.app.sessions.used() == 4


def test_a_page_is_the_same_when_asked_again(desk: Desk) -> None:
    """A cursor holds ids, not values: a changed row comes changed, a purged one is missing, the total stays."""
    org = desk.show(small_org(query_page_rows=1))
    first = desk.get("query", q="SELECT Name FROM Account ORDER BY Id")
    assert (first["totalSize"], first["done"], len(first["records"])) == (2, False, 1)
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    link = first["nextRecordsUrl"].removeprefix("/services/data/v66.0/")
    org.update("Account", BETA, {"Name": "Beta"})
    pages = [desk.get(link) for _ in range(2)]
    assert pages[0] == pages[1]
    assert (pages[0]["done"], [record["Name"] for record in pages[0]["records"]]) == (True, ["Beta"])
    org.purge("Account", BETA)
    assert (desk.get(link)["records"], desk.get(link)["totalSize"]) == ([], 2)


def test_a_cursor_lives_two_days(desk: Desk) -> None:
    """Then, as for one that never was: INVALID_QUERY_LOCATOR."""
    org = desk.show(small_org(query_page_rows=1))
    link = desk.get("query", q="SELECT Id FROM Account")["nextRecordsUrl"].removeprefix("/services/data/v66.0/")
    org.clock.advance(dt.timedelta(days=2))
    for path in (link, "query/0r8000000000000AAA-5"):
        answer = desk.call("GET", path)
        assert (answer.status_code, code(answer.json())) == (400, "INVALID_QUERY_LOCATOR")


def test_a_batch_size_is_kept_between_200_and_2000(desk: Desk) -> None:
    """Sforce-Query-Options; asking for less gives 200."""
    org = desk.show(small_org())
    org.load("Contact", [{"Id": salesforce_id("003", n), "LastName": "x"} for n in range(100, 2400)])
    for asked, got in (("batchSize=5", 200), ("batchSize=500", 500), ("batchSize=9999", 2000)):
        answer = desk.call(
            "GET", "query", params={"q": "SELECT Id FROM Contact"}, headers={"Sforce-Query-Options": asked}
        )
        assert len(answer.json()["records"]) == got


def test_query_all_shows_the_bin(desk: Desk) -> None:
    """By simple-salesforce's include_deleted."""
    desk.show(small_org())
    with signed_in(desk.url) as sf:
        records = sf.query("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [record["Id"] for record in records] == [GONE]

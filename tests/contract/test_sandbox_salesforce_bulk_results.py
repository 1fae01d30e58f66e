"""Results of the sandbox org's bulk query jobs: pages, whose they are, and the dialect of their CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import requests

from connectors.sandbox.salesforce.settings import ADMIN_CLIENT_ID, ADMIN_CLIENT_SECRET
from tests.contract.salesforce_bulk_desk import asked, bulk_org, done, page, refusal, rows
from tests.contract.salesforce_small_org import ACME, LATER, OPEN, Desk, open_desk

NAMES = "SELECT Name FROM Account ORDER BY Name"
IDS = "SELECT Id FROM Account"
ADMIN = {"client_id": ADMIN_CLIENT_ID, "client_secret": ADMIN_CLIENT_SECRET}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as there:
        yield there


# Results.


def test_pages_go_by_locator(desk: Desk) -> None:
    """Which is opaque, can be asked for again, and ends with the word null."""
    desk.show(bulk_org(accounts=3))
    job_id = done(desk, NAMES)
    locator, read, counts = "", [], []
    while locator != "null":
        params = {"maxRecords": "2"} | ({"locator": locator} if locator else {})
        got = page(desk, job_id, **params)
        assert got.text == page(desk, job_id, **params).text
        header, *body = rows(got.text)
        assert header == ["Name"]
        read += body
        counts.append(int(got.headers["Sforce-NumberOfRecords"]))
        locator = got.headers["Sforce-Locator"]
    assert counts == [2, 2, 1]
    assert [row[0][:4] for row in read] == ["Acme", "beta", "n000", "n001", "n002"]


@pytest.mark.parametrize("locator", ["x", "OTk5", "MQ==", "null"])
def test_a_locator_that_was_not_given_is_refused(desk: Desk, locator: str) -> None:
    """Beyond the end, with padding, or no locator at all."""
    desk.show(bulk_org())
    assert refusal(page(desk, done(desk, IDS), locator=locator)) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_page_has_at_least_one_row(desk: Desk, count: str) -> None:
    """Whatever else is asked is refused."""
    desk.show(bulk_org())
    assert refusal(page(desk, done(desk, IDS), maxRecords=count)) == (400, "API_ERROR")


def test_pages_may_be_smaller_than_asked(desk: Desk) -> None:
    """The count is that of the page."""
    desk.show(bulk_org(page_rows_at_most=1))
    got = page(desk, done(desk, IDS), maxRecords="50000")
    assert (got.headers["Sforce-NumberOfRecords"], got.headers["Sforce-Locator"]) == ("1", "MQ")


@pytest.mark.parametrize("key", ["nextRecordsUrl", "nextRecordUrl"])
def test_result_pages_are_listed_five_at_once(desk: Desk, key: str) -> None:
    """To be fetched side by side; together they are all rows."""
    desk.show(bulk_org(accounts=10, page_rows=2, next_pages_key=key))
    job_id = done(desk, NAMES)
    first = desk.get(f"jobs/query/{job_id}/resultPages")
    second = desk.session.get(desk.url + first[key], timeout=30).json()
    assert (len(first["resultPages"]), first["done"]) == (5, False)
    assert (len(second["resultPages"]), second["done"], key in second) == (1, True, False)
    read = []
    for one in first["resultPages"] + second["resultPages"]:
        read += rows(desk.session.get(desk.url + one["resultUrl"], timeout=30).text)[1:]
    assert len(read) == 12
    assert read == rows(page(desk, job_id, maxRecords="100").text)[1:]


def test_result_pages_came_with_version_58(desk: Desk) -> None:
    """Before, the path is not there."""
    desk.show(bulk_org())
    desk.version = "v57.0"
    answer = desk.call("GET", f"jobs/query/{done(desk, IDS)}/resultPages")
    desk.version = "v66.0"
    assert refusal(answer) == (404, "NOT_FOUND")


def test_results_belong_to_one_version_and_one_user(desk: Desk) -> None:
    """409 under another version, InvalidUser for another user, who may abort if he manages integrations."""
    org = desk.show(bulk_org())
    job_id, running = done(desk, IDS), asked(desk, IDS).json()["id"]
    desk.version = "v65.0"
    assert page(desk, job_id).status_code == 409
    desk.version = "v66.0"
    mine = desk.session.headers["Authorization"]
    desk.session.headers["Authorization"] = f"Bearer {desk.token(**ADMIN).json()['access_token']}"
    assert refusal(page(desk, job_id)) == (400, "INVALIDUSER")
    assert desk.call("PATCH", f"jobs/query/{running}", json={"state": "Aborted"}).status_code == 200
    own = asked(desk, IDS).json()["id"]
    desk.session.headers["Authorization"] = mine
    org.settings.permissions = frozenset({"ApiEnabled"})
    assert refusal(desk.call("PATCH", f"jobs/query/{own}", json={"state": "Aborted"})) == (400, "INVALIDUSER")


def test_a_job_is_gone_after_seven_days(desk: Desk) -> None:
    """With its results."""
    org = desk.show(bulk_org())
    job_id = done(desk, IDS)
    org.clock.advance(dt.timedelta(days=7) - LATER)
    assert page(desk, job_id).status_code == 200
    org.clock.advance(LATER)
    assert refusal(page(desk, job_id)) == (404, "NOT_FOUND")
    assert desk.get("jobs/query")["records"] == []


# The dialect.


def test_values_have_the_dialect_of_bulk(desk: Desk) -> None:
    """Instants in Z, booleans in words, doubles as Java writes them, null empty between quotes."""
    org = desk.show(bulk_org())
    org.update("Account", ACME, {"AnnualRevenue": 912260031, "NumberOfEmployees": 47, "Site": "a\nb, Žižek"})
    fields = "Name, AnnualRevenue, NumberOfEmployees, Site, Industry, IsDeleted, SystemModstamp, ParentId"
    got = page(desk, done(desk, f"SELECT {fields} FROM Account WHERE Id = '{ACME}'"))
    assert got.content.decode().split("\n", 1)[1] == (
        '"Acme","9.12260031E8","47","a\nb, Žižek","Retail","false","2026-05-01T12:00:00.000Z",""\n'
    )
    deals = rows(page(desk, done(desk, "SELECT Amount, CloseDate FROM Opportunity ORDER BY Id")).text)
    assert deals == [["Amount", "CloseDate"], ["100.0", "2026-06-30"], ["250.5", "2026-06-30"]]


@pytest.mark.parametrize(
    ("value", "e_notation", "text"),
    [
        (0, True, "0.0"),
        (-9_999_999.5, True, "-9999999.5"),
        (10_000_000, True, "1.0E7"),
        (-12_345_678.9, True, "-1.23456789E7"),
        (12_345_678.9, False, "12345678.9"),
        (10_000_000, False, "10000000.0"),
    ],
)
def test_large_doubles_may_have_an_exponent(desk: Desk, value: float, e_notation: bool, text: str) -> None:
    """From ten million on, or never."""
    org = desk.show(bulk_org(e_notation=e_notation))
    org.update("Opportunity", OPEN, {"Amount": value})
    got = page(desk, done(desk, f"SELECT Amount FROM Opportunity WHERE Id = '{OPEN}'"))
    assert rows(got.text)[1] == [text]


def test_open_points_of_the_dialect_are_knobs(desk: Desk) -> None:
    """Null without quotes, whole numbers with a point, a type without charset."""
    org = desk.show(bulk_org(null_cell="", whole_numbers_as_doubles=True, charset=False))
    org.update("Account", ACME, {"NumberOfEmployees": 47})
    got = page(desk, done(desk, "SELECT ParentId, NumberOfEmployees, Industry FROM Account ORDER BY Name"))
    assert got.text == f'"ParentId","NumberOfEmployees","Industry"\n,"47.0","Retail"\n"{ACME}",,\n'
    assert got.headers["Content-Type"] == "text/csv"


def test_lines_end_and_values_part_as_asked(desk: Desk) -> None:
    """A line break inside of a value stays what it is; the header names fields and not what was typed."""
    org = desk.show(bulk_org())
    org.update("Account", ACME, {"Description": "a\nb\r\nc"})
    soql = f"SELECT id, DESCRIPTION, owner.name, account.parent.owner.name FROM Account WHERE Id = '{ACME}'"
    got = page(desk, done(desk, soql, lineEnding="CRLF", columnDelimiter="PIPE"))
    assert got.content == (
        f'"Id"|"Description"|"Owner.Name"|"Parent.Owner.Name"\r\n"{ACME}"|"a\nb\r\nc"|"Ann Lee"|""\r\n'.encode()
    )
    assert got.headers["Content-Type"] == "text/csv; charset=UTF-8"


@pytest.mark.parametrize(
    ("counted", "headed", "count", "text"),
    [(True, True, "0", '"Id"\n'), (False, True, None, '"Id"\n'), (True, False, "0", ""), (False, False, None, "")],
)
def test_a_result_without_rows(desk: Desk, counted: bool, headed: bool, count: str | None, text: str) -> None:
    """With or without a count, with or without a header row; null ends it in any case."""
    desk.show(bulk_org(count_of_no_rows=counted, header_of_no_rows=headed))
    got = page(desk, done(desk, f"{IDS} WHERE Name = 'none'"))
    assert (got.headers.get("Sforce-NumberOfRecords"), got.text) == (count, text)
    assert got.headers["Sforce-Locator"] == "null"


# Faults of the transport.


def test_results_come_packed_and_may_stop_in_the_middle(desk: Desk) -> None:
    """Packed or not: the client sees a broken answer, and the same page is whole the next time."""
    desk.show(bulk_org(accounts=200))
    job_id = done(desk, IDS)
    whole = page(desk, job_id)
    assert whole.headers["Content-Encoding"] == "gzip"
    for encoding in ("gzip", "identity"):
        desk.faults.on_path("/results", "truncated")
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
            desk.call("GET", f"jobs/query/{job_id}/results", headers={"Accept-Encoding": encoding})
        assert page(desk, job_id).text == whole.text


def test_a_job_that_was_made_without_an_answer_is_found_in_the_list(desk: Desk) -> None:
    """The connection broke after it was made."""
    desk.show(bulk_org())
    desk.faults.on_path("POST", "dropped_after")
    with pytest.raises(requests.exceptions.ConnectionError):
        asked(desk, IDS)
    assert [job["state"] for job in desk.get("jobs/query")["records"]] == ["UploadComplete"]

"""The Salesforce connector and the calls of the day: its share, what is left to others, and what goes out anyhow."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import responses
from pydantic import SecretStr

from connectors.contract import AccountWrite, Slice
from connectors.errors import QuotaSpent, RequestRefused
from connectors.retry import Patience
from connectors.salesforce.client import Client
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned, write

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v66.0"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@contextmanager
def client_of(url: str, **settings: float) -> Iterator[Client]:
    given = {"instance_url": url, "client_id": CLIENT_ID, "client_secret": SecretStr(CLIENT_SECRET)}
    client = Client(SalesforceSettings(**{**given, **settings}), Patience(sleep=lambda _: None))
    try:
        yield client
    finally:
        client.close()


def calls_until_spent(client: Client) -> int:
    """How often the smallest of queries could be asked."""
    for asked in range(10_000):
        try:
            client.get("/query", {"q": "SELECT Id FROM Account LIMIT 1"})
        except QuotaSpent:
            return asked
    raise AssertionError("nothing ends it")


def test_a_run_makes_no_more_calls_than_its_share(front: Front) -> None:
    """A quarter of 100: as many come in, and the next one does not even go out."""
    front.show(org(daily_api_requests=100))
    with client_of(front.url) as client:
        assert calls_until_spent(client) == 25
        assert front.asked("GET /services/data/") == client.calls.read == 25


@pytest.mark.parametrize(("before", "between", "made"), [(0, 0, 80), (70, 0, 10), (80, 0, 1), (0, 3, 20), (61, 3, 5)])
def test_the_reserve_is_left_to_others(front: Front, before: int, between: int, made: int) -> None:
    """80 of 100 are spent at most by all together, those that others make meanwhile included; never more by us."""
    front.show(org(daily_api_requests=100, calls_of_others=before, others_between_calls=between))
    with client_of(front.url, call_share=1.0) as client:
        assert calls_until_spent(client) == made
        assert client.calls_left == 100 - before - made * (between + 1)


def test_a_refused_call_tells_of_the_day_as_well(front: Front) -> None:
    """What a call was answered does not matter for what it says of the calls left."""
    front.show(org(daily_api_requests=100, calls_of_others=90))
    with client_of(front.url) as client:
        with pytest.raises(RequestRefused):
            client.get("/query", {"q": "SELECT Nothing FROM Account"})
        with pytest.raises(QuotaSpent, match="KAM_SALESFORCE__CALL_RESERVE"):
            client.get("/query", {"q": "SELECT Id FROM Account LIMIT 1"})


def test_a_repeated_call_is_two(front: Front) -> None:
    """What is lost on the way, or answered by an edge, may have been counted: it is spent."""
    front.show(org(daily_api_requests=100))
    front.faults.on_path("/query", "503", times=3)
    with client_of(front.url) as client:
        assert calls_until_spent(client) == 22


def test_what_is_ours_is_taken_away_with_no_calls_left(front: Front) -> None:
    """Results of jobs would otherwise fill the org's room for days."""
    front.show(org(daily_api_requests=100))
    with client_of(front.url) as client:
        calls_until_spent(client)
        client.delete(f"/sobjects/Account/{salesforce_id('001', 999_999)}")
        assert front.asked("DELETE") == 1


def test_signing_in_is_no_call_of_the_day(front: Front) -> None:
    """A session that ends on the last call allowed is renewed, and the call repeated only if there is one left."""
    front.show(org(daily_api_requests=100, session_calls=10))
    with client_of(front.url) as client:
        # Every tenth call finds its session ended, and is made twice.
        assert calls_until_spent(client) == 23
        assert front.asked("GET /services/data/") == 25
        assert front.asked("POST /services/oauth2/token") == 3


def test_a_stream_stops_with_what_was_read(front: Front) -> None:
    """Rows that calls were spent on come, with the place after them, before the fault does."""
    there = front.show(org(query_page_rows=2))
    with connected(front) as connector:
        accounts = next(s for s in connector.streams() if s.name == "accounts")
        span = Slice(None, there.clock.now() + dt.timedelta(hours=1))
        before = connector.calls.total - 1
        whole = [page.raw["account"] for page in connector.read(accounts, span)]
    assert whole[0].height > 4
    limit = (before + 2) * 4
    front.show(org(query_page_rows=2, daily_api_requests=limit))
    with connected(front) as connector:
        pages = connector.read(next(s for s in connector.streams() if s.name == "accounts"), span)
        first = next(pages)
        with pytest.raises(QuotaSpent):
            next(pages)
    assert first.raw["account"].height == 4
    assert first.resume is not None
    front.app.org.settings.daily_api_requests = 100_000  # type: ignore[union-attr]
    with connected(front) as connector:
        rest = connector.read(next(s for s in connector.streams() if s.name == "accounts"), span, first.resume)
        ids = [i for page in (first, *rest) for i in page.raw["account"]["Id"]]
    assert ids == whole[0]["Id"].to_list()


def test_rows_that_were_taken_are_told_though_locked_ones_cannot_be_tried_again(front: Front) -> None:
    """The batch has its outcomes, the locked row to be tried again; the next batch is not sent."""
    there = provisioned(front)
    locked, *others = (record["Id"] for record in there.records("Account") if not record["IsDeleted"])
    there.settings.locked_rows = {locked: 99}
    with connected(front) as connector:
        connector.identify()
        there.settings.daily_api_requests = 4 * connector.calls.total
        writes = [AccountWrite(i, {"score": "50.0"}) for i in (locked, *others)]
        outcomes = write(connector, *writes)
        assert {o.outcome for i, o in outcomes.items() if i != locked} == {"written"}
        assert (outcomes[locked].outcome, outcomes[locked].code) == ("retry", "UNABLE_TO_LOCK_ROW")
        assert front.asked("PATCH") == 1
        with pytest.raises(QuotaSpent):
            write(connector, *writes)


@pytest.mark.parametrize(
    "told",
    [
        "api-usage=10/100",
        "api-usage=10/100; per-app-api-usage=17/18(appName=kam)",
        "per-app-api-usage=17/18(appName=kam); api-usage=10/100",
    ],
)
def test_the_org_s_calls_are_not_those_of_one_app(told: str) -> None:
    """The header may tell of both, in any order; all that matters is the first."""
    with responses.RequestsMock() as wire, client_of(HOST) as client:
        wire.post(f"{HOST}/services/oauth2/token", json={"access_token": "00D!token", "instance_url": HOST})
        wire.get(f"{DATA}/query", json={"records": []}, headers={"Sforce-Limit-Info": told})
        client.get("/query")
        assert client.calls_left == 90


@pytest.mark.parametrize("told", ["", "api-usage=", "api-usage=x/y", "api-usage=5/0"])
def test_an_answer_that_does_not_tell_is_no_limit(told: str) -> None:
    """Nothing is known then, and nothing refused."""
    with responses.RequestsMock() as wire, client_of(HOST) as client:
        wire.post(f"{HOST}/services/oauth2/token", json={"access_token": "00D!token", "instance_url": HOST})
        wire.get(f"{DATA}/query", json={"records": []}, headers={"Sforce-Limit-Info": told})
        for _ in range(5):
            client.get("/query")
        assert client.calls.read == 5

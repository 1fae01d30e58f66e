"""How the Salesforce connector reads: queries, pages, places, and what describe leaves of a mapping."""

import datetime as dt
from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson
import pytest
import responses

from connectors.contract import Slice
from connectors.errors import PermissionMissing, ShortAnswer, SliceLost, UnexpectedAnswer
from connectors.retry import Patience
from connectors.salesforce.catalogue import objects
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.org import Describes
from connectors.salesforce.querying import Place, read_rows
from connectors.salesforce.settings import SalesforceSettings

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v66.0"
UNTIL = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{HOST}/services/oauth2/token", json={"access_token": "t", "id": f"{HOST}/id/00D000000000001/005x"})
        # An org that does not take several describes in one call gives each by itself.
        mock.post(f"{DATA}/composite/batch", status=403, json=[{"errorCode": "INSUFFICIENT_ACCESS", "message": ""}])
        yield mock


@pytest.fixture
def connector() -> Iterator[SalesforceConnector]:
    settings = SalesforceSettings(instance_url=HOST, client_id="k", client_secret="s")
    held = SalesforceConnector(settings, patience=Patience(tries=2, sleep=lambda _: None))
    yield held
    held.close()


def describe(wire: responses.RequestsMock, kind: str, *names: str) -> None:
    wire.get(f"{DATA}/sobjects/{kind}/describe", json={"fields": [{"name": name} for name in names]})


_NUMBERS = count()
"""No record comes on two pages."""


def page(rows: int, *, total: int | None, link: str | None = None, **changes: Any) -> dict[str, Any]:
    records = [{"attributes": {}, "Id": f"001{next(_NUMBERS):015}"} for _ in range(rows)]
    answer = {"totalSize": total, "done": link is None, "records": records, "nextRecordsUrl": link}
    return {k: v for k, v in (answer | changes).items() if v is not None}


def test_pages_are_followed_and_counted(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Each page states the place after it; the last has none."""
    wire.get(f"{DATA}/queryAll", json=page(2, total=3, link="/services/data/v66.0/query/0r8-2"))
    wire.get(f"{DATA}/query/0r8-2", json=page(1, total=3))
    pages = list(read_rows(connector._client, "SELECT Id FROM Account"))
    assert [len(p.records) for p in pages] == [2, 1]
    assert [p.place for p in pages] == [Place("/services/data/v66.0/query/0r8-2", 2, 3), Place(None, 3, 3)]
    asked = wire.calls[1].request
    assert asked.headers["Sforce-Query-Options"] == "batchSize=2000"


def test_place_survives_a_restart(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Going on from a place asks for the rest only, and still proves the whole."""
    wire.get(f"{DATA}/query/0r8-2", json=page(1, total=3))
    place = Place("/services/data/v66.0/query/0r8-2", 2, 3).text()
    (rest,) = read_rows(connector._client, "SELECT Id FROM Account", place)
    assert rest.place == Place(None, 3, 3)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (page(2, total=3), ShortAnswer),
        (page(2, total=3, done=False), ShortAnswer),
        (page(2, total=None, done="false"), ShortAnswer),
        (page(1, total=1, records="none"), UnexpectedAnswer),
        (page(1, total=1, records=[1]), UnexpectedAnswer),
        (page(1, total=9, link="https://evil.example/x"), UnexpectedAnswer),
        (page(1, total=9, link="/services/data/v66.0/queryAll"), UnexpectedAnswer),
    ],
)
def test_short_lists_do_not_look_whole(
    wire: responses.RequestsMock, connector: SalesforceConnector, answer: dict[str, Any], fault: type[Exception]
) -> None:
    """Fewer rows than announced, more without a link, a link in a circle or to elsewhere end the slice."""
    wire.get(f"{DATA}/queryAll", json=answer)
    with pytest.raises(fault):
        list(read_rows(connector._client, "SELECT Id FROM Account"))


def test_no_rows_are_asked_for_twice(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """No rows counts when it is said twice, or may well be so; rows that come the second time are the answer."""
    none, some = page(0, total=0), page(2, total=2)
    for answer in (none, some, none, none, none):
        wire.get(f"{DATA}/queryAll", json=answer)
    client, query = connector._client, "SELECT Id FROM Task"
    found = [list(read_rows(client, query, may_be_empty=may_be)) for may_be in (False, False, True)]
    assert [[len(p.records) for p in pages] for pages in found] == [[2], [0], [0]]
    assert len([call for call in wire.calls if "queryAll" in str(call.request.url)]) == 5


def test_totals_may_be_absent(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Without a total there is nothing to prove, and an answer without `done` and link is the last."""
    wire.get(f"{DATA}/queryAll", json={"records": [{"Id": "001"}]})
    (only,) = read_rows(connector._client, "SELECT Id FROM Account")
    assert only.place == Place(None, 1, None)


@pytest.mark.parametrize("code", ["INVALID_QUERY_LOCATOR", "NOT_FOUND"])
def test_forgotten_place_is_told(wire: responses.RequestsMock, connector: SalesforceConnector, code: str) -> None:
    """A locator that has expired means: this slice from its start."""
    status = 404 if code == "NOT_FOUND" else 400
    wire.get(f"{DATA}/query/0r8-2", status=status, json=[{"errorCode": code, "message": ""}])
    wire.get(f"{HOST}/services/data", json=[{"version": "66.0"}])
    place = Place("/services/data/v66.0/query/0r8-2", 2, 3).text()
    with pytest.raises(SliceLost):
        list(read_rows(connector._client, "SELECT Id FROM Account", place))


def test_place_that_gets_lost_under_way_is_begun_again(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """The query is made once more, and its rows come again; a second loss is told."""
    lost = {"status": 400, "json": [{"errorCode": "INVALID_QUERY_LOCATOR", "message": ""}]}
    link = "/services/data/v66.0/query/0r8-2"
    wire.get(f"{DATA}/queryAll", json=page(2, total=3, link=link))
    wire.get(HOST + link, **lost)
    wire.get(HOST + link, json=page(1, total=3))
    pages = list(read_rows(connector._client, "SELECT Id FROM Account"))
    assert [(len(p.records), p.place.rows) for p in pages] == [(2, 2), (2, 2), (1, 3)]
    wire.replace("GET", HOST + link, **lost)
    with pytest.raises(SliceLost):
        list(read_rows(connector._client, "SELECT Id FROM Account"))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"link": 1}', '{"other": 1}', '{"link": null, "rows": 1}'])
def test_foreign_places_are_refused(connector: SalesforceConnector, text: str) -> None:
    """What this connector did not write is no place."""
    with pytest.raises(SliceLost):
        list(read_rows(connector._client, "SELECT Id FROM Account", text))


def org(wire: responses.RequestsMock, *, without: tuple[str, ...] = (), currencies: bool = False) -> None:
    """A small org as describe shows it; what is left out is answered with 404."""
    more = ("CurrencyIsoCode",) if currencies else ()
    kinds = {
        "Organization": ("Id", "Name", "DefaultCurrencyIsoCode", "TimeZoneSidKey"),
        "Account": ("Id", "Name", "SystemModstamp", "IsDeleted", *more),
        "Opportunity": ("Id", "AccountId", "StageName", "IsClosed", "IsWon", "CloseDate", "SystemModstamp", *more),
        "OpportunityHistory": ("Id", "OpportunityId", "CreatedDate", "StageName", "IsDeleted"),
        "OpportunityStage": ("Id", "MasterLabel", "ApiName", "IsClosed", "IsWon"),
        "User": ("Id", "Name", "SystemModstamp"),
        "Task": ("Id", "IsClosed", "ActivityDate", "SystemModstamp"),
        **({"CurrencyType": ("IsoCode", "ConversionRate", "IsCorporate")} if currencies else {}),
        **({"DatedConversionRate": ("IsoCode", "StartDate", "ConversionRate")} if currencies else {}),
    }
    for kind in {*objects(), *kinds}:
        if kind in kinds and kind not in without:
            describe(wire, kind, *kinds[kind])
        else:
            gone = [{"errorCode": "NOT_FOUND", "message": ""}]
            wire.get(f"{DATA}/sobjects/{kind}/describe", status=404, json=gone)
    wire.get(f"{HOST}/services/data", json=[{"version": "66.0"}])


def answer(wire: responses.RequestsMock, query: str, *records: dict[str, Any], path: str = "query") -> None:
    body = {"totalSize": len(records), "done": True, "records": list(records)}
    wire.get(f"{DATA}/{path}", json=body, match=[responses.matchers.query_param_matcher({"q": query})])


ORGANIZATION = {
    "Id": "00D000000000001",
    "Name": "Acme",
    "DefaultCurrencyIsoCode": "EUR",
    "TimeZoneSidKey": "Europe/Madrid",
}
ASKS_WHO = "SELECT Id,Name,DefaultCurrencyIsoCode,TimeZoneSidKey FROM Organization"
ASKS_STAGES = "SELECT Id,MasterLabel,IsClosed,IsWon,ApiName FROM OpportunityStage"
WON = {"Id": "01J1", "MasterLabel": "Gewonnen", "ApiName": "Won", "IsClosed": True, "IsWon": True}


def test_what_is_missing_is_cut_and_told(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """An object that is not there costs its stream, a hidden field its column, a feature that is off nothing."""
    org(wire)
    answer(wire, ASKS_WHO, ORGANIZATION)
    answer(wire, ASKS_STAGES, WON)
    streams = {s.name: s for s in connector.streams()}
    assert list(streams) == ["users", "pipeline_stages", "accounts", "opportunities", "opportunity_history", "tasks"]
    told = connector.unavailable()
    assert "events" in told
    assert told["accounts.KAM_Tier_Override__c"].endswith("run kam provision")
    assert "field-level security" in told["opportunities.Amount"]
    assert not {"accounts.HubSpot_Company_Id__c", "accounts.CurrencyIsoCode", "exchange_rates"} & set(told)
    assert not streams["pipeline_stages"].incremental
    assert connector.identify().currency == "EUR"
    assert connector.identify().instance == "00D000000000001EAA"


def test_accounts_are_needed(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Without the object Account there is nothing to do, and that is an error at once."""
    org(wire, without=("Account",))
    answer(wire, ASKS_WHO, ORGANIZATION)
    with pytest.raises(Exception, match="Account"):
        connector.streams()


def test_hidden_account_link_costs_the_stream(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Opportunities without their account would all be orphans: the stream is left out, and the field named."""
    describe(wire, "Opportunity", "Id", "StageName", "IsClosed", "IsWon", "CloseDate")
    org(wire, without=("Opportunity",))
    answer(wire, ASKS_WHO, ORGANIZATION)
    answer(wire, ASKS_STAGES, WON)
    assert "opportunities" not in {s.name for s in connector.streams()}
    assert "Opportunity.AccountId" in connector.unavailable()["opportunities"]


def test_increment_asks_for_its_window_and_history_gets_its_status(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """Deleted rows are asked for too; a snapshot's stage is explained by the stages, whatever its label."""
    org(wire)
    answer(wire, ASKS_WHO, ORGANIZATION)
    answer(wire, ASKS_STAGES, WON)
    query = (
        "SELECT Id,CreatedDate,IsDeleted,OpportunityId,StageName FROM OpportunityHistory "
        "WHERE CreatedDate >= 2026-02-01T00:00:00Z AND CreatedDate < 2026-03-01T00:00:00Z"
    )
    rows = [{"Id": f"008{n}", "OpportunityId": None, "StageName": s} for n, s in enumerate(["Won", "Unknown"])]
    answer(wire, query, *rows, path="queryAll")
    (stream,) = (s for s in connector.streams() if s.name == "opportunity_history")
    (only,) = connector.read(stream, Slice(dt.datetime(2026, 2, 1, tzinfo=dt.UTC), UNTIL))
    assert only.raw["opportunity_stage_event"]["@status"].to_list() == ["won", None]
    assert (only.resume, only.announced) == (None, 2)


def test_large_answers_come_in_batches(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """About ten thousand rows a page, each with the place to go on from."""
    org(wire)
    answer(wire, ASKS_WHO, ORGANIZATION)
    answer(wire, ASKS_STAGES, WON)
    links = [f"/services/data/v66.0/query/0r8-{n}" for n in range(1, 7)]
    wire.get(f"{DATA}/queryAll", body=orjson.dumps(page(2000, total=13_000, link=links[0])))
    for number, link in enumerate(links):
        following = links[number + 1] if number < 5 else None
        wire.get(HOST + link, body=orjson.dumps(page(2000 if following else 1000, total=13_000, link=following)))
    (stream,) = (s for s in connector.streams() if s.name == "accounts")
    first, last = connector.read(stream, Slice(None, UNTIL))
    assert (first.raw["account"].height, last.raw["account"].height) == (10_000, 3_000)
    assert first.resume is not None
    assert (last.resume, last.announced) == (None, 13_000)


def test_rates_are_exact_fractions_of_the_corporate_currency(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """Dated rates rule where there are any, the first of them since ever; Salesforce's rates divide."""
    org(wire, currencies=True)
    answer(wire, ASKS_WHO, {**ORGANIZATION, "DefaultCurrencyIsoCode": "USD"})
    answer(wire, ASKS_STAGES, WON)
    static = [("EUR", 1.0, True), ("USD", 1.25, False), ("GBP", 0.8, False)]
    rows = [{"IsoCode": c, "ConversionRate": r, "IsCorporate": m} for c, r, m in static]
    answer(wire, "SELECT IsoCode,ConversionRate,IsCorporate FROM CurrencyType", *rows)
    dated = [("USD", "2026-01-01", 1.1), ("USD", "2025-01-01", 1.2)]
    rows = [{"IsoCode": c, "StartDate": d, "ConversionRate": r} for c, d, r in dated]
    answer(wire, "SELECT IsoCode,StartDate,ConversionRate FROM DatedConversionRate", *rows)
    assert connector.identify().currency == "EUR"
    (stream,) = (s for s in connector.streams() if s.name == "exchange_rates")
    (only,) = connector.read(stream, Slice(None, UNTIL))
    assert only.raw["exchange_rate"].rows() == [
        ("GBP@", "GBP", "EUR", None, "5", "4"),
        ("USD@", "USD", "EUR", None, "5", "6"),
        ("USD@2026-01-01", "USD", "EUR", "2026-01-01", "10", "11"),
    ]


def test_hidden_object_is_told(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """A user who may not read accounts is told what to grant."""
    wire.get(
        f"{DATA}/sobjects/Account/describe", status=403, json=[{"errorCode": "INSUFFICIENT_ACCESS", "message": ""}]
    )
    with pytest.raises(PermissionMissing, match="read access to the object Account"):
        connector.missing_fields([])


def test_objects_are_described_together(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """One call tells of many; what it tells nothing of is asked for by itself, and nothing is asked twice."""
    told = [{"statusCode": 200, "result": {"fields": [{"name": "Id"}]}}, {"statusCode": 404, "result": []}]
    wire.replace("POST", f"{DATA}/composite/batch", json={"results": [*told, {"statusCode": 500, "result": []}]})
    describe(wire, "Third", "Id", "Name")
    describe(wire, "Fourth", "Id")
    describes = Describes(connector._client, ["First", "Second", "Third", "Fourth"])
    assert [describes.names(kind) for kind in ("First", "Second", "Third", "Fourth")] == [
        {"Id"},
        set(),
        {"Id", "Name"},
        {"Id"},
    ]
    for _ in range(2):
        with pytest.raises(PermissionMissing, match="no object Second: grant read access to the object Second"):
            describes.fields("Second")
    assert [str(call.request.url).rsplit("/", 2)[1] for call in wire.calls[1:]] == ["composite", "Third", "Fourth"]
    asked = orjson.loads(wire.calls[1].request.body or b"")["batchRequests"]
    assert asked[0] == {"method": "GET", "url": "v66.0/sobjects/First/describe"}

"""Pages of a bulk job's results, one exchange at a time."""

from collections.abc import Iterator
from itertools import islice

import pytest
import responses
from responses import matchers

from connectors.errors import AnswerUnclear, UnexpectedAnswer
from connectors.retry import Patience
from connectors.salesforce.bulk.reading import Part, Place, read_jobs
from connectors.salesforce.bulk.results import read_page
from connectors.salesforce.bulk.windows import Window
from connectors.salesforce.catalogue import Source
from connectors.salesforce.client import Client
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.sizes import Sizes

HOST = "https://acme.my.salesforce.com"
JOB = f"{HOST}/services/data/v66.0/jobs/query/750x"
RESULTS = f"{JOB}/results"
GIVEN = {"instance_url": HOST, "client_id": "key", "client_secret": "hush-hush"}
TOKEN = {"access_token": "00D!first", "instance_url": HOST, "id": "https://login.salesforce.com/id/00D1/0051"}
FIELDS = ("Id", "IsDeleted", "Amount")
WHOLE = '"Id","IsDeleted","Amount"\n"006A","false","7.5"\n'
LAST = {"Sforce-Locator": "null"}


@pytest.fixture
def client() -> Iterator[Client]:
    held = Client(SalesforceSettings(**GIVEN), Patience(tries=2, sleep=lambda _: None))
    yield held
    held.close()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        mock.post(f"{HOST}/services/oauth2/token", json=TOKEN)
        yield mock


@pytest.mark.parametrize(
    "body",
    [
        '"Amount","Id","IsDeleted"\n"7.5","006A","false"\n',
        '"ID","ISDELETED","AMOUNT"\n"006A","false","7.5"\n',
        "id,amount,isDeleted\n006A,7.5,false\n",
    ],
)
def test_columns_go_by_their_names(wire: responses.RequestsMock, client: Client, body: str) -> None:
    """In whatever order and case they come, values stand below the field that was asked for."""
    wire.get(RESULTS, body=body, headers=LAST, content_type="text/csv")
    page = read_page(client, "750x", FIELDS, None, rows=20_000)
    assert page.frame.to_dicts() == [{"Id": "006A", "IsDeleted": "false", "Amount": "7.5"}]
    assert page.frame.columns == list(FIELDS)
    assert page.locator is None


@pytest.mark.parametrize(
    "body",
    [
        '"Id","IsDeleted"\n"006A","false"\n',
        '"Id","IsDeleted","Price"\n"006A","false","7.5"\n',
        '"Id","IsDeleted","Amount","Price"\n"006A","false","7.5","8"\n',
        '"Id","IsDeleted","Amount","Amount"\n"006A","false","7.5","8"\n',
        '"Id","Id","Amount"\n"006A","006B","8"\n',
    ],
)
def test_other_columns_are_refused(wire: responses.RequestsMock, client: Client, body: str) -> None:
    """A column too few, too many, of another name or twice is no answer to what was asked."""
    wire.get(RESULTS, body=body, headers=LAST, content_type="text/csv")
    with pytest.raises(AnswerUnclear, match="other columns"):
        read_page(client, "750x", FIELDS, None, rows=20_000)


@pytest.mark.parametrize("page", ["<html><body>Down for maintenance</body></html>", "null", "[]", ""])
def test_what_is_no_page_does_not_end_the_list(wire: responses.RequestsMock, client: Client, page: str) -> None:
    """An error page with status 200, and an empty answer that names no next page, are asked for again."""
    wire.get(RESULTS, body=page, content_type="text/html")
    wire.get(RESULTS, body=WHOLE, headers=LAST, content_type="text/csv")
    assert read_page(client, "750x", FIELDS, "MTA", rows=20_000).frame["Id"].to_list() == ["006A"]


@pytest.mark.parametrize("headers", [{}, LAST, {**LAST, "Sforce-NumberOfRecords": "0"}])
@pytest.mark.parametrize("body", ["", '"Id","IsDeleted","Amount"\n'])
def test_a_job_may_have_found_nothing(
    wire: responses.RequestsMock, client: Client, headers: dict[str, str], body: str
) -> None:
    """Of no rows there is one page, with or without a header row, and with or without its headers."""
    wire.get(RESULTS, body=body, headers=headers, content_type="text/csv")
    page = read_page(client, "750x", FIELDS, None, rows=20_000)
    assert (page.frame.height, page.frame.columns, page.locator) == (0, list(FIELDS), None)


@pytest.mark.parametrize(("back_to", "after"), [("MTA", "MTA"), ("MTA", "MjA")])
def test_pages_in_a_circle_are_noticed(wire: responses.RequestsMock, client: Client, back_to: str, after: str) -> None:
    """A locator that leads to itself, or back to a page before, ends the reading at once and not with the calls."""
    wire.get(JOB, json={"id": "750x", "state": "JobComplete", "numberRecordsProcessed": 100})
    leads = {None: "MTA", "MTA": after, after: back_to}
    for locator, following in leads.items():
        query = {"maxRecords": "20000"} | ({"locator": locator} if locator else {})
        headers = {"Sforce-Locator": following}
        body = WHOLE.replace("006A", f"006{locator}")
        wire.get(RESULTS, body=body, headers=headers, match=[matchers.query_param_matcher(query)])
    place = Place((Part(Window(None, None), "750x"),))
    with pytest.raises(UnexpectedAnswer, match="same place in the results over Opportunity twice"):
        list(islice(read_jobs(client, Source("Opportunity", FIELDS, None), place, Sizes()), 10))

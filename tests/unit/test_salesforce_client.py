"""The transport of the Salesforce connector, one exchange at a time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from connectors.errors import (
    AnswerUnclear,
    ConnectorError,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    SignInRefused,
    SliceLost,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.retry import Patience
from connectors.salesforce.client import Client
from connectors.salesforce.settings import SalesforceSettings
from kammodel.errors import NotConfigured

HOST = "https://acme.my.salesforce.com"
DATA = f"{HOST}/services/data/v66.0"
GIVEN = {"instance_url": HOST, "client_id": "key", "client_secret": "hush-hush"}
TOKEN = {"access_token": "00D!first", "instance_url": HOST, "id": "https://login.salesforce.com/id/00D1/0051"}
FINE: dict[str, Any] = {"totalSize": 0, "done": True, "records": []}


class Waits(list[float]):
    """The waits that were slept, without sleeping."""


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(waits: Waits) -> Iterator[Client]:
    held = Client(SalesforceSettings(**GIVEN), Patience(tries=3, sleep=waits.append))
    yield held
    held.close()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def grant(wire: responses.RequestsMock, **changes: Any) -> None:
    wire.post(f"{HOST}/services/oauth2/token", json={**TOKEN, **changes})


def refusal(code: str, message: str = "a value of a stranger") -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message}]


def paths_asked(wire: responses.RequestsMock) -> list[str]:
    return [str(call.request.path_url) for call in wire.calls]


def test_what_goes_over_the_wire(wire: responses.RequestsMock, client: Client) -> None:
    """Basic sign-in without the secret in a body, bearer token, our name, gzip, and no pretty printing."""
    grant(wire)
    wire.get(f"{DATA}/query", json=FINE, headers={"Sforce-Limit-Info": "api-usage=18/5000"})
    client.get("/query", {"q": "SELECT Id FROM Account"})
    signing_in, asking = (call.request for call in wire.calls)
    assert signing_in.body == "grant_type=client_credentials"
    assert signing_in.headers["Authorization"] == requests.auth._basic_auth_str("key", "hush-hush")
    assert asking.path_url == "/services/data/v66.0/query?q=SELECT+Id+FROM+Account"
    assert asking.headers["Authorization"] == "Bearer 00D!first"
    assert asking.headers["Sforce-Call-Options"] == "client=kam"
    assert asking.headers["Accept-Encoding"] == "gzip"
    assert "X-PrettyPrint" not in asking.headers
    assert client.calls_left == 4982
    assert (client.calls.read, client.calls.other) == (1, 1)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "json": refusal("REQUEST_LIMIT_EXCEEDED")},
        {"status": 503, "json": refusal("SERVER_UNAVAILABLE")},
        {"status": 503, "body": "<html>maintenance</html>"},
        {"status": 500, "json": refusal("UNKNOWN_EXCEPTION")},
        {"status": 502, "body": b"<html>\xff</html>"},
        {"status": 400, "json": refusal("UNABLE_TO_LOCK_ROW")},
        {"status": 400, "json": refusal("REQUEST_RUNNING_TOO_LONG")},
        {"status": 403, "json": refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")},
        {"status": 404, "body": "<html>not the page you look for</html>"},
        {"status": 200, "body": "<html>maintenance</html>"},
        {"status": 200, "body": b'{"totalSize": 1, "rec'},
        {"body": requests.exceptions.ChunkedEncodingError("cut")},
        {"body": requests.exceptions.ConnectionError("reset")},
        {"body": requests.exceptions.ReadTimeout("slow")},
    ],
)
def test_passing_faults_are_outlived(
    wire: responses.RequestsMock, client: Client, waits: Waits, fault: dict[str, Any]
) -> None:
    """Limits, locks, edge pages in HTML, dropped and cut answers are tried again."""
    grant(wire)
    wire.get(f"{DATA}/query", **fault)
    wire.get(f"{DATA}/query", json=FINE)
    assert client.get("/query") == FINE
    assert client.calls.read == 2
    assert len(waits) == 1


def test_waits_as_long_as_asked(wire: responses.RequestsMock, client: Client, waits: Waits) -> None:
    """Retry-After rules."""
    grant(wire)
    wire.get(f"{DATA}/limits", status=503, body="", headers={"Retry-After": "7"})
    wire.get(f"{DATA}/limits", json={})
    client.get("/limits")
    assert waits == [7.0]


def test_expired_session_is_renewed_once_and_keeps_our_headers(wire: responses.RequestsMock, client: Client) -> None:
    """The call is repeated with the new token and with the headers that it had."""
    wire.post(f"{HOST}/services/oauth2/token", json=TOKEN)
    wire.post(f"{HOST}/services/oauth2/token", json={**TOKEN, "access_token": "00D!second"})
    wire.get(f"{DATA}/query", status=401, json=refusal("INVALID_SESSION_ID"))
    wire.get(f"{DATA}/query", json=FINE, match=[matchers.header_matcher({"Authorization": "Bearer 00D!second"})])
    assert client.get("/query", headers={"Sforce-Query-Options": "batchSize=2000"}) == FINE
    assert wire.calls[-1].request.headers["Sforce-Query-Options"] == "batchSize=2000"
    assert len(wire.calls) == 4


@pytest.mark.parametrize("fault", [{"json": refusal("INVALID_SESSION_ID")}, {"body": "<html>who are you</html>"}])
def test_token_that_is_never_accepted_ends(wire: responses.RequestsMock, client: Client, fault: dict[str, Any]) -> None:
    """A fresh token that is refused is for a person to mend; nothing loops."""
    grant(wire)
    wire.get(f"{DATA}/query", status=401, **fault)
    with pytest.raises(SignInRefused):
        client.get("/query")
    assert client.calls.read == 2


def test_sign_in_by_form_where_the_header_is_not_read(wire: responses.RequestsMock, client: Client) -> None:
    """A server that wants key and secret in the form gets them there, in the body and never in the address."""
    wire.post(f"{HOST}/services/oauth2/token", status=400, json={"error": "invalid_client_id"})
    grant(wire)
    wire.get(f"{DATA}/query", json=FINE)
    assert client.get("/query") == FINE
    asked = wire.calls[1].request
    assert asked.body == "grant_type=client_credentials&client_id=key&client_secret=hush-hush"
    assert "Authorization" not in asked.headers
    assert "hush" not in str(asked.url)


def test_sign_in_that_fails_for_now_is_tried_again(wire: responses.RequestsMock, client: Client) -> None:
    """A 503 or a torn answer of the sign-in is no verdict on the credentials."""
    wire.post(f"{HOST}/services/oauth2/token", status=503, body="<html></html>")
    wire.post(f"{HOST}/services/oauth2/token", body=b'{"access_tok')
    grant(wire)
    wire.get(f"{DATA}/query", json=FINE)
    assert client.get("/query") == FINE


@pytest.mark.parametrize(
    ("status", "error", "named"),
    [
        (400, "invalid_client_id", "KAM_SALESFORCE__CLIENT_ID"),
        (401, "invalid_client", "KAM_SALESFORCE__CLIENT_ID and CLIENT_SECRET"),
        (400, "invalid_grant", "run-as user"),
        (400, "unsupported_grant_type", "client credentials flow"),
        (400, None, "KAM_SALESFORCE__CLIENT_ID"),
        (404, None, "KAM_SALESFORCE__INSTANCE_URL"),
    ],
)
def test_refused_sign_in_names_the_variable(
    wire: responses.RequestsMock, client: Client, status: int, error: str | None, named: str
) -> None:
    """One line, with what to set, without the description that quotes; the other way to say the same is tried once."""
    wire.post(
        f"{HOST}/services/oauth2/token", status=status, json={"error": error, "error_description": "hush-hush Acme"}
    )
    with pytest.raises(SignInRefused, match=named) as fault:
        client.get("/query")
    assert len(wire.calls) == (1 if status == 404 else 2)
    assert "hush" not in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), QuotaSpent),
        (403, refusal("INSUFFICIENT_ACCESS"), PermissionMissing),
        (403, refusal("API_DISABLED_FOR_ORG"), PermissionMissing),
        (403, refusal("TXN_SECURITY_NO_ACCESS"), PermissionMissing),
        (400, refusal("OPERATION_TOO_LARGE"), PermissionMissing),
        (400, refusal("INVALID_QUERY_LOCATOR"), SliceLost),
        (400, refusal("INVALID_FIELD"), RequestRefused),
        (400, refusal("MALFORMED_QUERY"), RequestRefused),
        (431, b"<h1>Bad Message 431</h1>", RequestRefused),
        (302, b"", UnexpectedAnswer),
    ],
)
def test_final_faults_are_named_by_what_to_do(
    wire: responses.RequestsMock, client: Client, status: int, body: Any, kind: type[ConnectorError]
) -> None:
    """Vendor codes become our errors, with code and status, and without the message that quotes values."""
    grant(wire)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    wire.get(f"{DATA}/query", status=status, body=raw)
    with pytest.raises(kind) as fault:
        client.get("/query")
    assert type(fault.value) is kind
    assert fault.value.status == status
    assert "stranger" not in str(fault.value)
    assert client.calls.read == 1


def test_missing_permission_names_what_to_grant(wire: responses.RequestsMock, client: Client) -> None:
    """The object or permission stands in the message."""
    grant(wire)
    wire.get(f"{DATA}/query", status=403, json=refusal("INSUFFICIENT_ACCESS"))
    with pytest.raises(PermissionMissing, match="read access to the object Task"):
        client.get("/query", asks="read access to the object Task")


def test_hostile_codes_are_tamed(wire: responses.RequestsMock, client: Client) -> None:
    """Even a code is cut to what a code looks like."""
    grant(wire)
    wire.get(f"{DATA}/query", status=400, json=refusal("\x1b[31m<b>\nX" * 50))
    with pytest.raises(RequestRefused) as fault:
        client.get("/query")
    assert not set("\x1b\n<") & set(str(fault.value))


@pytest.mark.parametrize("status", [404, 410])
def test_version_that_is_not_served_is_named(wire: responses.RequestsMock, client: Client, status: int) -> None:
    """Where nothing is found because the version is unknown, the variable is named, and what would do."""
    grant(wire)
    wire.get(f"{DATA}/sobjects/Account/describe", status=status, json=refusal("NOT_FOUND"))
    wire.get(f"{HOST}/services/data", json=[{"version": "58.0"}, {"version": "62.0"}])
    with pytest.raises(NotConfigured, match=r"KAM_SALESFORCE__API_VERSION is 66\.0.*58\.0 to 62\.0"):
        client.get("/sobjects/Account/describe")


def test_missing_object_is_not_a_missing_version(wire: responses.RequestsMock, client: Client) -> None:
    """A 404 under a version that is served stays a 404, and the list is asked for once."""
    grant(wire)
    wire.get(f"{DATA}/sobjects/Nope/describe", status=404, json=refusal("NOT_FOUND"))
    wire.get(f"{HOST}/services/data", json=[{"version": "66.0"}])
    for _ in range(2):
        with pytest.raises(RequestRefused) as fault:
            client.get("/sobjects/Nope/describe")
        assert fault.value.status == 404
    assert paths_asked(wire).count("/services/data") == 1


def test_redirects_stay_on_the_host(wire: responses.RequestsMock, client: Client) -> None:
    """A slash more or less is followed; another host never sees the token."""
    grant(wire)
    wire.get(f"{DATA}/query", status=301, headers={"Location": "/services/data/v66.0/query/"})
    wire.get(f"{DATA}/query/", json=FINE)
    assert client.get("/query") == FINE
    wire.get(f"{DATA}/limits", status=302, headers={"Location": "https://evil.example/x"})
    with pytest.raises(UnexpectedAnswer):
        client.get("/limits")
    assert not any("evil" in str(call.request.url) for call in wire.calls)


def test_paging_links_stay_on_the_host(wire: responses.RequestsMock, client: Client) -> None:
    """A link to a next page that leads elsewhere is refused."""
    grant(wire)
    with pytest.raises(UnexpectedAnswer, match="another host"):
        client.follow("https://evil.example/services/data/v66.0/query/01g-2000")


def test_every_error_of_requests_is_ours() -> None:
    """Whatever requests can raise becomes one of our errors, also what a later version adds."""
    from connectors.salesforce.transport import dropped

    kinds = [k for k in vars(requests.exceptions).values() if isinstance(k, type)]
    network = [k for k in kinds if issubclass(k, requests.RequestException) and "JSON" not in k.__name__]
    assert len(network) > 15
    for kind in network:
        fault = dropped("GET /query", kind("a value of a stranger"))
        assert isinstance(fault, TryAgainLater | RequestRefused)
        assert "stranger" not in str(fault)


def test_nobody_there() -> None:
    """An address without a server is a fault of the kind that may pass, and nothing was sent."""
    settings = SalesforceSettings(**{**GIVEN, "instance_url": "http://127.0.0.1:9"})
    client = Client(settings, Patience(tries=2, sleep=lambda _: None))
    with pytest.raises(TryAgainLater, match="could not be reached") as fault:
        client.get("/query")
    assert not isinstance(fault.value, AnswerUnclear)
    client.close()

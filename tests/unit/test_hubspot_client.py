"""The transport of the HubSpot connector, against a server that says what a test tells it to."""

import gzip
import json
from typing import Any

import pytest

from connectors.contract import CallCount
from connectors.errors import (
    AnswerUnclear,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    SignInRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.hubspot.client import Client
from connectors.hubspot.listing import listed
from connectors.hubspot.records import Wish
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from kammodel.errors import NotConfigured
from tests.unit.hubspot_script import FINE, TOKEN, Reply, Script, server, told


@pytest.mark.parametrize(
    "fault",
    [
        told(429, errorType="RATE_LIMIT", policyName="TEN_SECONDLY_ROLLING"),
        told(429, category="RATE_LIMITS"),
        told(423, category="LOCKED"),
        (429, {"Retry-After": "0"}, {"message": "You have reached your secondly limit."}),
        (477, {"Retry-After": "1"}, {"message": "migrating"}),
        (500, {}, {"message": "oops"}),
        (502, {"Content-Type": "text/html"}, b"<html>bad gateway \xff</html>"),
        (503, {}, b"<html>down</html>"),
        (524, {}, b""),
        (530, {}, b"error code: 1016"),
        (404, {}, b"<html>not the page you look for</html>"),
        (200, {}, b"<html>maintenance</html>"),
        (200, {}, b'{"results": [{"id"'),
        (200, {}, b"[]"),
        (200, {}, b"null"),
        (302, {"Location": "https://login.example/x"}, b"<html>sign in</html>"),
        "drop",
        "cut",
    ],
)
def test_passing_faults_are_outlived(fault: Reply | str) -> None:
    """Limits, locks, moves, edge pages in HTML, dropped and cut answers are tried again."""
    script = Script(fault, FINE)
    with server(script) as client:
        assert client.get("/crm/v3/objects/companies").results == [{"id": "1"}]
        assert len(script.asked) == client.calls.read == 2


@pytest.mark.parametrize("status", [404, 405])
def test_a_call_that_a_server_lacks_is_asked_twice(status: int) -> None:
    """A server without the path answers in HTML or plain text, an edge does so once; other calls are not given up."""
    script = Script((status, {}, b"Not Found"))
    with server(script) as client:
        with pytest.raises(RequestRefused) as fault:
            client.get("/x", optional=True)
        assert fault.value.status == status
        assert len(script.asked) == 2
        with pytest.raises(TryAgainLater):
            client.get("/x")
    with server(Script((status, {}, b"<html>edge</html>"), FINE)) as client:
        assert client.get("/x", optional=True).results == [{"id": "1"}]


def test_post_is_repeated_too() -> None:
    """What we post may be sent twice: the library's own retries would leave POST out."""
    script = Script("drop", (503, {}, b""), FINE)
    with server(script) as client:
        client.post("/crm/v3/objects/companies/batch/update", {"inputs": []}, purpose="write")
        assert [body for *_, body in script.asked] == [{"inputs": []}] * 3
        assert client.calls.write == 3


@pytest.mark.parametrize(("asked", "waited"), [({"Retry-After": "7"}, 7.0), ({}, 2.0)])
def test_waits_as_long_as_asked(asked: dict[str, str], waited: float) -> None:
    """Retry-After rules; a lock without one is given two seconds."""
    script = Script((423, asked, {"message": "locked"}), FINE)
    with server(script) as client:
        client.get("/x")
        assert waited in script.waits


def test_long_move_is_not_waited_for() -> None:
    """A portal on the move for hours stops the run instead of holding it."""
    with server(Script((477, {"Retry-After": "86400"}, {"message": "moving"}))) as client:
        with pytest.raises(TryAgainLater) as fault:
            client.get("/x")
        assert fault.value.after == 86400
        assert client.calls.read == 1


@pytest.mark.parametrize(
    "body",
    [{"policyName": "DAILY"}, {"message": "You have reached your daily limit.", "errorType": "RATE_LIMIT"}],
)
def test_spent_day_stops(body: dict[str, str]) -> None:
    """The daily limit is not spun on."""
    with server(Script((429, {}, body))) as client:
        with pytest.raises(QuotaSpent):
            client.get("/x")
        assert client.calls.read == 1


def test_wrong_token() -> None:
    """A token that is not accepted is for a person to mend, and is named by its variable."""
    with server(Script(told(401, category="INVALID_AUTHENTICATION"))) as client:
        with pytest.raises(SignInRefused, match="KAM_HUBSPOT__ACCESS_TOKEN") as fault:
            client.get("/x")
        assert client.calls.read == 1
        assert TOKEN not in str(fault.value)


def test_expired_token() -> None:
    """One expired answer is asked again; if it stays, a person has to act."""
    expired = told(401, category="EXPIRED_AUTHENTICATION")
    with server(Script(expired, FINE)) as client:
        assert client.get("/x").results
    with server(Script(expired)) as client:
        with pytest.raises(SignInRefused, match="expired"):
            client.get("/x")
        assert client.calls.read == 2


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "", "context": {"requiredGranularScopes": ["crm.schemas.companies.write"]}}]},
        {"context": {"requiredGranularScopes": ["crm.schemas.companies.write"]}},
        {},
    ],
)
def test_missing_scope_is_named(body: dict[str, Any]) -> None:
    """The scope to grant is HubSpot's own word, or ours where it has none."""
    with (
        server(Script(told(403, category="MISSING_SCOPES", **body))) as client,
        pytest.raises(PermissionMissing, match=r"crm\.schemas\.companies\.write"),
    ):
        client.get("/x", scope="crm.schemas.companies.write")


def test_refusal_carries_codes_and_no_values() -> None:
    """Category, code, property and correlation id are told; the message, which quotes values, is not."""
    errors = [{"message": "Acme", "code": "INVALID_OPTION", "context": {"propertyName": ["kam_tier"]}}]
    with server(Script(told(400, category="VALIDATION_ERROR", errors=errors))) as client:
        with pytest.raises(RequestRefused) as fault:
            client.get("/x")
        text = str(fault.value)
        assert all(word in text for word in ("400", "VALIDATION_ERROR", "INVALID_OPTION", "kam_tier", "c-1"))
        assert "stranger" not in text
        assert "Acme" not in text
        assert "\n" not in text
        assert (fault.value.code, fault.value.status) == ("INVALID_OPTION", 400)


def test_hostile_codes_are_tamed() -> None:
    """Even a code is cut to what a code looks like."""
    with server(Script(told(400, category="\x1b[31m<b>\nX" * 50))) as client:
        with pytest.raises(RequestRefused) as fault:
            client.get("/x")
        assert not set("\x1b\n<") & set(str(fault.value))


def test_redirects_stay_on_the_host() -> None:
    """A slash more or less is followed; another host never sees the token."""
    script = Script((307, {"Location": "/crm/v3/owners?limit=1"}, {}), FINE)
    with server(script) as client:
        assert client.get("/crm/v3/owners/", [("limit", 1)]).results
        assert script.asked[1][1] == "/crm/v3/owners?limit=1"
    away = Script((302, {"Location": "http://evil.example/x"}, {}))
    with server(away) as client, pytest.raises(TryAgainLater, match="GET /x on to another host"):
        client.get("/x")


@pytest.mark.parametrize("odd", [{}, [], None, {"results": None}, {"results": ["x"]}, {"results": [], "paging": 1}])
def test_a_page_of_an_odd_shape_is_asked_for_again(odd: Any) -> None:
    """If it stays odd, it is told as what it is."""
    wish = Wish("companies", ())
    page = (200, {}, {"results": [{"id": "1", "properties": {}}]})
    with server(Script((200, {}, odd), page)) as client:
        assert [r["id"] for records, _ in listed(client, wish, archived=False, after=None) for r in records] == ["1"]
        assert client.calls.read == 2
    with server(Script((200, {}, odd))) as client, pytest.raises(UnexpectedAnswer):
        list(listed(client, wish, archived=False, after=None))


def test_what_goes_over_the_wire() -> None:
    """Bearer token, gzip, repeated property keys; a packed answer is unpacked."""
    packed = gzip.compress(json.dumps({"results": [1] * 0}).encode())
    script = Script((200, {"Content-Encoding": "gzip"}, packed))
    with server(script) as client:
        assert client.get("/x", [("properties", "a"), ("properties", "b")]).results == []
    _, path, headers, _ = script.asked[0]
    assert path == "/x?properties=a&properties=b"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Accept-Encoding"] == "gzip"


def test_stated_limits_are_taken_over() -> None:
    """The pace follows what answers state, at nine tenths; the day's rest is known."""
    limits = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily-Remaining": "1234",
    }
    with server(Script((200, limits, {"results": []}))) as client:
        client.get("/x")
        assert client.daily_left == 1234
        assert client.rate("general") == pytest.approx(17.1)
        assert client.rate("associations") == pytest.approx(13.5)


def test_no_object_is_refused() -> None:
    """JSON that is no object is not what HubSpot documents."""
    with server(Script((200, {}, [1, 2]))) as client, pytest.raises(UnexpectedAnswer):
        client.get("/x")


def test_patience_ends() -> None:
    """A fault that stays is raised as what it is."""
    with server(Script("drop")) as client, pytest.raises(AnswerUnclear):
        client.get("/x")


def test_nobody_there() -> None:
    """An address without a server is a fault of the kind that may pass."""
    settings = HubSpotSettings(base_url="http://127.0.0.1:9", access_token=TOKEN)
    client = Client(settings, Patience(tries=2, sleep=lambda _: None))
    with pytest.raises(TryAgainLater, match="could not be reached"):
        client.get("/x")
    client.close()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "KAM_HUBSPOT__ACCESS_TOKEN"),
        ({"client_id": "a", "refresh_token": "c"}, "KAM_HUBSPOT__CLIENT_SECRET"),
        ({"client_secret": "b"}, "KAM_HUBSPOT__CLIENT_ID"),
        ({"access_token": "a", "refresh_token": "c"}, "KAM_HUBSPOT__REFRESH_TOKEN"),
        ({"client_id": "a", "client_secret": "b", "refresh_token": "c d"}, "KAM_HUBSPOT__REFRESH_TOKEN"),
        ({"access_token": "a", "api_version": "2026"}, "KAM_HUBSPOT__API_VERSION"),
        ({"access_token": "a b"}, "KAM_HUBSPOT__ACCESS_TOKEN"),
        ({"access_token": "a", "base_url": "http://hub.example"}, "KAM_HUBSPOT__BASE_URL"),
    ],
)
def test_half_filled_settings_name_the_variable(given: dict[str, str], named: str) -> None:
    """What is missing or unsafe is named as the person has to type it."""
    with pytest.raises(NotConfigured, match=named):
        HubSpotSettings(**given)


def test_token_does_not_show() -> None:
    """A printed or wrongly typed block does not show the token."""
    assert TOKEN not in repr(HubSpotSettings(access_token=TOKEN))
    with pytest.raises(ValueError, match="acess_token") as fault:
        HubSpotSettings(acess_token=TOKEN)
    assert TOKEN not in str(fault.value)


def test_calls_can_be_counted_apart() -> None:
    """Those of a block, beside all of them; and those of blocks in it."""
    whole, part = CallCount(), CallCount()
    with server(Script(FINE)) as client:
        client.get("/x")
        with client.counting(whole):
            client.get("/x", purpose="other")
            with client.counting(part):
                client.get("/x")
        client.get("/x")
        assert client.calls == CallCount(read=3, other=1)
    assert (whole, part) == (CallCount(read=1, other=1), CallCount(read=1))

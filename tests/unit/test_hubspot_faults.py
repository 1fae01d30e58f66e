"""What HubSpot's refusals tell us to do: by status, body and headers, whatever of them is missing."""

from typing import Any

import orjson
import pytest

from connectors.errors import (
    AnswerUnclear,
    ConnectorError,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    SessionExpired,
    SignInRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.hubspot.faults import code_of, correlation_of, fault_of, retry_after

HTML = b"<html><body>gateway \xff\xfe of a stranger</body></html>"


def fault(status: int, raw: bytes = b"{}", headers: dict[str, str] | None = None, **body: Any) -> ConnectorError:
    told = orjson.dumps(body) if body else raw
    return fault_of(status, headers or {}, told, call="GET /x", scope="crm.objects.companies.read")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, UnexpectedAnswer),
        (304, UnexpectedAnswer),
        (400, RequestRefused),
        (401, SignInRefused),
        (403, PermissionMissing),
        (404, RequestRefused),
        (408, TryAgainLater),
        (409, RequestRefused),
        (415, RequestRefused),
        (423, TryAgainLater),
        (429, TryAgainLater),
        (477, TryAgainLater),
        (500, TryAgainLater),
        (502, TryAgainLater),
        (524, TryAgainLater),
        (599, TryAgainLater),
    ],
)
def test_the_status_rules_where_the_body_is_silent(status: int, kind: type[ConnectorError]) -> None:
    """Every field of an error body may be missing."""
    found = fault(status)
    assert type(found) is kind
    assert (found.status, found.code) == (status, None)
    assert str(found).startswith(f"HubSpot answered GET /x with {status}")


@pytest.mark.parametrize("raw", [HTML, b"", b"\xff\xfe", b"[1]", b"null", b'"x"', b'{"category":'])
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_body_that_is_no_object_is_the_edges_and_passes(status: int, raw: bytes) -> None:
    """HTML, bytes that are no text, half a body: a gateway spoke, not HubSpot. None of it is repeated to a person."""
    found = fault(status, raw)
    assert type(found) is TryAgainLater
    assert not isinstance(found, AnswerUnclear)
    assert "stranger" not in str(found)
    assert str(found).isprintable()
    assert ("KAM_HUBSPOT__BASE_URL" in str(found)) == (status in {400, 403, 404})


@pytest.mark.parametrize(("asked", "when"), [("7200", "run again, in 120 minutes"), ("5", "later"), (None, "later")])
def test_a_portal_on_the_move_says_when_to_come_back(asked: str | None, when: str) -> None:
    """The status is HubSpot's own: its number alone tells a person nothing."""
    headers = {"Retry-After": asked} if asked else {}
    found = fault_of(477, headers, b"{}", call="GET /x")
    assert str(found).startswith("HubSpot answered GET /x with 477: HubSpot is moving the portal")
    assert str(found).endswith(when)


def test_an_unreadable_401_is_still_about_the_token() -> None:
    """Whoever answers 401 will not let us in."""
    assert type(fault(401, HTML)) is SignInRefused


def test_an_expired_token_is_told_from_a_wrong_one() -> None:
    """By category, or by the word in the message."""
    assert type(fault(401, category="EXPIRED_AUTHENTICATION")) is SessionExpired
    assert type(fault(401, message="The OAuth token used to make this call expired 5 hours ago.")) is SessionExpired
    assert type(fault(401, category="INVALID_AUTHENTICATION", message="x")) is SignInRefused


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"policyName": "DAILY"}),
        ({}, {"message": "You have reached your daily limit."}),
        ({"X-HubSpot-RateLimit-Daily-Remaining": "0"}, {"message": "limit"}),
    ],
)
def test_a_spent_day_is_told_from_a_spent_second(headers: dict[str, str], body: dict[str, Any]) -> None:
    """Waiting helps with the second only."""
    assert type(fault(429, headers=headers, **body)) is QuotaSpent
    assert type(fault(429, policyName="TEN_SECONDLY_ROLLING")) is TryAgainLater
    assert type(fault(429, headers={"X-HubSpot-RateLimit-Daily-Remaining": "10"}, message="limit")) is TryAgainLater


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:30 GMT", "Date": "Sun, 01 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:00 GMT", "Date": "Sun, 01 Nov 2026 10:00:30 GMT"}, 0.0),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:30 -0000", "Date": "Sun, 01 Nov 2026 10:00:00 GMT"}, None),
        ({"Retry-After": "Sun, 01 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], expected: float | None) -> None:
    """Seconds, or a date counted from the answer's own: our clock may be wrong. What is neither is not known."""
    assert retry_after(headers) == expected
    found = fault(503, headers=headers)
    assert isinstance(found, TryAgainLater)
    assert found.after == expected


def test_a_lock_is_given_two_seconds() -> None:
    """HubSpot's own advice, where it states no other."""
    locked, stated = fault(423), fault(423, headers={"Retry-After": "9"})
    assert isinstance(locked, TryAgainLater)
    assert isinstance(stated, TryAgainLater)
    assert (locked.after, stated.after) == (2.0, 9.0)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"errors": [{"context": {"requiredGranularScopes": ["a.read", "b.read"]}}]}, "a.read, b.read"),
        (
            {"errors": [{"context": {"requiredScopes": ["a.read"]}}, {"context": {"requiredScopes": ["a.read"]}}]},
            "a.read",
        ),
        ({"context": {"requiredGranularScopes": ["c.write"]}}, "c.write"),
        ({"errors": "x", "context": []}, "crm.objects.companies.read"),
        ({"errors": [None, {"context": {"requiredScopes": "a"}}]}, "crm.objects.companies.read"),
    ],
)
def test_the_scope_to_grant_is_named(body: dict[str, Any], named: str) -> None:
    """HubSpot's own words, each once, else the one that the call is known to need."""
    assert f"grant the scope {named} to the token" in str(fault(403, **body))
    assert "that HubSpot does not name" in str(fault_of(403, {}, b"{}", call="GET /x"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, None),
        ({}, None),
        ({"category": "VALIDATION_ERROR"}, "VALIDATION_ERROR"),
        ({"category": "VALIDATION_ERROR", "errors": [{"code": "INVALID_OPTION"}]}, "INVALID_OPTION"),
        ({"category": "V", "errors": [{}, {"code": "SECOND"}]}, "SECOND"),
        ({"category": "V", "message": 'Property values: [{"error":"READ_ONLY_VALUE","name":"x"}]'}, "READ_ONLY_VALUE"),
        ({"category": "RATE_LIMITS", "policyName": "DAILY"}, "DAILY"),
        ({"errorType": "RATE_LIMIT"}, "RATE_LIMIT"),
        ({"category": ["x"], "errors": {"code": "y"}, "message": 7}, None),
    ],
)
def test_the_most_telling_code(body: dict[str, Any] | None, code: str | None) -> None:
    """That of the first single error, else what stands in the message, else the category."""
    assert code_of(body) == code


def test_the_correlation_id_is_in_body_or_header() -> None:
    """What HubSpot's support asks for."""
    assert correlation_of({"correlationId": "c-1"}, {"X-HubSpot-Correlation-Id": "c-2"}) == "c-1"
    assert correlation_of(None, {"X-HubSpot-Correlation-Id": "c-2"}) == "c-2"
    assert correlation_of({}, {}) is None
    assert "correlation c-1" in str(fault(400, correlationId="c-1"))


def test_words_of_strangers_are_cut_to_codes() -> None:
    """No line end, escape or markup gets through, and no long text."""
    found = str(fault(400, category="<b>\x1b[31m\n" * 99, errors=[{"context": {"propertyName": ["kam_tier", "a\nb"]}}]))
    assert found.isprintable()
    assert "<" not in found
    assert "property kam_tier" in found
    assert len(found) < 250

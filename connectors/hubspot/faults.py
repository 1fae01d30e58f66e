"""Tells from a refused answer what to do next.

HubSpot documents every field of an error body but `message` as possibly missing, and its edge answers in
HTML: all of it is read with care, and none of its free text is passed on, because messages quote values.
https://developers.hubspot.com/docs/api-reference/error-handling (read 2026-11-23)
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any

import orjson

from connectors.errors import (
    ConnectorError,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    SessionExpired,
    SignInRefused,
    TryAgainLater,
    UnexpectedAnswer,
)

TOKEN = "KAM_HUBSPOT__ACCESS_TOKEN"  # noqa: S105  the variable's name, not its value
_LOCKED_FOR = 2.0
_WAITS = {408, 423, 425, 429, 477}
_QUOTED = re.compile(r'"error"\s*:\s*"([A-Z_]+)"')
_CODE = re.compile(r"[^A-Za-z0-9_.:/-]+")


def fault_of(
    status: int,
    headers: Mapping[str, str],
    raw: bytes,
    *,
    call: str,
    scope: str | None = None,
    credential: str = TOKEN,
) -> ConnectorError:
    """The error for an answer outside 2xx. `call`: method and path. `scope`: what to name if HubSpot names none.
    `credential`: the variable that a person has to set anew if the token is not accepted."""
    body = _object(raw)
    where = _where(call, status, body, headers)
    code = code_of(body)
    if status == 401:
        return _signing_in(where, body, code, credential)
    if status in _WAITS or status >= 500 or (body is None and status >= 400):
        return _waiting(status, headers, body, where, code)
    if status == 403:
        wanted = ", ".join(_scopes(body or {})) or scope or "that HubSpot does not name"
        return PermissionMissing(f"{where}: grant the scope {wanted} to the token", code=code, status=status)
    if status < 400:
        return UnexpectedAnswer(f"{where}: a redirect is not followed", code=code, status=status)
    return RequestRefused(where, code=code, status=status)


def code_of(body: Mapping[str, Any] | None) -> str | None:
    """The most telling code of an error body: that of its first single error, else its category."""
    if not body:
        return None
    first = next((e for e in _errors(body) if _word(e.get("code"))), {})
    # A refused value is at times told only inside the message, which holds a list of JSON objects.
    quoted = _QUOTED.search(str(body.get("message", "")))
    codes = (first.get("code"), body.get("code"), quoted[1] if quoted else None)
    kinds = (*codes, body.get("policyName"), body.get("category"), body.get("errorType"))
    return next((word for kind in kinds if (word := _word(kind))), None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait in seconds that an answer asks for: a number, or a date counted from the answer's own date."""
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", asked):
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
        return max(0.0, (until - email.utils.parsedate_to_datetime(headers.get("Date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def correlation_of(body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> str | None:
    """What HubSpot's support finds the call by."""
    return _word((body or {}).get("correlationId")) or _word(headers.get("X-HubSpot-Correlation-Id"))


def _signing_in(where: str, body: Mapping[str, Any] | None, code: str | None, credential: str) -> ConnectorError:
    if body and (_word(body.get("category")) == "EXPIRED_AUTHENTICATION" or "expired" in _message(body)):
        return SessionExpired(f"{where}: the token has expired; set a new {credential}", code=code, status=401)
    return SignInRefused(f"{where}: HubSpot does not accept {credential}", code=code, status=401)


def _waiting(
    status: int, headers: Mapping[str, str], body: Mapping[str, Any] | None, where: str, code: str | None
) -> ConnectorError:
    if status == 429 and _day_is_over(headers, body):
        text = f"{where}: the portal's calls for today are spent; they return at midnight in its time zone"
        return QuotaSpent(text, code=code, status=status)
    after = retry_after(headers)
    if status == 423 and after is None:
        after = _LOCKED_FOR
    if status == 477:
        wait = f", in {after / 60:.0f} minutes" if after and after >= 120 else " later"
        where += f": HubSpot is moving the portal to another data centre; run again{wait}"
    if body is None and status < 500 and status not in _WAITS:
        where += " with no JSON (does KAM_HUBSPOT__BASE_URL lead to HubSpot?)"
    return TryAgainLater(where, code=code, status=status, after=after)


def _day_is_over(headers: Mapping[str, str], body: Mapping[str, Any] | None) -> bool:
    told = body or {}
    spent = headers.get("X-HubSpot-RateLimit-Daily-Remaining", "").strip() == "0"
    return spent or _word(told.get("policyName")) == "DAILY" or "daily limit" in _message(told)


def _scopes(body: Mapping[str, Any]) -> list[str]:
    """Most endpoints name the scopes in `errors[].context`, the schemas one at the top."""
    contexts = [e.get("context") for e in _errors(body)] + [body.get("context")]
    named = [c.get("requiredGranularScopes") or c.get("requiredScopes") for c in contexts if isinstance(c, dict)]
    scopes = [_word(s) for names in named if isinstance(names, list) for s in names]
    return list(dict.fromkeys(s for s in scopes if s))


def _where(call: str, status: int, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> str:
    told = body or {}
    words = [_word(told.get("category")) or _word(told.get("errorType")), _word(told.get("subCategory"))]
    words.append(_word(told.get("policyName")))
    words += [_word(e.get("code")) for e in _errors(told)[:3]]
    words += [f"property {p}" for p in _properties(told)[:3]]
    detail = ", ".join(dict.fromkeys(w for w in words if w))
    correlation = correlation_of(body, headers)
    return (
        f"HubSpot answered {call} with {status}"
        + (f" ({detail})" if detail else "")
        + (f", correlation {correlation}" if correlation else "")
    )


def _properties(body: Mapping[str, Any]) -> list[str]:
    contexts = [e.get("context") for e in _errors(body)]
    names = [n for c in contexts if isinstance(c, dict) for n in (c.get("propertyName") or [])]
    return list(dict.fromkeys(w for n in names if (w := _word(n))))


def _errors(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = body.get("errors")
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def _message(body: Mapping[str, Any]) -> str:
    return str(body.get("message", "")).lower()


def _word(value: object) -> str | None:
    """A vendor's code, cut to what a code looks like: what we print must not carry text of strangers."""
    return _CODE.sub("_", value)[:80] or None if isinstance(value, str) else None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None

"""Tells from a refused answer what to do next.

REST states errors in a list of objects, sign-in in one object, the edge in HTML: all of it is read with care, and
none of its free text is passed on, because messages quote values.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm (read 2026-11-23)
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
    SliceLost,
    TryAgainLater,
    UnexpectedAnswer,
)

EXPIRED = {"INVALID_SESSION_ID", "INVALIDSESSIONID", "INVALID_AUTH_HEADER"}
PASSING = {
    "UNABLE_TO_LOCK_ROW",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "UNKNOWN_EXCEPTION",
    "APEX_ERROR_RATE_LIMITED",
    "CUSTOMNOTACCEPTABLE",
}
"""May work in a while, whatever the HTTP status."""
TOO_SLOW = "QUERY_TIMEOUT"
_FORBIDDEN = {
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "FUNCTIONALITY_NOT_ENABLED",
    "FEATURENOTENABLED",
    "OPERATION_TOO_LARGE",
}
"""An admin has to act. OPERATION_TOO_LARGE: without View All Data, sharing rules filter too many rows."""
_SWITCHED_OFF = {"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}
"""Nothing at all may be called: access to one object, which the call at hand asks for, would not help."""
_SPENT = {"REQUEST_LIMIT_EXCEEDED", "EXCEEDEDQUOTA"}
_LOST = {"INVALID_QUERY_LOCATOR", "INVALID_LOCATOR"}
_WAITS = {406, 408, 420, 425, 429}
_TOO_LONG = {414, 431}
_CONCURRENT_FOR = 5.0
"""Seconds to wait for one of the 25 places for calls of over 20 seconds: one is free as soon as any such call ends."""
_FAULT_CODE = re.compile(r"<faultcode>\s*(?:\w+:)?(\w+)\s*</faultcode>")
_CODE = re.compile(r"[^A-Za-z0-9_.:/-]+")
Hints = tuple[tuple[str, str], ...]
"""What to do about a refused sign-in: the first whose left side is in `<error>: <description>`, in small letters."""


def fault_of(
    status: int, headers: Mapping[str, str], raw: bytes, *, call: str, asks: str | None = None
) -> ConnectorError:
    """The error for an answer outside 2xx. `call`: method and path. `asks`: what to grant if it is forbidden."""
    told = errors_in(raw)
    code = code_of(told[0]) if told else None
    where = _where(call, status, told or [])
    if code in EXPIRED or status == 401:
        return SessionExpired(where, code=code, status=status)
    if code in _LOST:
        return SliceLost(f"{where}: Salesforce does not know our place any more", code=code, status=status)
    if told and code in _SPENT and status < 429:
        return _spent(where, code, status, headers, told[0])
    # A query that ran out of its two minutes takes another two when it is asked again.
    if code in PASSING or ((status in _WAITS or status >= 500) and code != TOO_SLOW):
        return TryAgainLater(where, code=code, status=status, after=retry_after(headers))
    if told is None and status >= 400 and status not in _TOO_LONG:
        hint = f"{where} and no JSON (does KAM_SALESFORCE__INSTANCE_URL lead to Salesforce?)"
        return TryAgainLater(hint, status=status, after=retry_after(headers))
    return _refused(where, code, status, asks)


def _refused(where: str, code: str | None, status: int, asks: str | None) -> ConnectorError:
    if code in _SWITCHED_OFF:
        asks = "the permission API Enabled, in an edition of Salesforce that has the API"
    if status == 403 or code in _FORBIDDEN or (code or "").startswith("TXN_SECURITY"):
        return PermissionMissing(f"{where}: grant the user {asks or 'access to it'}", code=code, status=status)
    if status < 400:
        return UnexpectedAnswer(f"{where}: a redirect is not followed", code=code, status=status)
    return RequestRefused(where, code=code, status=status)


def sign_in_fault(
    status: int, headers: Mapping[str, str], raw: bytes, *, hints: Hints, otherwise: str
) -> ConnectorError:
    """The error for a token request that was not granted. `otherwise`: what to do where no hint fits.

    The description is looked at and not passed on: it is the vendor's free text.
    """
    body = _json(raw)
    code = _word(body.get("error")) if isinstance(body, dict) else None
    where = f"Salesforce answered the sign-in with {status}" + (f" ({code})" if code else "")
    if status in _WAITS or status >= 500:
        return TryAgainLater(where, code=code, status=status, after=retry_after(headers))
    told_by_rest = errors_in(raw)
    if told_by_rest and code_of(told_by_rest[0]) in _SPENT:
        return _spent(where, code_of(told_by_rest[0]) or "", status, headers, told_by_rest[0])
    if code is None and 300 <= status < 400:
        text = f"{where}: a redirect is not followed; is KAM_SALESFORCE__INSTANCE_URL the org's My Domain address?"
        return SignInRefused(text, status=status)
    if code is None and status == 404:
        return SignInRefused(f"{where}: KAM_SALESFORCE__INSTANCE_URL does not lead to a Salesforce org", status=status)
    told = f"{code}: {body.get('error_description', '')}".lower() if isinstance(body, dict) else ""
    hint = next((text for sign, text in hints if sign in told), otherwise)
    return SignInRefused(f"{where}: {hint}", code=code, status=status)


def soap_fault_of(status: int, text: str, *, call: str) -> ConnectorError:
    """The error for a SOAP fault, which comes as a 500 whatever it says."""
    found = _FAULT_CODE.search(text)
    if found is None:
        return TryAgainLater(f"Salesforce answered {call} with {status}", status=status)
    told = orjson.dumps([{"errorCode": found[1]}])
    final = 400 if status >= 500 and found[1] not in PASSING else status
    return fault_of(final, {}, told, call=call)


def errors_in(raw: bytes) -> list[dict[str, Any]] | None:
    """The error objects of a body, at least one; None where it is no JSON of that shape."""
    body = _json(raw)
    listed = body if isinstance(body, list) else [body]
    errors = [e for e in listed if isinstance(e, dict)]
    return errors or None


def code_of(error: Mapping[str, Any]) -> str | None:
    """`errorCode` of a call, `statusCode` of a row, `exceptionCode` of the older APIs."""
    return next((w for k in ("errorCode", "statusCode", "exceptionCode") if (w := _word(error.get(k)))), None)


def fields_of(error: Mapping[str, Any]) -> list[str]:
    fields = error.get("fields")
    return [w for f in fields if (w := _word(f))] if isinstance(fields, list) else []


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


def _spent(
    where: str, code: str | None, status: int, headers: Mapping[str, str], error: Mapping[str, Any]
) -> ConnectorError:
    """The same code speaks of the day's calls and of too many long ones at a time."""
    after = retry_after(headers)
    if after is not None or "concurrent" in str(error.get("message", "")).lower():
        return TryAgainLater(where, code=code, status=status, after=_CONCURRENT_FOR if after is None else after)
    text = f"{where}: the org's API calls of the last 24 hours are spent; run again later"
    return QuotaSpent(text, code=code, status=status)


def _where(call: str, status: int, told: list[dict[str, Any]]) -> str:
    words = [w for e in told[:3] for w in (code_of(e), *(f"field {f}" for f in fields_of(e)[:3])) if w]
    detail = ", ".join(dict.fromkeys(words))
    return f"Salesforce answered {call} with {status}" + (f" ({detail})" if detail else "")


def _word(value: object) -> str | None:
    """A vendor's code, cut to what a code looks like: what we print must not carry text of strangers."""
    return _CODE.sub("_", value)[:80] or None if isinstance(value, str) else None


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None

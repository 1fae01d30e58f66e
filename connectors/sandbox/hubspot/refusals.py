"""The bodies with which HubSpot refuses: one function per case of its error envelope."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

Json = dict[str, Any]


class Refusal(Exception):
    """An answer other than success: status, JSON body, extra headers."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('category') or body.get('message')}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def error_body(message: str, category: str, **more: Any) -> Json:
    """The envelope: status, message, correlationId, category, then what the case adds."""
    return {
        "status": "error",
        "message": message,
        "correlationId": str(uuid.uuid4()),
        "category": category,
        **more,
    }


def unknown_to_sandbox(what: str) -> Refusal:
    """Not HubSpot's: the sandbox does not know this path, parameter or key, and will not guess."""
    message = f"sandbox: unknown {what}"
    return Refusal(500, {"status": "error", "message": message, "category": "SANDBOX_UNKNOWN"})


def invalid(message: str, **more: Any) -> Refusal:
    """400 VALIDATION_ERROR."""
    return Refusal(400, error_body(message, "VALIDATION_ERROR", **more))


def invalid_json(line: int, column: int, why: str) -> Refusal:
    """400 for a body that is not JSON."""
    return invalid(f"Invalid input JSON on line {line}, column {column}: {why}")


def not_inferred(word: str) -> Refusal:
    """400 for what is no kind of record."""
    return invalid(f"Unable to infer object type from: {word}")


def no_such_path() -> Refusal:
    """404 for a version that is not served (any more). How HubSpot words it is not known."""
    return Refusal(404, {"status": "error", "message": "resource not found", "correlationId": str(uuid.uuid4())})


def not_found(record_id: str | None = None) -> Refusal:
    """404 OBJECT_NOT_FOUND."""
    more: Json = {"context": {"id": [record_id]}} if record_id is not None else {}
    return Refusal(404, error_body("resource not found", "OBJECT_NOT_FOUND", **more))


def invalid_values(problems: Sequence[Mapping[str, str]]) -> Json:
    """The body of 400 for refused property values: problems carry name, value, code, message."""
    listed = [
        {"isValid": False, "message": p["message"], "error": p["code"], "name": p["name"], "propertyValue": p["value"]}
        for p in problems
    ]
    details = [{"message": p["message"], "code": p["code"], "context": {"propertyName": [p["name"]]}} for p in problems]
    return error_body(f"Property values were not valid: {_json_text(listed)}", "VALIDATION_ERROR", errors=details)


def duplicate_ids(ids: Sequence[str]) -> Refusal:
    """400 for ids named twice in one batch: nothing is written."""
    listed = ", ".join(ids)
    return invalid(f"Duplicate IDs found in batch input: [{listed}]. IDs must be unique", context={"ids": list(ids)})


def missing_objects(singular: str, ids: Sequence[str]) -> Json:
    """One entry of a 207 for ids that are archived, merged away or were never there."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": list(ids)},
    }


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    """403 naming the scopes, one of which is required."""
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    body = error_body(
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[detail],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )
    return Refusal(403, body)


def bad_credentials() -> Refusal:
    """401 for a token that is absent or not known."""
    return Refusal(
        401,
        error_body(
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            "INVALID_AUTHENTICATION",
        ),
    )


def expired_credentials(seconds_ago: int, expired_at: str) -> Refusal:
    """401 for an OAuth token past its life."""
    return Refusal(
        401,
        error_body(
            f"The OAuth token used to make this call expired {seconds_ago} second(s) ago.",
            "EXPIRED_AUTHENTICATION",
            context={"expire time": [expired_at]},
        ),
    )


def window_exceeded() -> Json:
    """429 of the ten-second window; carries no category."""
    body = error_body("You have reached your ten_secondly_rolling limit.", "")
    del body["category"]
    return body | {
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "groupName": "publicapi:private-apps-api-calls:145000001",
    }


def day_exceeded() -> Json:
    """429 of the day's quota; carries no category."""
    return {
        "status": "error",
        "message": "You have reached your daily limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "DAILY",
        "requestId": str(uuid.uuid4()),
    }


def search_exceeded() -> Json:
    """429 of search: neither policyName nor errorType."""
    return error_body("You have reached your secondly limit.", "RATE_LIMITS")


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()

"""How an org says no: a row that it will not write, or a call that it will not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


class RowRefused(Exception):
    """One row is not written: Salesforce's status code, its message, the fields at fault."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, list(fields)


class Refusal(Exception):
    """An answer other than success. `body` is the JSON array of REST, or an object where a call has one."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, dict(headers or {})

    @property
    def code(self) -> str:
        """The first errorCode, by which SOAP faults are named too."""
        return str(self.body[0]["errorCode"]) if isinstance(self.body, list) else "UNKNOWN_EXCEPTION"

    @property
    def message(self) -> str:
        """The first message."""
        return str(self.body[0]["message"]) if isinstance(self.body, list) else str(self.body)


def error(status: int, code: str, message: str, fields: Sequence[str] | None = None) -> Refusal:
    """A REST error: `[{"message","errorCode"(,"fields")}]`."""
    more: Json = {} if fields is None else {"fields": list(fields)}
    return Refusal(status, [{"message": message, "errorCode": code, **more}])


def unknown_to_sandbox(what: str) -> Refusal:
    """Not Salesforce's: the sandbox does not know this path, parameter, header or key, and will not guess."""
    return error(500, "SANDBOX_UNKNOWN", f"sandbox: unknown {what}")


def row_refusal(refused: RowRefused) -> Refusal:
    """A row's refusal as the answer to a call about that one row."""
    status = 404 if refused.code in {"ENTITY_IS_DELETED", "NOT_FOUND"} else 400
    return error(status, refused.code, refused.message, refused.fields)


def expired_session() -> Refusal:
    """401 for a token that is unknown, expired or revoked."""
    return error(401, "INVALID_SESSION_ID", "Session expired or invalid")


def not_found() -> Refusal:
    """404 for a resource or record that is not there."""
    return error(404, "NOT_FOUND", "The requested resource does not exist")


def quota_spent() -> Refusal:
    """403: the day's calls are used up."""
    return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def unparsable(why: str) -> Refusal:
    """400 for a body that is not JSON, or whose value has the wrong JSON type."""
    return error(400, "JSON_PARSER_ERROR", why)


_BEWARE = "Please reference your WSDL or the describe call for the appropriate names."


def malformed_query(soql: str, at: int, why: str) -> Refusal:
    """400 with the place in the statement, as the real one draws it."""
    return error(400, "MALFORMED_QUERY", _pointed(soql, at) + why)


def invalid_field(soql: str, at: int, why: str) -> Refusal:
    """400 INVALID_FIELD in a query."""
    return error(400, "INVALID_FIELD", _pointed(soql, at) + why)


def no_such_column(soql: str, at: int, field: str, entity: str) -> Refusal:
    """A field that does not exist, or that the user may not see."""
    return invalid_field(
        soql,
        at,
        f"No such column '{field}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
        f"append the '__c' after the custom field name. {_BEWARE}",
    )


def no_such_relationship(soql: str, at: int, name: str) -> Refusal:
    """A step of a field path that is no lookup."""
    return invalid_field(
        soql,
        at,
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        f"be sure to append the '__r' after the custom relationship name. {_BEWARE}",
    )


def no_such_object(soql: str, at: int, name: str) -> Refusal:
    """An object that does not exist here, or that the user may not see."""
    return error(
        400,
        "INVALID_TYPE",
        f"{_pointed(soql, at)}sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        f"be sure to append the '__c' after the entity name. {_BEWARE}",
    )


def _pointed(soql: str, at: int) -> str:
    before = soql[max(0, at - 30) : at].replace("\n", " ")
    row, column = soql.count("\n", 0, at) + 1, at - soql.rfind("\n", 0, at)
    return f"\n{before}{soql[at : at + 30]}\n{' ' * len(before)}^\nERROR at Row:{row}:Column:{column}\n"

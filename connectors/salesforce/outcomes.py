"""What became of a row that was written, from the code that Salesforce gives it, by whichever road."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import FaultKind, WriteOutcome
from connectors.errors import FieldsNotProvisioned
from connectors.salesforce.faults import PASSING

LOCKED = "UNABLE_TO_LOCK_ROW"
FOR_ALL_ROWS = {"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "FIELD_NOT_UPDATABLE"}
_GONE = {"ENTITY_IS_DELETED", "ENTITY_IS_ARCHIVED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "NOT_FOUND"}
_LATER = PASSING | {"ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "REQUEST_LIMIT_EXCEEDED"}
_HINTS = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the org refuses the account as it is: exempt the user",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "an Apex trigger of the org failed on it",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "a flow of the org failed on it",
    "ENTITY_IS_LOCKED": "an approval process holds it",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the user may not edit this account: check sharing",
    "INACTIVE_OWNER_OR_USER": "its owner is inactive: give it to an active user",
    "DUPLICATES_DETECTED": "a duplicate rule of the org refuses it",
    "REQUIRED_FIELD_MISSING": "the account lacks a field that the org requires",
    LOCKED: "other processes keep it locked",
}
_KINDS: dict[FaultKind, set[str]] = {
    "validation": {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_INTEGRITY_EXCEPTION",
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "STRING_TOO_LONG",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "REQUIRED_FIELD_MISSING",
        "INACTIVE_OWNER_OR_USER",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
    },
    "permission": {
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "TXN_SECURITY_NO_ACCESS",
    },
    "duplicate": {"DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"},
    "lock": {LOCKED, "ENTITY_IS_LOCKED"},
    "gone": _GONE,
    "quota": {"REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED", "APEX_ERROR_RATE_LIMITED"},
}
"""The codes by what they are about. An account that was merged away is deleted, to Salesforce."""


def outcome_of(source_id: str, code: str | None, told: str, fields: Sequence[str]) -> WriteOutcome:
    """The outcome of a row that was not taken. `told`: the vendor's message, looked at and never passed on.

    Raises FieldsNotProvisioned where the code speaks of our fields, and so of all rows.
    """
    if LOCKED in told:
        # An automation of the org hit the lock, and its own code stands in front.
        code = LOCKED
    named = f", fields {', '.join(fields[:5])}" if fields else ""
    if code in FOR_ALL_ROWS:
        raise FieldsNotProvisioned(f"Salesforce does not let us write ({code}{named}): run kam provision", code=code)
    message = f"Salesforce did not take the row ({code or 'no code given'}{named})"
    message += f": {_HINTS[code]}" if code in _HINTS else ""
    kind = kind_of(code)
    if kind == "gone":
        return WriteOutcome(source_id, "gone", code, message, kind)
    return WriteOutcome(source_id, "retry" if code is None or code in _LATER else "rejected", code, message, kind)


def kind_of(code: str | None) -> FaultKind:
    """What a code is about."""
    return next((kind for kind, codes in _KINDS.items() if code in codes), "other")

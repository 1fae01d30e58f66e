"""What became of each row of a batch, from an answer that names rows in any order, or from one that names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import FaultKind, Outcome, WriteOutcome
from connectors.errors import AnswerUnclear, FieldsNotProvisioned, TryAgainLater
from connectors.hubspot.answers import Answer
from connectors.hubspot.faults import code_of
from connectors.hubspot.records import context_ids

FOR_ALL_ROWS = {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
_PASSING = {"RATE_LIMITS", "LOCKED", "SERVICE_UNAVAILABLE"}
_UNCLEAR = {"INTERNAL_ERROR", "TIMEOUT"}
_SILENT = "NO_ANSWER"
"""The code of a row that an answer does not speak of."""
_KINDS: dict[str, FaultKind] = {
    "VALIDATION_ERROR": "validation",
    "MISSING_SCOPES": "permission",
    "FORBIDDEN": "permission",
    "CONFLICT": "duplicate",
    "OBJECT_ALREADY_EXISTS": "duplicate",
    "LOCKED": "lock",
    "OBJECT_NOT_FOUND": "gone",
    "RATE_LIMITS": "quota",
    "RATE_LIMIT": "quota",
}
"""By category, or by a code that is spelled like one. A company that was merged away is not found, to HubSpot."""
_STATUSES: dict[int, FaultKind] = {
    400: "validation",
    403: "permission",
    404: "gone",
    409: "duplicate",
    423: "lock",
    429: "quota",
}


def not_now(source_id: str, fault: TryAgainLater) -> WriteOutcome:
    """The outcome of a row whose batch had no answer, or was not taken for now."""
    outcome: Outcome = "unclear" if isinstance(fault, AnswerUnclear) else "retry"
    kind = kind_of(fault.code, None, fault.status)
    return WriteOutcome(source_id, outcome, fault.code or str(fault.status), str(fault), kind)


def trace_of(source_id: str) -> str:
    return f"kam-{source_id}"


def outcomes_of(answer: Answer, ids: list[str]) -> list[WriteOutcome]:
    """Outcomes by id: HubSpot answers in any order. Of a row that it says nothing about nobody knows."""
    by_trace = {trace_of(i): i for i in ids}
    told: dict[str, WriteOutcome] = {}
    for row in answer.results:
        source_id = by_trace.get(str(row.get("objectWriteTraceId")), str(row.get("id")))
        told[source_id] = WriteOutcome(source_id, "written")
    for error in answer.errors:
        code = code_of(error)
        if code in FOR_ALL_ROWS:
            # With trace ids HubSpot says it row by row, and it is still not about the rows.
            told_by = f"HubSpot answered {answer.status} ({code})"
            raise FieldsNotProvisioned(f"{told_by}: run kam provision", code=code, status=answer.status)
        for source_id in _named(error, by_trace):
            told[source_id] = _failure(source_id, error)
    silent = "HubSpot's answer does not speak of this row"
    return [told.get(i) or WriteOutcome(i, "unclear", _SILENT, silent, "other") for i in ids]


def _named(error: dict[str, Any], by_trace: Mapping[str, str]) -> list[str]:
    context = error.get("context")
    traces = context.get("objectWriteTraceId") if isinstance(context, dict) else None
    listed = traces if isinstance(traces, list) else [traces]
    return [by_trace[str(t)] for t in listed if str(t) in by_trace] or context_ids(error)


def _failure(source_id: str, error: dict[str, Any]) -> WriteOutcome:
    code, category = code_of(error), str(error.get("category"))
    outcome: Outcome = "rejected"
    if is_gone(category, None):
        outcome = "gone"
    elif category in _PASSING:
        outcome = "retry"
    elif category in _UNCLEAR:
        outcome = "unclear"
    told = f"HubSpot did not take the row ({code or 'no code given'})"
    return WriteOutcome(source_id, outcome, code, told, kind_of(code, category, None))


def kind_of(code: str | None, category: str | None, status: int | None) -> FaultKind:
    """What a refusal is about: its category, or its code, or the status says it."""
    named = _KINDS.get(category or "") or _KINDS.get(code or "")
    return named or _STATUSES.get(status or 0, "other")


def is_gone(code: str | None, status: int | None) -> bool:
    return code == "OBJECT_NOT_FOUND" or status == 404

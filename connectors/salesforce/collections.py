"""Sends up to two hundred accounts in one call, each with an outcome of its own, and sees what it writes over.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
(read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from http.client import OK
from typing import Any

import orjson
import polars as pl

from connectors.contract import WriteOutcome
from connectors.errors import (
    AnswerUnclear,
    FieldsNotProvisioned,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.retry import may_be_done
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.faults import code_of, fault_of, fields_of
from connectors.salesforce.frames import Record, as_text, text_frame
from connectors.salesforce.outcomes import FOR_ALL_ROWS, outcome_of
from kammodel.publish.fields import CustomField, unrounded

KIND = "Account"
BATCH = 200
EDIT = "edit access to the object Account"
_LOOK, _WRITE = "before", "written"
Values = Mapping[str, str | None]
"""Field key to canonical text, None clears."""
Batch = Mapping[str, Values]
"""Values by account."""
Named = Mapping[str, CustomField]


class Collections:
    """Writes batches of accounts.

    Where it is known what the accounts held before, they are read and written in one call: a composite of the two,
    which Salesforce carries out one after the other. What a person enters between our last look and that call is seen
    by it; left is the time between the two halves of the call. That a composite takes Collections is not confirmed on
    a real org. One that refuses them is written to without: there, only field history can tell of such an edit.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.looks_first = True
        """Until a composite has refused."""

    def send(self, named: Named, values: Batch, before: Batch) -> dict[str, WriteOutcome]:
        """An outcome for each account. Raises AnswerUnclear where nobody knows what became of them."""
        rows = {
            i: {named[k].salesforce_name: _spelled(named[k], t) for k, t in row.items()} for i, row in values.items()
        }
        records = [{"attributes": {"type": KIND}, "id": i, **row} for i, row in rows.items()]
        looked = None
        if self.looks_first and any(i in before for i in rows):
            looked = self._looking_first(records, sorted({name for row in rows.values() for name in row}))
        answer, found = looked or (self._plain(records), {})
        outcomes = {i: _outcome(i, row) for i, row in zip(rows, _as_sent(list(rows), answer), strict=True)}
        over = _written_over(named, values, before, found)
        return {i: replace(o, overwritten=over[i]) if o.outcome == "written" else o for i, o in outcomes.items()}

    def _plain(self, records: list[Record]) -> list[Any]:
        def whole(answer: Any) -> None:
            if not _is_whole(answer, records):
                raise AnswerUnclear("Salesforce did not answer each row of a batch", code="NO_ANSWER")

        try:
            answer: list[Any] = self._client.send(
                "PATCH", paths.COLLECTIONS, _update(records), asks=EDIT, check=whole, repeatable=False
            )
        except RequestRefused as fault:
            if fault.code in FOR_ALL_ROWS:
                told = f"{fault}: run kam provision"
                raise FieldsNotProvisioned(told, code=fault.code, status=fault.status) from fault
            raise
        return answer

    def _looking_first(self, records: list[Record], names: Sequence[str]) -> tuple[list[Any], dict[str, Record]] | None:
        """The answer for each row, and the accounts as the write found them, by id; None where nothing was sent."""
        ids = [record["id"] for record in records]
        calls = [
            self._part(_LOOK, "POST", paths.collection(KIND), {"ids": ids, "fields": ["Id", *names]}),
            self._part(_WRITE, "PATCH", paths.COLLECTIONS, _update(records)),
        ]
        # Not collated: they are to come one after the other.
        body = {"allOrNone": False, "collateSubrequests": False, "compositeRequest": calls}
        try:
            answer = self._client.send("POST", paths.COMPOSITE, body, asks=EDIT, check=_both, repeatable=False)
        except (RequestRefused, PermissionMissing):
            self.looks_first = False
            return None
        parts = {part.get("referenceId"): part for part in answer["compositeResponse"]}
        rows = self._rows(parts[_WRITE], records)
        self.looks_first = rows is not None and parts[_LOOK].get("httpStatusCode") == OK
        return None if rows is None else (rows, _records(parts[_LOOK].get("body")))

    def _part(self, reference: str, method: str, path: str, body: Any) -> dict[str, Any]:
        return {
            "method": method,
            "url": paths.versioned(self._client.version, path),
            "referenceId": reference,
            "body": body,
        }

    @staticmethod
    def _rows(part: Record, records: list[Record]) -> list[Any] | None:
        """The answer of the half that writes; None where that was refused, which its own call will tell."""
        rows: Any = part.get("body")
        status = part.get("httpStatusCode")
        if status == OK and _is_whole(rows, records):
            return list(rows)
        fault = fault_of(int(status or 0), {}, orjson.dumps(rows), call=f"PATCH {paths.COLLECTIONS}", asks=EDIT)
        if status == OK or (isinstance(fault, TryAgainLater) and may_be_done(fault)):
            raise AnswerUnclear("Salesforce did not answer each row of a batch", code="NO_ANSWER")
        if isinstance(fault, TryAgainLater | QuotaSpent):
            raise fault
        return None


def digits(field: CustomField, text: str | None) -> str | None:
    """The value as text: a number with all its digits and no exponent."""
    if text is None or not field.is_number:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return format(number, "f") if number.is_finite() else text


def chunks(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def _update(records: list[Record]) -> dict[str, Any]:
    return {"allOrNone": False, "records": records}


def _is_whole(answer: Any, records: list[Record]) -> bool:
    return isinstance(answer, list) and len(answer) == len(records)


def _both(answer: Any) -> None:
    """Raises AnswerUnclear where a composite does not say what became of both calls."""
    told = answer.get("compositeResponse") if isinstance(answer, dict) else None
    parts = {p.get("referenceId") for p in told if isinstance(p, dict)} if isinstance(told, list) else set()
    if parts != {_LOOK, _WRITE}:
        raise AnswerUnclear("Salesforce did not answer each call of a composite", code="NO_ANSWER")


def _records(body: Any) -> dict[str, Record]:
    """Records by their id; those that are not there are null."""
    rows = [row for row in body if isinstance(row, dict) and row.get("Id")] if isinstance(body, list) else []
    ids = pl.Series([as_text(row["Id"]) for row in rows], dtype=pl.String)
    return dict(zip(ids.to_frame("id").select(widened(pl.col("id")))["id"], rows, strict=True))


def _written_over(
    named: Named, values: Batch, before: Batch, found: Mapping[str, Record]
) -> dict[str, dict[str, str | None]]:
    """By account: what its fields held as they were written to, where that is neither what they held before nor what
    they were given. As Salesforce spells it."""
    ids = [i for i in values if i in found and i in before]
    over: dict[str, dict[str, str | None]] = {i: {} for i in values}
    for field in named.values():
        key = field.key
        # A field that the account is not given is none of this write's.
        asked = [i for i in ids if key in values[i] and key in before[i]]
        stood = text_frame([found[i] for i in asked], [field.salesforce_name])[field.salesforce_name]
        plain = stood.to_frame("stood").select(unrounded(field, pl.col("stood")))["stood"]
        for source_id, raw, text in zip(asked, stood, plain, strict=True):
            if not {text, raw} & {before[source_id][key], values[source_id][key]}:
                over[source_id][key] = raw or None
    return over


def _as_sent(ids: list[str], answer: list[Any]) -> list[Any]:
    """The rows of an answer in the order in which they were sent, which is how Salesforce documents it; where all
    of them name their ids, these decide."""
    by_id = {str(row.get("id"))[:15]: row for row in answer if isinstance(row, dict)}
    asked = [i[:15] for i in ids]
    return [by_id[i] for i in asked] if by_id.keys() == set(asked) else answer


def _outcome(source_id: str, row: Any) -> WriteOutcome:
    """What one row of the answer says. Rows come in the order sent; the id proves it, where there is one."""
    told = row if isinstance(row, dict) else {}
    named = told.get("id") or told.get("Id")
    if isinstance(named, str) and named[:15] != source_id[:15]:
        raise UnexpectedAnswer("Salesforce answered a batch of rows in another order than it was sent")
    if str(told.get("success")).lower() == "true":
        return WriteOutcome(source_id, "written")
    errors = told.get("errors")
    error = next((e for e in errors if isinstance(e, dict)), {}) if isinstance(errors, list) else {}
    return outcome_of(source_id, code_of(error), str(error.get("message", "")), fields_of(error))


def _spelled(field: CustomField, text: str | None) -> Any:
    """The value as JSON: null clears, numbers are numbers with all their digits, percent in percent points."""
    plain = digits(field, text)
    return plain if plain is None or not field.is_number or plain is text else orjson.Fragment(plain)

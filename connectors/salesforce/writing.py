"""Reads and writes our fields on accounts: few by Collections of two hundred, many by jobs.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
(read 2026-11-23)
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

import orjson
import polars as pl

from connectors.contract import AccountWrite, WriteOutcome
from connectors.errors import (
    AnswerUnclear,
    FieldsNotProvisioned,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.salesforce import paths, soql
from connectors.salesforce.bulk.ingest import NO_ANSWER, ingest
from connectors.salesforce.bulk.notes import JobNotes
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.faults import code_of, fields_of
from connectors.salesforce.frames import text_frame
from connectors.salesforce.outcomes import FOR_ALL_ROWS, LOCKED, outcome_of
from connectors.salesforce.querying import read_all
from connectors.salesforce.sizes import Sizes
from kammodel.publish.fields import CustomField, canonical

KIND = "Account"
BATCH = 200
_MOST_IN_A_ROW = 3
"""Batches that may fail for now, one after the other, before the run stops: then it is not about the rows."""
_LOCK_ROUNDS = ((1.0, 50), (2.0, 10), (4.0, 1))
"""Locked rows are tried again after so many seconds, so many at a time, alone in the end."""
_MOST_ALONE = 50
_MOST_AGAIN = 2_000
"""Rows of a job that were locked, or that it did not come to, and are sent again; more wait for the next run."""
_NUMBERS = {"number", "percent"}
_READ, _EDIT = "read access to the object Account", "edit access to the object Account"
_Values = dict[str, str | None]
"""Field key to canonical text, None clears."""
_Named = Mapping[str, CustomField]


def read_fields(client: Client, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Frames of source_id and a canonical text column per field key; accounts that are gone are absent."""
    names = {f.key: f.salesforce_name for f in fields}
    asked = ["Id", *names.values()]
    for chunk in _chunks(list(dict.fromkeys(ids)), soql.IDS_AT_ONCE):
        records = read_all(client, soql.select(asked, KIND, soql.any_of("Id", chunk)), asks=_READ)
        frame = text_frame(records, asked).with_columns(widened(pl.col("Id"))).unique("Id", maintain_order=True)
        values = [canonical(f, pl.col(f.salesforce_name)).alias(f.key) for f in fields]
        yield frame.select(pl.col("Id").alias("source_id"), *values)


def write_fields(
    client: Client, fields: Sequence[CustomField], writes: Sequence[AccountWrite], sizes: Sizes, notes: JobNotes
) -> Iterator[list[WriteOutcome]]:
    """One outcome for each write, batch by batch, in the order given; many by jobs, one after the other.

    Values are absolute: a batch whose answer was lost is sent again. Writes for one account are put together, the
    later value wins. A batch that fails for now comes back as `retry`.
    """
    values: dict[str, _Values] = {}
    for write in writes:
        values.setdefault(write.source_id, {}).update(write.values)
    times = pl.Series([w.source_id for w in writes], dtype=pl.String).value_counts()
    often = dict(times.iter_rows())
    named = {f.key: f for f in fields}
    batches = (
        _by_jobs(client, named, values, sizes, notes)
        if len(values) > sizes.ingest_from
        else _by_batches(client, named, values)
    )
    for outcomes in batches:
        yield [o for o in outcomes for _ in range(often[o.source_id])]


def _by_batches(client: Client, named: _Named, values: Mapping[str, _Values]) -> Iterator[list[WriteOutcome]]:
    failed = 0
    for chunk in _chunks(list(values), BATCH):
        try:
            outcomes, failed = _written(client, named, {i: values[i] for i in chunk}), 0
        except TryAgainLater as fault:
            failed += 1
            if failed >= _MOST_IN_A_ROW:
                raise
            outcomes = [WriteOutcome(i, "retry", fault.code or str(fault.status), str(fault)) for i in chunk]
        yield outcomes


def _by_jobs(
    client: Client, named: _Named, values: Mapping[str, _Values], sizes: Sizes, notes: JobNotes
) -> Iterator[list[WriteOutcome]]:
    """One job after the other: two at a time would fight over the locks of parent accounts."""
    chunks = _chunks(list(values), sizes.ingest_rows)
    for chunk in chunks:
        rows = {i: {named[k].salesforce_name: _digits(named[k], t) for k, t in values[i].items()} for i in chunk}
        try:
            outcomes = ingest(client, KIND, rows, notes, asks=_EDIT)
        except (RequestRefused, PermissionMissing):
            # Bulk is closed to this user or org; batches do the same, with more calls.
            yield from _by_batches(client, named, {i: values[i] for i in (*chunk, *chain.from_iterable(chunks))})
            return
        again = [i for i, o in outcomes.items() if o.code in {LOCKED, NO_ANSWER}]
        # What the job took is told in any case; what is left then waits for the next run.
        with suppress(QuotaSpent, TryAgainLater):
            for few in _chunks(again[:_MOST_AGAIN], BATCH):
                outcomes |= {o.source_id: o for o in _written(client, named, {i: values[i] for i in few})}
        yield list(outcomes.values())


def _written(client: Client, named: _Named, values: Mapping[str, _Values]) -> list[WriteOutcome]:
    """A batch, and its locked rows again, in ever smaller ones. Whose lock it is, Salesforce does not say."""
    rows = {i: {named[k].salesforce_name: _spelled(named[k], t) for k, t in row.items()} for i, row in values.items()}
    outcomes = _send(client, rows)
    for wait, size in _LOCK_ROUNDS:
        locked = [i for i, o in outcomes.items() if o.code == LOCKED]
        if not locked or (size == 1 and len(locked) > _MOST_ALONE):
            break
        # Not all clients that met at a lock should come back at one and the same moment.
        client.sleep(wait * random.uniform(0.75, 1.25))  # noqa: S311  no secret
        try:
            for chunk in _chunks(locked, size):
                outcomes |= _send(client, {i: rows[i] for i in chunk})
        except (QuotaSpent, TryAgainLater):
            # The rows that were taken must not be lost with it; the next batch meets the same.
            break
    return [outcomes[i] for i in rows]


def _send(client: Client, values: Mapping[str, Mapping[str, Any]]) -> dict[str, WriteOutcome]:
    records = [{"attributes": {"type": KIND}, "id": i, **row} for i, row in values.items()]

    def whole(answer: Any) -> None:
        if not isinstance(answer, list) or len(answer) != len(records):
            raise AnswerUnclear("Salesforce did not answer each row of a batch", code="NO_ANSWER")

    body = {"allOrNone": False, "records": records}
    try:
        answer = client.send("PATCH", paths.COLLECTIONS, body, asks=_EDIT, check=whole)
    except RequestRefused as fault:
        if fault.code in FOR_ALL_ROWS:
            raise FieldsNotProvisioned(f"{fault}: run kam provision", code=fault.code, status=fault.status) from fault
        raise
    return {i: _outcome(i, row) for i, row in zip(values, _as_sent(list(values), answer), strict=True)}


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
    digits = _digits(field, text)
    return digits if digits is None or field.kind not in _NUMBERS or digits is text else orjson.Fragment(digits)


def _digits(field: CustomField, text: str | None) -> str | None:
    """The value as text: a number with all its digits and no exponent."""
    if text is None or field.kind not in _NUMBERS:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return format(number, "f") if number.is_finite() else text


def _chunks(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])

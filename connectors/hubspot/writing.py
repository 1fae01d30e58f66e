"""Reads and writes our fields on companies, a hundred a call, each answer matched to its row by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from connectors.contract import AccountWrite, Outcome, WriteOutcome
from connectors.errors import FieldsNotProvisioned, RequestRefused, TryAgainLater
from connectors.hubspot import paths
from connectors.hubspot.client import Answer, Client
from connectors.hubspot.codecs import plain_date
from connectors.hubspot.faults import code_of
from connectors.hubspot.frames import records_frame
from connectors.hubspot.records import BATCH, Wish, chunks, context_ids, fetch
from kammodel.publish.fields import CustomField, canonical

KIND = "companies"
READ_SCOPE, WRITE_SCOPE = "crm.objects.companies.read", "crm.objects.companies.write"
_READ_AT_ONCE = 1000
_MOST_IN_A_ROW = 3
"""Batches that may fail for now, one after the other, before the run stops: then it is not about the rows."""
_FOR_ALL_ROWS = {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
_PASSING = {"RATE_LIMITS", "INTERNAL_ERROR", "LOCKED", "TIMEOUT", "SERVICE_UNAVAILABLE"}
_Values = dict[str, str]


def read_fields(client: Client, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Frames of source_id and a canonical text column per field key; companies that are gone are absent."""
    names = {f.key: f.hubspot_name for f in fields}
    wish = Wish(KIND, tuple(names.values()), scope=READ_SCOPE)
    for chunk in chunks(list(dict.fromkeys(ids)), _READ_AT_ONCE):
        frame = records_frame(fetch(client, wish, chunk).records, names.values())
        asked = frame.filter(pl.col("@id").is_in(chunk)).unique("@id", keep="last", maintain_order=True)
        yield asked.select(pl.col("@id").alias("source_id"), *(_canonical(f).alias(f.key) for f in fields))


def write_fields(
    client: Client, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
) -> Iterator[list[WriteOutcome]]:
    """One outcome for each write, batch by batch.

    Values are absolute, so that a batch whose answer was lost may be sent again. Writes for one company are
    put together, the later value wins: HubSpot refuses a whole batch for an id that stands in it twice.
    """
    names = {f.key: f for f in fields}
    values: dict[str, _Values] = {}
    for write in writes:
        texts = {names[key].hubspot_name: _spelled(names[key], text) for key, text in write.values.items()}
        values.setdefault(write.source_id, {}).update(texts)
    times = pl.Series([w.source_id for w in writes], dtype=pl.String).value_counts()
    often = dict(times.iter_rows())
    failed = 0
    for chunk in chunks(list(values), BATCH):
        try:
            outcomes, failed = _write(client, {i: values[i] for i in chunk}), 0
        except TryAgainLater as fault:
            failed += 1
            if failed >= _MOST_IN_A_ROW:
                raise
            outcomes = [WriteOutcome(i, "retry", fault.code or str(fault.status), str(fault)) for i in chunk]
        yield [o for o in outcomes for _ in range(often[o.source_id])]


def _write(client: Client, values: Mapping[str, _Values]) -> list[WriteOutcome]:
    """Sends a batch. HubSpot may refuse it whole for one bad value: it is then halved until that row stands alone."""
    try:
        answer = client.post(paths.batch_update(KIND), {"inputs": _inputs(values)}, purpose="write", scope=WRITE_SCOPE)
    except RequestRefused as fault:
        if fault.code in _FOR_ALL_ROWS:
            raise FieldsNotProvisioned(f"{fault}: run kam provision", code=fault.code, status=fault.status) from fault
        if len(values) == 1:
            outcome: Outcome = "gone" if _is_gone(fault.code, fault.status) else "rejected"
            return [WriteOutcome(next(iter(values)), outcome, fault.code, str(fault))]
        ids = list(values)
        halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
        return [o for half in halves for o in _write(client, {i: values[i] for i in half})]
    return _outcomes(answer, list(values))


def _inputs(values: Mapping[str, _Values]) -> list[dict[str, Any]]:
    # With a trace id on each input HubSpot may answer 207 and name the bad row, instead of refusing all.
    return [{"id": i, "properties": texts, "objectWriteTraceId": _trace(i)} for i, texts in values.items()]


def _trace(source_id: str) -> str:
    return f"kam-{source_id}"


def _outcomes(answer: Answer, ids: list[str]) -> list[WriteOutcome]:
    """Outcomes by id: HubSpot answers in any order. A row that it says nothing about is to be tried again."""
    by_trace = {_trace(i): i for i in ids}
    told: dict[str, WriteOutcome] = {}
    for row in answer.results:
        source_id = by_trace.get(str(row.get("objectWriteTraceId")), str(row.get("id")))
        told[source_id] = WriteOutcome(source_id, "written")
    for error in answer.errors:
        code = code_of(error)
        if code in _FOR_ALL_ROWS:
            # With trace ids HubSpot says it row by row, and it is still not about the rows.
            told_by = f"HubSpot answered {answer.status} ({code})"
            raise FieldsNotProvisioned(f"{told_by}: run kam provision", code=code, status=answer.status)
        for source_id in _named(error, by_trace):
            told[source_id] = _failure(source_id, error)
    silent = "HubSpot's answer does not speak of this row"
    return [told.get(i) or WriteOutcome(i, "retry", "NO_ANSWER", silent) for i in ids]


def _named(error: dict[str, Any], by_trace: Mapping[str, str]) -> list[str]:
    context = error.get("context")
    traces = context.get("objectWriteTraceId") if isinstance(context, dict) else None
    listed = traces if isinstance(traces, list) else [traces]
    return [by_trace[str(t)] for t in listed if str(t) in by_trace] or context_ids(error)


def _failure(source_id: str, error: dict[str, Any]) -> WriteOutcome:
    code = code_of(error)
    outcome: Outcome = "rejected"
    if _is_gone(str(error.get("category")), None):
        outcome = "gone"
    elif error.get("category") in _PASSING:
        outcome = "retry"
    return WriteOutcome(source_id, outcome, code, f"HubSpot did not take the row ({code or 'no code given'})")


def _is_gone(code: str | None, status: int | None) -> bool:
    return code == "OBJECT_NOT_FOUND" or status == 404


def _canonical(field: CustomField) -> pl.Expr:
    column = pl.col(field.hubspot_name)
    if field.kind != "date":
        return canonical(field, column)
    # A date comes as a day or as its midnight in milliseconds; what is neither is shown as it is.
    return canonical(field, pl.coalesce(plain_date.decode(column).cast(pl.String), column))


def _spelled(field: CustomField, text: str | None) -> str:
    """The value as HubSpot takes it: "" clears, numbers are plain decimals without an exponent."""
    if text is None:
        return ""
    if field.kind in {"number", "percent"}:
        try:
            return format(Decimal(text), "f")
        except InvalidOperation:
            return text
    return text

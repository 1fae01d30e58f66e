"""Reads and writes our fields on companies, a hundred a call, each answer matched to its row by id."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import polars as pl

from connectors.contract import AccountWrite, Outcome, WriteOutcome
from connectors.errors import ConnectorError, FieldsNotProvisioned, RequestRefused, TryAgainLater
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer
from connectors.hubspot.client import Client
from connectors.hubspot.codecs import plain_date
from connectors.hubspot.crew import Crew, Job
from connectors.hubspot.faults import code_of
from connectors.hubspot.frames import records_frame
from connectors.hubspot.records import BATCH, Wish, chunks, context_ids, fetch
from kammodel.publish.fields import CustomField, canonical

KIND = "companies"
READ_SCOPE, WRITE_SCOPE = "crm.objects.companies.read", "crm.objects.companies.write"
_READ_AT_ONCE = 1000
_MOST_IN_A_ROW = 3
"""Batches that may fail for now, one after the other, before the run stops: then it is not about the rows."""
_LOCKED_FOR = 2.0
"""Seconds. A row that was just written, or whose parent was, stays locked for about as long.
https://developers.hubspot.com/docs/api-reference/error-handling (read 2026-11-28)"""
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
    client: Client,
    fields: Sequence[CustomField],
    writes: Sequence[AccountWrite],
    *,
    sleep: Callable[[float], None],
    traced: bool = True,
) -> Iterator[list[WriteOutcome]]:
    """One outcome for each write, batch by batch, as the batches end: several are under way at a time.

    Values are absolute, so that a batch whose answer was lost may be sent again. Writes for one company are
    put together, the later value wins: HubSpot refuses a whole batch for an id that stands in it twice. `traced`: rows
    carry a trace id. What stops the run is raised once the batches under way have ended and told their outcomes.
    """
    values = _texts(fields, writes)
    often = Counter(write.source_id for write in writes)
    writer = _Writer(client, sleep, traced=traced)
    batches = deque(chunks(list(values), BATCH))
    running: dict[Job[list[WriteOutcome]], list[str]] = {}
    fault: ConnectorError | None = None
    failed = 0
    with Crew(client.parallel) as crew:
        while running or (batches and fault is None):
            while batches and fault is None and len(running) < crew.size:
                ids = batches.popleft()
                running[crew.begin(partial(writer.write, {i: values[i] for i in ids}))] = ids
            job = crew.first(list(running))
            ids = running.pop(job)
            try:
                outcomes, failed = job.result(), 0
            except TryAgainLater as passing:
                failed += 1
                if failed >= _MOST_IN_A_ROW:
                    fault = fault or passing
                    continue
                outcomes = [WriteOutcome(i, "retry", passing.code or str(passing.status), str(passing)) for i in ids]
            except ConnectorError as final:
                fault = fault or final
                continue
            yield [o for o in outcomes for _ in range(often[o.source_id])]
    if fault is not None:
        raise fault


def _texts(fields: Sequence[CustomField], writes: Sequence[AccountWrite]) -> dict[str, _Values]:
    """What each company gets, by internal name."""
    names = {f.key: f for f in fields}
    values: dict[str, _Values] = {}
    for write in writes:
        texts = {names[key].hubspot_name: _spelled(names[key], text) for key, text in write.values.items()}
        values.setdefault(write.source_id, {}).update(texts)
    return values


class _Writer:
    """Sends batches. HubSpot may refuse one whole for one bad value: then it is halved until that row stands alone.

    With a trace id on each row HubSpot may answer 207 instead, and name the bad row. Where a batch is refused all the
    same, trace ids are of no use there, or not even understood: from then on rows go without.
    https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis (read 2026-11-28)
    """

    def __init__(self, client: Client, sleep: Callable[[float], None], *, traced: bool) -> None:
        self._client, self._sleep, self._traced = client, sleep, traced

    def write(self, values: Mapping[str, _Values]) -> list[WriteOutcome]:
        """Rows that failed for now are sent once more; what is left of them is for a later run."""
        outcomes = {o.source_id: o for o in self._send(values)}
        again = [i for i, o in outcomes.items() if o.outcome == "retry"]
        if again:
            self._sleep(_LOCKED_FOR)
            outcomes |= {o.source_id: o for o in self._send({i: values[i] for i in again})}
        return [outcomes[i] for i in values]

    def _send(self, values: Mapping[str, _Values]) -> list[WriteOutcome]:
        traced, path = self._traced, paths.batch_update(KIND)
        try:
            body = {"inputs": _inputs(values, traced=traced)}
            return _outcomes(self._client.post(path, body, purpose="write", scope=WRITE_SCOPE), list(values))
        except RequestRefused as fault:
            if fault.code in _FOR_ALL_ROWS:
                told = f"{fault}: run kam provision"
                raise FieldsNotProvisioned(told, code=fault.code, status=fault.status) from fault
            if traced and fault.status == 400:
                self._traced = False
                return self._send(values)
            if len(values) == 1:
                outcome: Outcome = "gone" if _is_gone(fault.code, fault.status) else "rejected"
                return [WriteOutcome(next(iter(values)), outcome, fault.code, str(fault))]
        ids = list(values)
        halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
        return [o for half in halves for o in self._send({i: values[i] for i in half})]


def _inputs(values: Mapping[str, _Values], *, traced: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"id": i, "properties": texts} for i, texts in values.items()]
    return [row | {"objectWriteTraceId": _trace(row["id"])} for row in rows] if traced else rows


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

"""Reads and writes our fields on companies, a hundred a call, each answer matched to its row by id."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import polars as pl

from connectors.contract import AccountWrite, Outcome, WriteOutcome
from connectors.errors import (
    ConnectorError,
    FieldsNotProvisioned,
    QuotaSpent,
    RequestRefused,
    TryAgainLater,
)
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.codecs import plain_date
from connectors.hubspot.crew import Crew, Job, at_once
from connectors.hubspot.frames import records_frame
from connectors.hubspot.ids import askable
from connectors.hubspot.looking_back import written_over
from connectors.hubspot.outcomes import FOR_ALL_ROWS, is_gone, kind_of, not_now, outcomes_of, trace_of
from connectors.hubspot.records import BATCH, BATCH_WITH_HISTORY, Wish, chunks, fetch
from kammodel.publish.fields import CustomField, unrounded

KIND = "companies"
READ_SCOPE, WRITE_SCOPE = "crm.objects.companies.read", "crm.objects.companies.write"
_READ_AT_ONCE = 1000
_MOST_IN_A_ROW = 3
"""Batches that may fail for now, one after the other, before the run stops: then it is not about the rows."""
_LOCKED_FOR = 2.0
"""Seconds. A row that was just written, or whose parent was, stays locked for about as long.
https://developers.hubspot.com/docs/api-reference/error-handling (read 2026-11-28)"""
_log = logging.getLogger(__name__)
_Values = dict[str, dict[str, str | None]]
"""Field key to canonical text, None clears, by company."""
_Texts = Mapping[str, str]
"""Values as HubSpot takes them, by internal name."""


def read_fields(client: Client, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Frames of source_id and a text column per field key, as HubSpot spells it; companies that are gone are absent."""
    names = {f.key: f.hubspot_name for f in fields}
    wish = Wish(KIND, tuple(names.values()), scope=READ_SCOPE)
    for chunk in chunks(askable(dict.fromkeys(ids), "accounts"), _READ_AT_ONCE):
        parts = at_once(client.parallel, [partial(fetch, client, wish, few) for few in chunks(chunk, wish.size)])
        frame = records_frame([record for part in parts for record in part.records], names.values())
        values = [_as_held(f, pl.col(f.hubspot_name)).alias(f.key) for f in fields]
        asked = frame.filter(pl.col("@id").is_in(chunk)).unique("@id", keep="last", maintain_order=True)
        yield asked.select(pl.col("@id").alias("source_id"), *values)


class Writer:
    """Writes companies, a hundred a call. HubSpot may refuse a batch whole for one bad value: then it is halved until
    that row stands alone.

    With a trace id on each row HubSpot may answer 207 instead, and name the bad row. Where a batch is refused all the
    same, trace ids are of no use there, or not even understood: from then on rows go without. `looks_back`: the
    history of what was written is read, to see what it went over.
    https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis (read 2026-11-28)
    """

    def __init__(
        self, client: Client, sleep: Callable[[float], None], *, traced: bool = True, looks_back: bool = True
    ) -> None:
        self._client, self._sleep, self._traced, self._looks_back = client, sleep, traced, looks_back
        # Of each batch: they are written side by side.
        self._unseen: list[int] = []

    @property
    def unseen(self) -> int:
        """Cells written so far of which nobody could see what they went over."""
        return sum(self._unseen)

    @property
    def portion(self) -> int:
        """Companies whose batches are under way at a time."""
        return BATCH * self._client.parallel

    def calls(self, accounts: int) -> int:
        """What reading and writing so many companies costs, with the look back at them."""
        batches, rest = divmod(accounts, BATCH)
        back = batches * -(-BATCH // BATCH_WITH_HISTORY) + -(-rest // BATCH_WITH_HISTORY)
        return 2 * (batches + (rest > 0)) + (back if self._looks_back else 0)

    def write(self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]) -> Iterator[list[WriteOutcome]]:
        """One outcome for each write, batch by batch, as the batches end: several are under way at a time.

        A batch that fails for now comes back as `retry`, one of which nobody knows what became of it as `unclear`.
        Writes for one company are put together, the later value wins: HubSpot refuses a whole batch for an id that
        stands in it twice. What stops the run is raised once the batches under way have ended and told their outcomes.
        """
        values, before = _together(writes)
        often = Counter(write.source_id for write in writes)
        batches = deque(chunks(list(values), BATCH))
        running: dict[Job[list[WriteOutcome]], list[str]] = {}
        fault: ConnectorError | None = None
        failed = 0
        with Crew(self._client.parallel) as crew:
            while running or (batches and fault is None):
                while batches and fault is None and len(running) < crew.size:
                    ids = batches.popleft()
                    batch = {i: values[i] for i in ids}
                    running[crew.begin(partial(self._write, fields, batch, before))] = ids
                job = crew.first(list(running))
                ids = running.pop(job)
                try:
                    outcomes, failed = job.result(), 0
                except TryAgainLater as passing:
                    failed += 1
                    if failed >= _MOST_IN_A_ROW:
                        fault = fault or passing
                        continue
                    outcomes = [not_now(i, passing) for i in ids]
                except ConnectorError as final:
                    fault = fault or final
                    continue
                yield [o for o in outcomes for _ in range(often[o.source_id])]
        if fault is not None:
            raise fault

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        """What writes that HubSpot took went over: as `WriteOutcome.overwritten`, by company. Where HubSpot does not
        show the history, nothing."""
        values, before = _together(writes)
        known = {i: row for i, row in values.items() if i in before}
        shown = {f.key for f in fields if f.for_people}
        cells = sum(len(shown & row.keys()) for row in known.values())
        if not self._looks_back or not known:
            self._unseen.append(cells)
            return {}
        try:
            over, blind = written_over(
                self._client, KIND, fields, written=known, before=before, spell=_spelled_alike, scope=READ_SCOPE
            )
        except ConnectorError as fault:
            # What was written is to be told in any case.
            self._unseen.append(cells)
            _log.warning("edits made while kam wrote could not be seen in %d companies: %s", len(known), fault)
            return {}
        self._unseen.append(blind)
        return over

    def _write(self, fields: Sequence[CustomField], values: _Values, before: _Values) -> list[WriteOutcome]:
        """Rows that were not taken for now are sent once more; what is left of them is for a later run."""
        named = {f.key: f for f in fields}
        sent = {i: {named[k].hubspot_name: _spelled(named[k], t) for k, t in row.items()} for i, row in values.items()}
        outcomes = {o.source_id: o for o in self._send(sent)}
        again = [i for i, o in outcomes.items() if o.outcome == "retry"]
        if again:
            self._sleep(_LOCKED_FOR)
            try:
                outcomes |= {o.source_id: o for o in self._send({i: sent[i] for i in again})}
            except TryAgainLater as fault:
                outcomes |= {i: not_now(i, fault) for i in again}
            except QuotaSpent:
                # What was taken must not be lost with it; the next batch meets the same.
                pass
        done = [i for i, o in outcomes.items() if o.outcome == "written" and i in before]
        over = self.overwritten(fields, [AccountWrite(i, values[i], before[i]) for i in done])
        return [replace(outcomes[i], overwritten=over.get(i, {})) for i in values]

    def _send(self, values: Mapping[str, _Texts]) -> list[WriteOutcome]:
        traced, path = self._traced, paths.batch_update(KIND)
        try:
            body = {"inputs": _inputs(values, traced=traced)}
            answer = self._client.post(path, body, purpose="write", scope=WRITE_SCOPE, repeatable=False)
            return outcomes_of(answer, list(values))
        except RequestRefused as fault:
            if fault.code in FOR_ALL_ROWS:
                told = f"{fault}: run kam provision"
                raise FieldsNotProvisioned(told, code=fault.code, status=fault.status) from fault
            if traced and fault.status == 400:
                self._traced = False
                return self._send(values)
            if len(values) == 1:
                outcome: Outcome = "gone" if is_gone(fault.code, fault.status) else "rejected"
                kind = kind_of(fault.code, None, fault.status)
                return [WriteOutcome(next(iter(values)), outcome, fault.code, str(fault), kind)]
        ids = list(values)
        halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
        return [o for half in halves for o in self._half({i: values[i] for i in half})]

    def _half(self, values: Mapping[str, _Texts]) -> list[WriteOutcome]:
        """The outcomes of a part: that it had no answer must not hide those of the other one."""
        try:
            return self._send(values)
        except TryAgainLater as fault:
            return [not_now(i, fault) for i in values]


def _together(writes: Sequence[AccountWrite]) -> tuple[_Values, _Values]:
    """What each company gets, and what it held before where that is known, by field key."""
    values: _Values = {}
    before: _Values = {}
    for write in writes:
        values.setdefault(write.source_id, {}).update(write.values)
        if write.before is not None:
            before.setdefault(write.source_id, {}).update(write.before)
    return values, before


def _inputs(values: Mapping[str, _Texts], *, traced: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"id": i, "properties": texts} for i, texts in values.items()]
    return [row | {"objectWriteTraceId": trace_of(row["id"])} for row in rows] if traced else rows


def _spelled_alike(field: CustomField, column: pl.Expr) -> pl.Expr:
    """A text column as it is compared."""
    return unrounded(field, _as_held(field, column))


def _as_held(field: CustomField, column: pl.Expr) -> pl.Expr:
    """A text column as it stands there, an empty one as null; a date comes as a day or as its midnight in milliseconds,
    and what is neither is shown as it is."""
    given = pl.when(column != "").then(column)
    return pl.coalesce(plain_date.decode(given).cast(pl.String), given) if field.kind == "date" else given


def _spelled(field: CustomField, text: str | None) -> str:
    """The value as HubSpot takes it: "" clears, numbers are plain decimals without an exponent."""
    if text is None:
        return ""
    if field.is_number:
        try:
            return format(Decimal(text), "f")
        except InvalidOperation:
            return text
    return text

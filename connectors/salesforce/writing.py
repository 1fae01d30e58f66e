"""Reads and writes our fields on accounts: by Collections of two hundred, very many by jobs."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import polars as pl

from connectors.contract import AccountWrite, Outcome, WriteOutcome
from connectors.errors import (
    AnswerUnclear,
    ConnectorError,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    TryAgainLater,
)
from connectors.salesforce import soql
from connectors.salesforce.bulk.ingest import NO_ANSWER, ingest
from connectors.salesforce.bulk.notes import JobNotes
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.collections import BATCH, EDIT, KIND, Batch, Collections, Named, chunks, digits
from connectors.salesforce.frames import text_frame
from connectors.salesforce.ids import askable
from connectors.salesforce.looking_back import History
from connectors.salesforce.outcomes import LOCKED
from connectors.salesforce.querying import read_all
from connectors.salesforce.sizes import Sizes
from kammodel.publish.fields import CustomField, without_zeros

_MOST_IN_A_ROW = 3
"""Batches that may fail for now, one after the other, before the run stops: then it is not about the rows."""
_LOCK_ROUNDS = ((1.0, 50), (2.0, 10), (4.0, 1))
"""Locked rows are tried again after so many seconds, so many at a time, alone in the end."""
_MOST_ALONE = 50
_MOST_AGAIN = 2_000
"""Rows of a job that were locked and are sent again; more wait for the next run."""
_JOB_CALLS = 12
"""Two of them look back at what it went over."""
_log = logging.getLogger(__name__)
_READ = "read access to the object Account"
Outcomes = dict[str, WriteOutcome]
Cells = dict[str, dict[str, str | None]]


def read_fields(client: Client, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Frames of source_id and a text column per field key, as Salesforce holds it; accounts that are gone are absent.
    How many zeros JSON ends a number with says nothing."""
    names = {f.key: f.salesforce_name for f in fields}
    asked = ["Id", *names.values()]
    for chunk in chunks(askable(dict.fromkeys(ids), "accounts").to_list(), soql.IDS_AT_ONCE):
        records = read_all(client, soql.select(asked, KIND, soql.any_of("Id", chunk)), asks=_READ)
        frame = text_frame(records, asked).with_columns(widened(pl.col("Id"))).unique("Id", maintain_order=True)
        held = {f.key: pl.col(f.salesforce_name) for f in fields}
        values = [(without_zeros(held[f.key]) if f.is_number else held[f.key]).alias(f.key) for f in fields]
        yield frame.select(pl.col("Id").alias("source_id"), *values)


class Writer:
    """Writes accounts: few by batches, each of which sees what it writes over; more than `sizes.ingest_from` by jobs.

    A job cannot see that. What people enter between our look at its accounts and its end is found afterwards, in the
    history of the fields that have one; in the others it is written over unseen, and the log says in how many cells.
    """

    def __init__(self, client: Client, sizes: Sizes, notes: JobNotes) -> None:
        self._client, self._sizes, self._notes = client, sizes, notes
        self._collections, self._history = Collections(client), History(client)
        self._jobs_are_closed = False
        self.unseen = 0
        """Cells written so far of which nobody could see what they went over."""

    def portion(self, accounts: int) -> int:
        """How many of so many accounts are sent at once: a job's or a batch's."""
        return self._sizes.ingest_rows if self._by_job(accounts) else BATCH

    def calls(self, accounts: int) -> int:
        """What reading and writing so many accounts costs; a job's looks at how it stands are an estimate."""
        portion = self.portion(accounts)
        whole, rest = divmod(accounts, portion)
        each = _JOB_CALLS if self._by_job(accounts) else 1 if self._collections.looks_first else 2
        reads = whole * -(-portion // soql.IDS_AT_ONCE) + -(-rest // soql.IDS_AT_ONCE)
        return reads + each * (whole + (rest > 0))

    def write(self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]) -> Iterator[list[WriteOutcome]]:
        """One outcome for each write, batch by batch, in the order given; many by jobs, one after the other.

        Writes for one account are put together, the later value wins. A batch that fails for now comes back as
        `retry`, one of which nobody knows what became of it as `unclear`: nothing is sent twice unseen.
        """
        values, before = _together(writes)
        often = Counter(write.source_id for write in writes)
        named = {f.key: f for f in fields}
        batches = self._jobs if self._by_job(len(values)) else self._batches
        for outcomes in batches(named, values, before):
            yield [o for o in outcomes for _ in range(often[o.source_id])]

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        """What writes that Salesforce took went over: as `WriteOutcome.overwritten`, by account. Of fields without a
        history, nothing."""
        values, before = _together(writes)
        known = {i: row for i, row in values.items() if i in before}
        if not known:
            return {}
        shown = [f for f in fields if f.for_people]
        try:
            blind = {f.key for f in shown} - {f.key for f in self._history.kept(shown)}
            over, missing = self._history.written_over(fields, written=known, before=before)
        except ConnectorError as fault:
            # What was written is to be told in any case.
            self._tell_unseen(_cells_of({f.key for f in shown}, known), known, str(fault))
            return {}
        untracked = "the org keeps no history of their fields (kam provision tracks what it can)"
        self._tell_unseen(_cells_of(blind, known), known, untracked)
        self._tell_unseen(missing, known, "what their history tells last is not our change, nor one after it")
        return over

    def _tell_unseen(self, cells: int, written: Batch, why: str) -> None:
        if cells:
            self.unseen += cells
            text = "edits made while kam wrote could not be seen in %d cells of %d accounts: %s"
            _log.warning(text, cells, len(written), why)

    def _by_job(self, accounts: int) -> bool:
        return accounts > self._sizes.ingest_from and not self._jobs_are_closed

    def _batches(self, named: Named, values: Batch, before: Batch) -> Iterator[list[WriteOutcome]]:
        failed = 0
        for chunk in chunks(list(values), BATCH):
            try:
                outcomes, failed = self._written(named, {i: values[i] for i in chunk}, before), 0
            except TryAgainLater as fault:
                failed += 1
                if failed >= _MOST_IN_A_ROW:
                    raise
                outcomes = [_not_now(i, fault) for i in chunk]
            yield outcomes

    def _jobs(self, named: Named, values: Batch, before: Batch) -> Iterator[list[WriteOutcome]]:
        """One job after the other: two at a time would fight over the locks of parent accounts."""
        portions = chunks(list(values), self._sizes.ingest_rows)
        for chunk in portions:
            rows = {i: {named[k].salesforce_name: digits(named[k], t) for k, t in values[i].items()} for i in chunk}
            try:
                outcomes = ingest(self._client, KIND, rows, self._notes, asks=EDIT)
            except (RequestRefused, PermissionMissing):
                # Bulk is closed to this user or org; batches do the same, with more calls.
                self._jobs_are_closed = True
                left = (*chunk, *chain.from_iterable(portions))
                yield from self._batches(named, {i: values[i] for i in left}, before)
                return
            if all(o.code == NO_ANSWER for o in outcomes.values()):
                # Taken, and then not carried out: there may be no jobs left today.
                self._jobs_are_closed = True
            outcomes = self._seen(named, values, before, outcomes)
            again = [i for i, o in outcomes.items() if o.code == LOCKED]
            # What the job took is told in any case; what is left then waits for the next run.
            with suppress(QuotaSpent, TryAgainLater):
                for few in chunks(again[:_MOST_AGAIN], BATCH):
                    written = self._written(named, {i: values[i] for i in few}, before)
                    outcomes |= {o.source_id: o for o in written}
            yield list(outcomes.values())

    def _sent(self, named: Named, values: Batch, before: Batch) -> Outcomes:
        """A batch, which sees what it writes over as it goes, or, where no composite can, afterwards."""
        outcomes = self._collections.send(named, values, before)
        return outcomes if self._collections.looks_first else self._seen(named, values, before, outcomes)

    def _seen(self, named: Named, values: Batch, before: Batch, outcomes: Outcomes) -> Outcomes:
        """The outcomes with what was written over, as the history of the fields tells it."""
        done = [i for i, o in outcomes.items() if o.outcome == "written" and i in before]
        writes = [AccountWrite(i, dict(values[i]), before[i]) for i in done]
        over = self.overwritten(list(named.values()), writes)
        return outcomes | {i: replace(outcomes[i], overwritten=theirs) for i, theirs in over.items()}

    def _written(self, named: Named, values: Batch, before: Batch) -> list[WriteOutcome]:
        """A batch, and its locked rows again, in ever smaller ones. Whose lock it is, Salesforce does not say."""
        outcomes = self._sent(named, values, before)
        for wait, size in _LOCK_ROUNDS:
            locked = [i for i, o in outcomes.items() if o.code == LOCKED]
            if not locked or (size == 1 and len(locked) > _MOST_ALONE):
                break
            # Not all clients that met at a lock should come back at one and the same moment.
            self._client.sleep(wait * random.uniform(0.75, 1.25))  # noqa: S311  no secret
            for chunk in chunks(locked, size):
                try:
                    outcomes |= self._sent(named, {i: values[i] for i in chunk}, before)
                except AnswerUnclear as fault:
                    outcomes |= {i: _not_now(i, fault) for i in chunk}
                except (QuotaSpent, TryAgainLater):
                    # The rows that were taken must not be lost with it; the next batch meets the same.
                    return list(outcomes.values())
        return list(outcomes.values())


def _together(writes: Sequence[AccountWrite]) -> tuple[Cells, Cells]:
    """What each account gets, and what it held before where that is known, by field key."""
    values: Cells = {}
    before: Cells = {}
    for write in writes:
        values.setdefault(write.source_id, {}).update(write.values)
        if write.before is not None:
            before.setdefault(write.source_id, {}).update(write.before)
    return values, before


def _cells_of(keys: set[str], written: Batch) -> int:
    return sum(len(keys & row.keys()) for row in written.values())


def _not_now(source_id: str, fault: TryAgainLater) -> WriteOutcome:
    """The outcome of a row whose batch had no answer, or was not taken for now."""
    outcome: Outcome = "unclear" if isinstance(fault, AnswerUnclear) else "retry"
    return WriteOutcome(source_id, outcome, fault.code or str(fault.status), str(fault), "other")

"""Who writes into a CRM writes alone, which jobs that runs before have left in it must not spoil."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.contract import Connector, Identity, WritesByJobs
from flows.pipeline.leasing import Held, sole_writer
from flows.pipeline.progress import Clock
from kammodel.store import Store, write_jobs

LONGEST_LIFE = dt.timedelta(days=8)
"""After which a job is not asked for any more: Salesforce ends jobs of its own accord after seven days."""


@contextmanager
def writing_alone(connector: Connector, store: Store, clock: Clock) -> Iterator[Held]:
    """As `sole_writer`, for whoever looks at what the CRM holds, or writes into it: jobs that were left behind have
    ended before, whichever machine began them. Raises Taken while another run writes, JobUnderWay while a job may."""
    identity = connector.identify()
    with sole_writer(store, identity.source, identity.instance, clock) as lease:
        if isinstance(connector, WritesByJobs):
            with connector.noting(_Book(store, identity, lease)):
                yield lease
        else:
            yield lease


@dataclass(frozen=True)
class _Book:
    """The jobs of one org, in the store."""

    store: Store
    identity: Identity
    lease: Held

    @property
    def _of(self) -> dict[str, str]:
        return {"source": self.identity.source, "instance": self.identity.instance}

    def noted(self) -> list[str]:
        with self.store.transaction() as tx:
            write_jobs.forget(tx, **self._of, before=self.lease.clock() - LONGEST_LIFE)
            return write_jobs.noted(tx, **self._of)

    def note(self, job_id: str) -> None:
        with self.store.transaction() as tx:
            self.lease.renew(tx)
            write_jobs.note(tx, job_id, **self._of, at=self.lease.clock())

    def strike(self, job_ids: Iterable[str]) -> None:
        with self.store.transaction() as tx:
            write_jobs.strike(tx, job_ids, **self._of)

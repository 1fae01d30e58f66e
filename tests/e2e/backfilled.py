"""A Salesforce org whose past a worker's run reads into a store of its own, to be disturbed and compared."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import ServedCompany, same_in, serving
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import pull
from kammodel.entities import ENTITIES, BackfillWindow, ExchangeRate, PipelineStage, User
from kammodel.entities.envelope import OURS as STAMPS
from kammodel.publish.fields import FIELDS
from kammodel.store import Store, plans
from tests.e2e.prefect_worker import Api, awaited, worker
from tests.pipeline.salesforce_desk import LEAN

DEPLOYMENT = "kam-backfill/crm-months"
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
READ_WHOLE = (ExchangeRate, PipelineStage, User)
"""No backfill reads them: each pull does, in full."""
MONTHS = dt.timedelta(days=400)
BESIDE = {
    "entity_version": ("version_id", "recorded_at"),
    "rejected_record": ("rejected_at", "resolved_at"),
    "backfill_window": ("read_until", "resume_point", "rows_read", "rows_rejected", "closed_at"),
    # Each org's users were made as it was opened, and the fingerprint is of them too.
    "score_snapshot": ("snapshot_id", "run_id", "recorded_at", "inputs_fingerprint"),
}
"""What a backfill fills beside the entities, and which columns of it are the hour, the name or the course of a run."""


@dataclass(frozen=True)
class Past:
    """An org with our fields, an empty store, and the worker that may fill it. `day`: the last one to be read;
    `bookmarks`: of the pull before, which a backfill leaves alone."""

    api: Api
    folder: Path
    served: ServedCompany
    day: dt.date
    bookmarks: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def file(self) -> Path:
        """The store's."""
        return self.folder / "kam.db"

    @property
    def store(self) -> str:
        """Its address."""
        return f"sqlite:///{self.file}"

    def worker(self) -> AbstractContextManager[Popen[bytes]]:
        own = {"KAM_HOME": str(self.folder), "KAM_STORE_URL": self.store}
        return worker(self.api, self.folder, self.served.environment() | own)

    def begin(self) -> str:
        """A run from the UI that reads a year of months, scores, and writes what changed."""
        span = {"first": (self.day - MONTHS).isoformat(), "last": self.day.isoformat()}
        return self.api.start(DEPLOYMENT, of="crm", crm="salesforce", write_back=True, **span)

    def ended(self, run_id: str) -> str:
        """The name of the state that the run ends in."""
        return str(self.api.ended(run_id, *OVER)["state_name"])

    @property
    def calls(self) -> int:
        """How many the org has been asked so far."""
        assert self.served.salesforce is not None
        return len(self.served.salesforce.faults.log)

    def reaches(self, calls: int, run_id: str) -> bool:
        """Whether the org is asked so many calls before the run is over; answers the moment it is."""
        return bool(
            awaited(
                lambda: self.calls >= calls or (False if self.api.run(run_id)["state_type"] in OVER else None),
                every=0.02,
            )
        )

    def slow_down(self) -> None:
        """From now on each call is refused once, and comes again when whoever made it has waited."""
        assert self.served.salesforce is not None
        for number in range(200):
            self.served.salesforce.faults.at(2 * number, "503")

    def hurry_up(self) -> None:
        """No call is refused any more. What was asked so far is forgotten."""
        assert self.served.salesforce is not None
        self.served.salesforce.faults.clear()

    def contents(self) -> dict[str, pl.DataFrame]:
        """Every table that a backfill fills, less the hour and name of a run; and the org's accounts. The bookmarks of
        the pull before are as they were, stamps and all."""
        with closing(Store(self.store)) as store:
            found = rows_of(store)
            with store.transaction() as tx:
                instance = found["Account"]["source_instance"][0]
                found["ledger"] = plans.ledger(tx, "salesforce", instance).sort(pl.all())
        assert_frame_equal(_table(self.file, "bookmark"), self.bookmarks, check_exact=True)
        found |= {name: _table(self.file, name).drop(*less).sort(pl.all()) for name, less in BESIDE.items()}
        return found | {"org": pl.DataFrame(self._accounts(), infer_schema_length=None).sort("Id")}

    def _accounts(self) -> list[dict[str, Any]]:
        assert self.served.company.org is not None
        return [
            {k: str(v) for k, v in row.items() if k == "Id" or k.startswith("KAM_")}
            for row in self.served.company.org.records("Account")
        ]


def rows_of(store: Store) -> dict[str, pl.DataFrame]:
    """Every table that a backfill fills, less the hour and name of a run."""
    return {one.__name__: store.read(one).drop(*STAMPS).sort(pl.all()) for one in ENTITIES if one not in READ_WHOLE}


def _table(file: Path, name: str) -> pl.DataFrame:
    """A table as it stands in the file."""
    with closing(sqlite3.connect(file)) as rows:
        found = rows.execute(f"SELECT * FROM {name}")
        columns = [column[0] for column in found.description]
        return pl.DataFrame(found.fetchall(), schema=columns, orient="row", infer_schema_length=None)


def lose_rows(file: Path) -> None:
    """The rows of a store are lost, and what backfills have read. The bookmarks stay: there is nothing to pull."""
    Store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as rows, rows:
        for entity in (*(one for one in ENTITIES if one not in READ_WHOLE), BackfillWindow):
            rows.execute(f"DELETE FROM {entity.__tablename__}")


@contextmanager
def past_of(book: Book, api: Api, folder: Path) -> Iterator[Past]:
    """The org's clock is that of the day: the worker's process knows no other time."""
    folder.mkdir()
    company = same_in(
        book, Clock(dt.datetime.now(dt.UTC), running=True), "salesforce", org_settings=OrgSettings(**LEAN)
    )
    with serving(company) as served:
        provision(served)
        past = Past(api, folder, served, book.now.date() - dt.timedelta(days=1))
        _lose_the_past(past)
        yield replace(past, bookmarks=_table(past.file, "bookmark"))


def provision(served: ServedCompany) -> None:
    """Makes our fields in the org, as its admin."""
    with closing(_connector(served)) as connector:
        connector.provision(FIELDS, "en")


def _lose_the_past(past: Past) -> None:
    """A pull has read everything, and the rows were lost: what is not read again by a backfill stays lost."""
    with closing(_connector(past.served)) as connector, closing(Store(past.store)) as store:
        pull(connector, store, _now)
    lose_rows(past.file)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _connector(served: ServedCompany) -> SalesforceConnector:
    assert served.salesforce is not None
    assert served.company.org is not None
    own = served.company.org.settings
    return SalesforceConnector(
        SalesforceSettings(instance_url=served.salesforce.url, client_id=own.client_id, client_secret=own.client_secret)
    )

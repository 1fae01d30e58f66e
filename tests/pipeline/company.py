"""A company's served CRMs with kam pointed at them, for whole conversations over real HTTP and a real SQLite file."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, ServedCompany, serving
from flows.pipeline import apply, plan, pull, score
from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, ScoreReceipt
from kammodel.publish.fields import FIELDS, OURS
from kammodel.scoring import ScoringConfig
from kammodel.store import Store
from kammodel.tiering import load_policy

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
_PATIENCE = Patience(sleep=lambda _: None)


@dataclass
class Office:
    """What ops has: a store, connectors, and the present time, which is the CRMs' own."""

    store: Store
    served: ServedCompany
    connectors: list[Connector]
    language: str = "en"
    as_of: dt.date | None = None
    pulls: list[PullReceipt] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return self.served.company.clock

    def config(self) -> ScoringConfig:
        return ScoringConfig(
            as_of=self.as_of or self.clock.now().date(),
            timezone="Europe/Madrid",
            reporting_currency="EUR",
            system_of_record="salesforce",
            language="en",
            policy=load_policy(None),
            release="test",
        )

    def provision(self) -> None:
        for connector in self.connectors:
            connector.provision(FIELDS, self.language)
        self.reconnect()

    def reconnect(self) -> None:
        """What a new process would do: sign in again, and look at the CRM again."""
        for connector in self.connectors:
            connector.close()
        self.connectors[:] = _connectors(self.served)

    def pull(self) -> list[PullReceipt]:
        self.reconnect()
        return [pull(c, self.store, self.clock.now) for c in self.connectors]

    def score(self) -> ScoreReceipt:
        return score(self.store, self.config(), self.clock.now)

    def plan(self) -> list[PlanReceipt]:
        return [plan(c, self.store, self.config(), self.clock.now) for c in self.connectors]

    def apply(self) -> list[ApplyReceipt]:
        return [apply(c, self.store, None, self.clock.now) for c in self.connectors]

    def run(self) -> tuple[list[PullReceipt], ScoreReceipt, list[PlanReceipt], list[ApplyReceipt]]:
        """Pull, score, plan, apply; then an hour passes."""
        done = (self.pull(), self.score(), self.plan(), self.apply())
        self.clock.advance(HOUR)
        return done

    def held_by(self, name: str) -> dict[str, dict[str, str | None]]:
        """Our fields in a CRM: account id -> field key -> canonical text."""
        connector = next(c for c in self.connectors if c.name == name)
        ids = self.accounts(name)
        frames = list(connector.read_fields(OURS, ids)) if ids else []
        rows = pl.concat(frames).iter_rows(named=True) if frames else iter(())
        return {row.pop("source_id"): row for row in rows}

    def accounts(self, name: str) -> list[str]:
        from kammodel.entities import Account

        known = self.store.read(Account, ["source", "source_id", "deleted"])
        return known.filter((pl.col("source") == name) & ~pl.col("deleted"))["source_id"].to_list()


@contextmanager
def office(company: Company, folder: Path, loaded: Path | None = None, url: str | None = None) -> Iterator[Office]:
    """Serves a company and opens a store beside it until the block ends: an empty one, or a copy of `loaded`; in the
    folder, or at an address."""
    if loaded is not None:
        shutil.copy(loaded, folder / "kam.db")
    with ExitStack() as stack:
        served = stack.enter_context(serving(company))
        store = stack.enter_context(Store(url or f"sqlite:///{folder / 'kam.db'}"))
        desk = Office(store, served, _connectors(served))
        try:
            yield desk
        finally:
            for connector in desk.connectors:
                connector.close()


def _connectors(served: ServedCompany) -> list[Connector]:
    connectors: list[Connector] = []
    if served.salesforce is not None and served.company.org is not None:
        org = served.company.org.settings
        settings = SalesforceSettings(
            instance_url=served.salesforce.url, client_id=org.client_id, client_secret=org.client_secret
        )
        connectors.append(SalesforceConnector(settings, patience=_PATIENCE))
    if served.hubspot is not None and served.company.portal is not None:
        token = served.company.portal.settings.access_token
        settings_ = HubSpotSettings(base_url=served.hubspot.url, access_token=token)
        connectors.append(HubSpotConnector(settings_, patience=_PATIENCE))
    return connectors


def small_book(accounts: int = 60) -> Book:
    from connectors.sandbox.seed import seeded_book

    return seeded_book(accounts, NOW)

"""Both CRMs with a book in them and people at work, and the store that was filled from each: to be copied."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN, unhurried
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET, OrgSettings
from connectors.sandbox.seed import seeded_book
from flows.pipeline import pull
from flows.pipeline.reconciling import reconcile
from flows.results import ReconcileReceipt
from kammodel.entities import Account, Activity, Opportunity, Person, Sourced
from kammodel.store import Store
from tests.contract import hubspot_world, salesforce_connected
from tests.pipeline.steps import HOUR, NO_WAIT

Name = Literal["salesforce", "hubspot"]
NOW = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC)
_NO_END = 10**9
_RIGHT_BEFORE = dt.timedelta(minutes=10)
STREAMS: dict[Name, dict[str, type[Sourced]]] = {
    "salesforce": {"accounts": Account, "opportunities": Opportunity, "tasks": Activity, "contacts": Person},
    "hubspot": {"accounts": Account, "opportunities": Opportunity, "calls": Activity, "contacts": Person},
}
ACTIVITIES: dict[Name, str] = {"salesforce": "tasks", "hubspot": "calls"}
PREFIXES = {"tasks": "00T", "calls": "call:"}
SEARCHED = ("queryAll", "/search", "batch/read")


@dataclass
class Busy:
    """Lets people do something before each call that counts or looks is answered, the next one each time."""

    inner: ASGIApp
    acts: Iterator[Callable[[], object]]
    done: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(part in str(scope.get("path")) for part in SEARCHED):
            next(self.acts)()
            self.done += 1
        await self.inner(scope, receive, send)


@dataclass
class Slow:
    """A Salesforce that cannot count in time."""

    inner: ASGIApp
    counts: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"COUNT%28" not in (asked := bytes(scope.get("query_string", b""))) and b"COUNT(" not in asked:
            await self.inner(scope, receive, send)
            return
        self.counts += 1
        fault = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
        await JSONResponse(fault, status_code=400)(scope, receive, send)


@dataclass
class Office:
    """One CRM, and the file of a store in which all of it was read."""

    name: Name
    front: salesforce_connected.Front | hubspot_world.Front
    there: Org | Portal
    loaded: Path
    made: dict[str, list[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    """Records that the next pull reads again: people have edited them since all was read, or right before."""
    spared: frozenset[str] = frozenset()
    """Records that they leave alone."""
    _connector: Connector | None = None

    def connector(self) -> Connector:
        """One that has signed in and seen the catalogue."""
        self._connector = self._connector or self._connected()
        return self._connector

    def _connected(self) -> Connector:
        if self.name == "salesforce":
            given = {"instance_url": self.front.url, "client_id": CLIENT_ID, "client_secret": SecretStr(CLIENT_SECRET)}
            return SalesforceConnector(SalesforceSettings(**given), patience=NO_WAIT)
        settings = HubSpotSettings(base_url=self.front.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=1)
        return HubSpotConnector(settings, patience=NO_WAIT)

    @contextmanager
    def store(self, folder: Path) -> Iterator[Store]:
        """A copy of the store."""
        shutil.copy(self.loaded, folder / "kam.db")
        with Store(f"sqlite:///{folder / 'kam.db'}") as opened:
            yield opened

    def pull(self, store: Store) -> None:
        pull(self.connector(), store, self.there.clock.now)

    def reconcile(self, store: Store, *, repair: bool = False) -> ReconcileReceipt:
        return reconcile(self.connector(), store, self.there.clock.now, repair=repair)

    @contextmanager
    def busy(self, rng: random.Random) -> Iterator[Busy]:
        """People edit, create and delete while the block counts."""
        inner = self.front.app
        assert inner is not None
        hook = self.front.app = Busy(inner, self._acts(rng))
        yield hook
        self.front.app = inner

    @contextmanager
    def slow(self) -> Iterator[Slow]:
        """No count ends in time while the block counts."""
        inner = self.front.app
        assert inner is not None
        hook = self.front.app = Slow(inner)
        yield hook
        self.front.app = inner

    def _acts(self, rng: random.Random) -> Iterator[Callable[[], object]]:
        while True:
            yield lambda: self.someone(rng, rng.choice(("edit", "edit", "create", "delete", "amount")))

    def someone(self, rng: random.Random, does: str) -> None:
        """Does something to a record; amounts are of opportunities, what is deleted was made here."""
        there, opportunity = self.there, "Opportunity" if isinstance(self.there, Org) else "deals"
        kind = opportunity if does == "amount" else ("Account" if isinstance(there, Org) else "companies")
        if does == "create":
            made = (
                there.create(kind, {"Name": "New"}) if isinstance(there, Org) else there.create(kind, {"name": "New"})
            )
            self.made.setdefault(kind, []).append(made if isinstance(made, str) else str(made.id))
        elif does == "delete" and self.made.get(kind):
            self.delete(kind, self.made[kind].pop())
        elif does == "amount":
            self.edit(kind, rng.choice(self.edited(kind)), {"amount": str(rng.randrange(100, 9000))})
        else:
            self.edit(kind, rng.choice(self.edited(kind)), {"name": f"Edited {rng.random()}"})

    def delete(self, kind: str, record_id: str) -> None:
        if isinstance(self.there, Org):
            self.there.delete(kind, record_id)
        else:
            self.there.archive(kind, record_id)

    def edit(self, kind: str, record_id: str, values: dict[str, str]) -> None:
        self.touched.add(record_id)
        if isinstance(self.there, Org):
            self.there.update(kind, record_id, {k.title(): float(v) if k == "amount" else v for k, v in values.items()})
        else:
            self.there.update(kind, record_id, values)

    def edited(self, kind: str) -> list[str]:
        """What people work on: a few records, again and again."""
        return [i for i in sorted(self.live(kind)) if i not in self.spared][:8]

    def live(self, kind: str) -> list[str]:
        if isinstance(self.there, Org):
            return [str(r["Id"]) for r in self.there.records(kind) if not r["IsDeleted"]]
        return [str(i) for i in self.there.shelf(self.there.known(kind)).live_ids()]


@contextmanager
def opened(name: Name, folder: Path, companies: int = 120) -> Iterator[Office]:
    """A CRM served, and read an hour ago."""
    with ExitStack() as stack:
        # A day of a thousand reconciliations.
        org = OrgSettings(daily_api_requests=_NO_END)
        portal = replace(unhurried(), daily_requests=_NO_END, associations_daily_requests=_NO_END)
        company = same_in(seeded_book(companies, NOW), Clock(NOW), name, org_settings=org, portal_settings=portal)
        if name == "salesforce":
            front = stack.enter_context(salesforce_connected.open_front())
            assert company.org is not None
            office = Office(name, front, front.show(company.org), folder / "loaded.db")
        else:
            desk = stack.enter_context(hubspot_world.open_front())
            assert company.portal is not None
            office = Office(name, desk, desk.show(company.portal), folder / "loaded.db")
        with Store(f"sqlite:///{office.loaded}") as store:
            office.pull(store)
            for entity in STREAMS[name].values():
                late = store.read(entity, ["source_id", "updated_at"]).filter(
                    pl.col("updated_at") > NOW - _RIGHT_BEFORE
                )
                office.touched.update(i.rpartition(":")[2] for i in late["source_id"])
        office.there.clock.advance(HOUR)
        yield office
        office.connector().close()


def drop(store: Store, entity: type[Sourced], ids: Sequence[str]) -> None:
    """Rows that never came."""
    with store.transaction() as tx:
        tx.run(f'DELETE FROM "{entity.__tablename__}" WHERE source_id=:id', [{"id": i} for i in ids])


def put_in(store: Store, office: Office, number: int) -> list[str]:
    """Activities of ids that the CRM never had, made when a true one was."""
    prefix = PREFIXES[ACTIVITIES[office.name]]
    like = ids_of(store, Activity, "source_id", prefix)[0]
    own = office.name == "salesforce"
    ids = [salesforce_id(prefix, 700_000 + n) if own else f"{prefix}{9_000_000 + n}" for n in range(number)]
    with store.transaction() as tx:
        tx.run(
            "INSERT INTO activity (source, source_instance, source_id, created_at, deleted, synced_at, "
            "content_changed_at, is_calendar, is_counted) SELECT source, source_instance, :id, created_at, FALSE, 1, "
            "1, FALSE, TRUE FROM activity WHERE source_id=:like",
            [{"id": i, "like": like} for i in ids],
        )
    return ids


def ids_of(store: Store, entity: type[Sourced], order: str, prefix: str = "") -> list[str]:
    """Live rows in an order in which pages may have come."""
    rows = store.read(entity).filter(~pl.col("deleted") & pl.col("source_id").str.starts_with(prefix))
    return rows.sort(order, "source_id")["source_id"].to_list()


def wrong(receipt: ReconcileReceipt) -> dict[str, int]:
    """Records that nothing explains, by stream."""
    found: dict[str, int] = {}
    for one in receipt.windows:
        if one.verdict == "differs":
            found[one.stream] = found.get(one.stream, 0) + one.wrong
    return found

"""A store beside a small Salesforce org, where every pull is a new process; one server for many orgs."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.mapping_file import NONE, Overrides
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.org import Org
from flows.pipeline import pull
from flows.results import PullReceipt, StreamReceipt
from kammodel.entities import Sourced
from kammodel.store import Store
from tests.contract.salesforce_connected import Front, connected

LEAN = dict.fromkeys(
    (
        "contacts_to_multiple_accounts",
        "account_teams",
        "account_plans",
        "products",
        "contracts",
        "orders",
        "assets",
        "opportunity_field_history",
    ),
    False,
)
"""Settings of an org without what has to be switched on: half as many streams, and a pull in half the time."""


@dataclass
class Desk:
    """What ops has: a store, an org, and the present time, which is the org's own."""

    front: Front
    there: Org
    store: Store

    def pull(
        self, *, full: bool = False, sizes: Sizes | None = None, overrides: Overrides = NONE, **settings: Any
    ) -> PullReceipt:
        self.front.faults.log.clear()
        with connected(self.front, sizes=sizes, overrides=overrides, **settings) as connector:
            return pull(connector, self.store, self.there.clock.now, full=full)

    def live(self, entity: type[Sourced]) -> set[str]:
        """Ids that the store takes to be there."""
        return set(self.store.read(entity).filter(~pl.col("deleted"))["source_id"])

    def there_are(self, kind: str) -> set[str]:
        """Ids that the org has, outside of its bin."""
        return {str(r["Id"]) for r in self.there.records(kind) if not r.get("IsDeleted")}

    def stamps(self, entity: type[Sourced]) -> dict[str, dt.datetime | None]:
        """The change stamp of what the store takes to be there, by id."""
        rows = self.store.read(entity, ["source_id", "updated_at", "deleted"]).filter(~pl.col("deleted"))
        return dict(rows.select("source_id", "updated_at").iter_rows())

    def stamps_there(self, kind: str) -> dict[str, dt.datetime | None]:
        """The same of what the org has."""
        rows = (r for r in self.there.records(kind) if not r.get("IsDeleted"))
        return {str(r["Id"]): dt.datetime.strptime(r["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.%f%z") for r in rows}

    def row(self, entity: type[Sourced], source_id: str) -> dict[str, Any]:
        """A record as the store has it."""
        return self.store.read(entity).row(by_predicate=pl.col("source_id") == source_id, named=True)

    def meanwhile(self, path: str, act: Callable[[], object], *, at: int = 1) -> list[str]:
        """Has something done just before the first call (or that number `at`) whose `METHOD path` holds a text is
        answered. The list that it gives holds such calls as they come."""
        assert self.front.app is not None
        hook = _Meanwhile(self.front.app, path, act, at)
        self.front.app = hook
        return hook.met


@dataclass
class _Meanwhile:
    inner: ASGIApp
    path: str
    act: Callable[[], object]
    at: int

    def __post_init__(self) -> None:
        self.met: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = f"{scope.get('method')} {scope.get('path')}"
        if self.path in called:
            self.met.append(called)
            if len(self.met) == self.at:
                self.act()
        await self.inner(scope, receive, send)


@contextmanager
def opened(front: Front, folder: Path, there: Org, loaded: Path | None = None) -> Iterator[Desk]:
    """Shows an org, and opens a store beside it until the block ends: an empty one, or a copy of `loaded`."""
    file = folder / "kam.db"
    if loaded is not None:
        shutil.copy(loaded, file)
    with Store(f"sqlite:///{file}") as store:
        yield Desk(front, front.show(there), store)


def of(receipt: PullReceipt, stream: str) -> StreamReceipt:
    """What became of a stream."""
    return next(s for s in receipt.streams if s.stream == stream)

"""The Salesforce connector to a small book served as an org, one server for many orgs."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.contract import AccountWrite, WriteOutcome
from connectors.mapping_file import NONE, Overrides
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.app import refuse, salesforce_app
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET, OrgSettings
from connectors.sandbox.serving import served
from kammodel.publish.fields import FIELDS, OURS
from tests.contract.hubspot_world import small_book

HOUR, SECOND = dt.timedelta(hours=1), dt.timedelta(seconds=1)


def org(book: Book | None = None, **settings: Any) -> Org:
    """The org of a book, its clock standing at the book's now."""
    found = book or small_book()
    return Org.from_book(found, Clock(found.now), {1: "123456"}, OrgSettings(**settings))


@dataclass
class Front:
    """A server whose org is changed between tests: starting one takes longer than most tests."""

    url: str = ""
    faults: Faults = field(default_factory=Faults)
    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def show(self, there: Org) -> Org:
        self.app = salesforce_app(there)
        self.faults.clear()
        return there

    def asked(self, part: str) -> int:
        """Calls whose `METHOD path` contains a text."""
        return sum(part in f"{call.method} {call.path}" for call in self.faults.log)


@contextmanager
def open_front() -> Iterator[Front]:
    front = Front()
    with served(front, refuse) as there:
        front.url, front.faults = there.url, there.faults
        yield front


@contextmanager
def connected(
    front: Front,
    sleep: Callable[[float], None] = lambda _: None,
    *,
    sizes: Sizes | None = None,
    overrides: Overrides = NONE,
    state: Path | None = None,
    **settings: Any,
) -> Iterator[SalesforceConnector]:
    given = {"instance_url": front.url, "client_id": CLIENT_ID, "client_secret": SecretStr(CLIENT_SECRET)}
    patience = Patience(sleep=sleep)
    connector = SalesforceConnector(
        SalesforceSettings(**{**given, **settings}), patience=patience, state=state, sizes=sizes, overrides=overrides
    )
    try:
        yield connector
    finally:
        connector.close()


def provisioned(front: Front, **settings: Any) -> Org:
    """An org that has our fields, and a log without the calls that this took."""
    there = front.show(org(**settings))
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
    front.faults.clear()
    return there


def write(connector: SalesforceConnector, *writes: AccountWrite) -> dict[str, WriteOutcome]:
    """The outcome of each write, by account."""
    return {o.source_id: o for batch in connector.write_fields(OURS, writes) for o in batch}


def held(connector: SalesforceConnector, *ids: str) -> dict[str, dict[str, str | None]]:
    """What our fields hold, by account and field key."""
    rows = [row for frame in connector.read_fields(FIELDS, ids) for row in frame.to_dicts()]
    return {row.pop("source_id"): row for row in rows}

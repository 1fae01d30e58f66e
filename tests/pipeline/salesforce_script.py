"""Two weeks of an org, step by step: what its people do, and what kam does then, by all the roads there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from connectors.contract import Stream
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import two_crms
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.telling.salesforce import SalesforceDeeds
from flows.pipeline import apply, plan, pull, score
from flows.results import ApplyReceipt
from kammodel.publish.fields import FIELDS
from kammodel.scoring import ScoringConfig
from kammodel.store import Store
from kammodel.tiering import load_policy
from tests.contract.salesforce_connected import Front
from tests.pipeline.company import HOUR, NOW, small_book

DAY = dt.timedelta(days=1)
SIZES = Sizes(bulk_from=150, page_rows=60, job_rows=120, ingest_from=20, ingest_rows=15)
"""So small that a small org takes every road: pages and jobs, several windows, batches and ingest jobs."""
UNSEEN = salesforce_id("00T", 99_999)
_NO_WAIT = Patience(sleep=lambda _: None)


def first_org() -> Org:
    """The org at the beginning: its pages are small, and it lacks what its describes then have to say."""
    knobs = OrgSettings(
        query_page_rows=50,
        account_plans=False,
        account_teams=False,
        products=False,
        contracts=False,
        orders=False,
        assets=False,
    )
    org = two_crms(small_book(40), Clock(NOW), org_settings=knobs).org
    assert org is not None
    return org


class OneStream(SalesforceConnector):
    """Serves a single stream, if one is named: a pull of it alone, by a process that has signed in."""

    only: str | None = None

    def streams(self) -> tuple[Stream, ...]:
        return tuple(s for s in super().streams() if self.only in {None, s.name})


@dataclass
class Desk:
    """Kam at the org that a server shows: all is done by the connector of the moment."""

    front: Front
    org: Org
    store: Store
    _connector: OneStream | None = field(default=None, init=False)

    @property
    def connector(self) -> OneStream:
        if self._connector is None:
            knobs = self.org.settings
            settings = SalesforceSettings(
                instance_url=self.front.url, client_id=knobs.client_id, client_secret=knobs.client_secret
            )
            self._connector = OneStream(settings, patience=_NO_WAIT, sizes=SIZES)
        return self._connector

    def hang_up(self) -> None:
        """What comes next is done by a new process."""
        if self._connector is not None:
            self._connector.close()
        self._connector = None

    def sign_in(self) -> bool:
        """Signs in, and looks at what the org has."""
        self.connector.identify()
        return bool(self.connector.streams())

    def provision(self) -> bool:
        self.connector.provision(FIELDS, "en")
        return True

    def pull(self, stream: str | None = None) -> bool:
        self.connector.only = stream
        return not pull(self.connector, self.store, self.org.clock.now).is_partial

    def score(self) -> bool:
        return bool(score(self.store, self._config(), self.org.clock.now).groups)

    def publish(self) -> ApplyReceipt:
        """Plan, apply."""
        plan(self.connector, self.store, self._config(), self.org.clock.now)
        return apply(self.connector, self.store, None, self.org.clock.now)

    def write(self) -> bool:
        receipt = self.publish()
        return receipt.is_complete and receipt.written > 0

    def write_nothing(self) -> bool:
        receipt = self.publish()
        return receipt.is_complete and not receipt.written

    def run(self) -> bool:
        """What heals a write-back, of which some may be done."""
        return self.pull() and self.score() and self.publish().is_complete

    def _config(self) -> ScoringConfig:
        return ScoringConfig(
            as_of=self.org.clock.now().date(),
            timezone="Europe/Madrid",
            reporting_currency="EUR",
            system_of_record="salesforce",
            language="en",
            policy=load_policy(None),
            release="test",
        )


@dataclass(frozen=True)
class Step:
    """A part of the run that is done in one go, and what a new process does where it was disturbed.

    Both say whether all was done. `happens`: what people do in the org before. `signs_in`: it begins a process; else
    one that has signed in goes on with it. `writes`: into the org.
    """

    name: str
    act: Callable[[Desk], bool]
    again: Callable[[Desk], bool]
    happens: Callable[[Org], None] | None = None
    signs_in: bool = False
    writes: bool = False


def _an_hour_passes(org: Org) -> None:
    org.clock.advance(HOUR)


def _people_work(org: Org) -> None:
    """Deals are opened, repriced, won and lost; calls are logged; an account moves, another gets an owner."""
    deeds = SalesforceDeeds(org)
    accounts, deals = [a for a in deeds.accounts() if a.alone], deeds.open_deals()
    deeds.add_deal(accounts[2].id, "Contrato marco", accounts[0].won)
    deeds.set_amount(deals[0].id, deals[0].amount * 2)
    deeds.win(deals[1].id)
    deeds.lose(deals[2].id)
    deeds.log_call(accounts[1].id, "Llamada")
    deeds.plan_meeting(accounts[3].id, "Review")
    deeds.move(accounts[4].id, accounts[0].id)
    deeds.hand_over(accounts[5].id)
    # To be restored later, or not.
    org.delete("Account", accounts[-1].id)
    org.delete("Opportunity", deals[-1].id)
    org.clock.advance(HOUR)


def _people_tidy_up(org: Org) -> None:
    """Records are deleted, restored, merged, and gone for good; Salesforce's list of deletions tells of the last."""
    deeds = SalesforceDeeds(org)
    accounts, deals = [a for a in deeds.accounts() if a.alone], deeds.open_deals()
    binned = [r["Id"] for r in org.records("Account") if r["IsDeleted"] and not r["MasterRecordId"]]
    for account in binned:
        # One that went along with its parent comes back with it.
        with suppress(Exception):
            org.undelete("Account", account)
    deeds.merge(accounts[1].id, accounts[-1].id)
    deeds.merge(accounts[2].id, accounts[-2].id)
    deeds.delete_deal(deals[-1].id)
    org.delete("Account", accounts[-3].id)
    org.purge("Opportunity", deals[-2].id)
    org.purge("Contact", min(r["Id"] for r in org.records("Contact") if not r["IsDeleted"]))
    org.clock.advance(HOUR)


def _a_week_passes(org: Org) -> None:
    """Records go and come that neither a list nor a stamp tells of."""
    tasks = sorted(r["Id"] for r in org.records("Task") if not r["IsDeleted"])
    org.purge("Task", tasks[7])
    org.purge("Opportunity", SalesforceDeeds(org).open_deals()[3].id)
    org.deletions.clear()
    long_ago = "2020-01-01T00:00:00.000+0000"
    org.load("Task", [{"Id": UNSEEN, "Subject": "x", "Status": "Completed", "CreatedDate": long_ago}])
    org.clock.advance(8 * DAY)


def steps(streams: Iterable[str]) -> Iterator[Step]:
    """The whole run: provisioning, then five times pull (stream by stream), score, plan, apply."""
    read, names = partial(_pulled, tuple(streams)), ("edits", "deletions", "a week")
    yield Step("provisioning", Desk.provision, Desk.provision, signs_in=True, writes=True)
    yield from read("first load", None)
    yield Step("first writing", Desk.write, Desk.run, writes=True)
    yield from read("echo", _an_hour_passes)
    yield Step("echo: nothing to write", Desk.write_nothing, Desk.run, writes=True)
    for name, happens in zip(names, (_people_work, _people_tidy_up, _a_week_passes), strict=True):
        yield from read(name, happens)
        yield Step(f"{name}: writing", Desk.write, Desk.run, writes=True)
    yield from read("at rest", _an_hour_passes)
    yield Step("at rest: nothing to write", Desk.write_nothing, Desk.run, writes=True)


def _pulled(streams: tuple[str, ...], name: str, happens: Callable[[Org], None] | None) -> Iterator[Step]:
    yield Step(f"{name}: sign-in", Desk.sign_in, Desk.sign_in, happens, signs_in=True)
    for stream in streams:
        read = partial(Desk.pull, stream=stream)
        yield Step(f"{name}: {stream}", read, read)
    yield Step(f"{name}: scores", Desk.score, Desk.score)

"""Two weeks of an org, step by step: what its people do, and what kam does then, by all the roads there are."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree as ET

from connectors.contract import Stream
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import two_crms
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.app import SalesforceApp
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob
from connectors.sandbox.salesforce.bulk.query_jobs import QueryJob
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.telling.salesforce import SalesforceDeeds
from tests.contract.salesforce_connected import Front
from tests.pipeline.company import NOW, small_book
from tests.pipeline.steps import DAY, HOUR, NO_WAIT, Desk, Step, Ways, World, an_hour_passes, pulled

SIZES = Sizes(bulk_from=150, page_rows=60, job_rows=120, ingest_from=8, ingest_rows=15)
"""So small that a small org takes every road: pages and jobs, several windows, batches and ingest jobs."""
UNSEEN = salesforce_id("00T", 99_999)
_STAMPS = {"CreatedDate", "LastModifiedDate", "SystemModstamp"}


class FewStreams(SalesforceConnector):
    """Serves a few streams, if some are named."""

    only: tuple[str, ...] = ()

    def streams(self) -> tuple[Stream, ...]:
        return tuple(s for s in super().streams() if not self.only or s.name in self.only)


@dataclass(frozen=True)
class ScriptedSalesforce:
    """Salesforce for a scripted run."""

    front: Front
    name: Literal["salesforce"] = "salesforce"

    @property
    def faults(self) -> Faults:
        return self.front.faults

    def first(self) -> Org:
        """Its pages are small, and it lacks what its describes then have to say."""
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

    def show(self, there: Org) -> None:
        self.front.show(there)

    def connector(self, there: Org, ways: Ways) -> FewStreams:
        knobs = there.settings
        settings = SalesforceSettings(
            instance_url=self.front.url, client_id=knobs.client_id, client_secret=knobs.client_secret
        )
        return FewStreams(settings, patience=NO_WAIT, sizes=SIZES)

    def steps(self, streams: Sequence[str]) -> Iterator[Step[Org]]:
        """Provisioning, then five times pull (stream by stream), score, plan, apply."""
        parts, names = {one: (one,) for one in streams}, ("edits", "deletions", "a week")
        yield Step("provisioning", Desk.provision, Desk.provision, signs_in=True, writes=True)
        yield from pulled(parts, "first load", None)
        yield Step("first writing", Desk.write, Desk.run, writes=True)
        yield from pulled(parts, "echo", an_hour_passes)
        yield Step("echo: nothing to write", Desk.write_nothing, Desk.run, writes=True)
        for name, happens in zip(names, (_people_work, _people_tidy_up, _a_week_passes), strict=True):
            yield from pulled(parts, name, happens)
            yield Step(f"{name}: writing", Desk.write, Desk.run, writes=True)
        yield from pulled(parts, "at rest", an_hour_passes)
        yield Step("at rest: nothing to write", Desk.write_nothing, Desk.run, writes=True)

    def copied(self, there: Org) -> Org:
        return copy.deepcopy(there, {id(there.lock): threading.RLock(), id(there.clock): Clock(there.clock.now())})

    def held(self, there: Org) -> World:
        kept: World = {}
        for table in there.tables.values():
            names = [one.name for one in table.fields]
            places = [place for place, name in enumerate(names) if name not in _STAMPS]
            rows: dict[str, Any] = {i: [row[p] for p in places] for i, row in table.rows.items()}
            if table.name == "AccountHistory":
                # Its ids are given as accounts are written: in which order that is done is nobody's business.
                rows = dict(Counter(repr([row[p] for p in places if names[p] != "Id"]) for row in table.rows.values()))
            kept[f"org {table.name}"] = rows | {"fields": names}
        parts = {**there.metadata.layouts, **there.metadata.list_views}
        return kept | {"org setup": {name: ET.tostring(part.xml) for name, part in parts.items()}}

    def left_over(self) -> tuple[str, ...]:
        """Bulk jobs: kind and state."""
        app = self.front.app
        assert isinstance(app, SalesforceApp)
        kinds: tuple[Any, ...] = (QueryJob, IngestJob)
        return tuple(f"{kind.__name__} {job.state}" for kind in kinds for job in app.jobs.of(kind))


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

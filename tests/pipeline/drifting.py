"""A CRM whose people rate their accounts, in our field or in one of their own, and an administrator who changes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping_file import Choice, Overrides
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ALL_SCOPES, unhurried
from connectors.sandbox.salesforce.fields import number
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import pull
from flows.results import PullReceipt
from kammodel.entities import Account
from tests.contract.hubspot_world import NOW, small_book
from tests.pipeline.company import HOUR, Office, office
from tests.pipeline.salesforce_desk import LEAN

Crm = Literal["salesforce", "hubspot"]
THEIRS = {"salesforce": "Rating_Value__c", "hubspot": "rating_value"}
HIDDEN = frozenset({"Task", "Event", "Contact", "OpportunityContactRole", "OpportunityLineItem", "Product2"})
SCOPES = ALL_SCOPES - {f"crm.objects.{kind}.read" for kind in ("contacts", "line_items", "products", "goals")}
"""What is not looked at here is not read either: a pull takes a third of the time."""
OURS = {"salesforce": "KAM_Strategic_Value__c", "hubspot": "kam_strategic_value"}


@dataclass
class Desk:
    """A CRM whose people rate accounts in a field of their own, which the mapping file names, or in ours."""

    office: Office
    crm: Crm
    mapped: bool = False

    @property
    def org(self) -> Org:
        assert self.office.served.company.org is not None
        return self.office.served.company.org

    @property
    def portal(self) -> Portal:
        assert self.office.served.company.portal is not None
        return self.office.served.company.portal

    def pull(self, *, full: bool = False) -> PullReceipt:
        """As a new process."""
        self.office.reconnect()
        connector = self._pointed() if self.mapped else self.office.connectors[0]
        try:
            return pull(connector, self.office.store, self.office.clock.now, full=full)
        finally:
            if self.mapped:
                connector.close()
            self.office.clock.advance(HOUR)

    def stands(self) -> tuple[Any, ...]:
        """Rows of accounts, snapshots, and what the CRM holds of ours."""
        store, (connector,) = self.office.store, self.office.connectors
        with store.transaction() as tx:
            run = tx.session.connection().exec_driver_sql
            snapshots = sorted(run("SELECT * FROM score_snapshot").fetchall(), key=str)
        rated = sorted(store.read(Account, ["source_id", "strategic_value"]).rows())
        return snapshots, rated, self.office.held_by(connector.name)

    def ratings(self) -> dict[str, float]:
        rows = self.office.store.read(Account, ["source_id", "strategic_value"]).drop_nulls().rows()
        return dict(rows)

    def _pointed(self) -> Connector:
        served, field = self.office.served, THEIRS[self.crm]
        chosen = Overrides("mapping.toml", self.crm, {"accounts": {"strategic_value": Choice(field=field)}})
        if self.crm == "salesforce":
            assert served.salesforce is not None
            knobs = self.org.settings
            keys = {"client_id": knobs.client_id, "client_secret": knobs.client_secret}
            return SalesforceConnector(SalesforceSettings(instance_url=served.salesforce.url, **keys), overrides=chosen)
        assert served.hubspot is not None
        token = self.portal.settings.access_token
        return HubSpotConnector(HubSpotSettings(base_url=served.hubspot.url, access_token=token), overrides=chosen)


@contextmanager
def opened(crm: Crm, folder: Path) -> Iterator[Desk]:
    """Everything read, scored and written once."""
    lean, quick = OrgSettings(**LEAN), unhurried()
    lean.deploy_polls, lean.hidden_objects, quick.scopes = 0, HIDDEN, SCOPES
    company = same_in(small_book(), Clock(NOW), crm, org_settings=lean, portal_settings=quick)
    with office(company, folder) as there:
        there.provision()
        desk = Desk(there, crm)
        _rate(desk)
        desk.pull()
        there.score()
        there.plan()
        there.apply()
        desk.pull()
        yield desk


def _rate(desk: Desk) -> None:
    """People rate two accounts."""
    theirs, ours = THEIRS[desk.crm], OURS[desk.crm]
    if desk.crm == "salesforce":
        desk.org.add_field("Account", number(theirs, "Rating", 4, 1, custom=True))
        desk.org.grant_field("Account", theirs)
        for account, value in zip(desk.org.records("Account")[:2], (7, 9), strict=True):
            desk.org.update("Account", account["Id"], {ours: value, theirs: value})
        return
    portal = desk.portal
    companies = portal.known("companies")
    definition = portal.catalog.get(companies, ours)
    assert definition is not None
    portal.catalog.put(companies, replace(definition, name=theirs, label="Rating"))
    for record_id, value in zip(portal.shelf(companies).live_ids()[:2], ("7", "9"), strict=True):
        portal.update("companies", record_id, {ours: value, theirs: value})

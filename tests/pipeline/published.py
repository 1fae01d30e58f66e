"""A store in which everything is read, scored and written into one CRM, kept for tests that go on from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, same_in
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline.undoing import keep_undo, plans_to_undo, undo_of
from flows.results import PlanReceipt
from tests.pipeline.company import NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN

SIZE = 40
Values = dict[str, dict[str, str | None]]
"""Our fields by account."""


def company(crm: str) -> Company:
    """A small company whose whole book lies in one CRM."""
    return same_in(small_book(SIZE), Clock(NOW), crm, org_settings=OrgSettings(**LEAN))


@contextmanager
def published(crm: str, folder: Path) -> Iterator[Office]:
    """After the first whole run, an hour later."""
    with office(company(crm), folder) as desk:
        desk.provision()
        desk.run()
        yield desk


def type_in(desk: Office, crm: str, account: str, **values: str | None) -> None:
    """Somebody enters values of our fields into an account, by key."""
    org, portal = desk.served.company.org, desk.served.company.portal
    if crm == "salesforce" and org is not None:
        org.update("Account", account, {f"KAM_{key.title()}__c": value for key, value in values.items()})
    elif portal is not None:
        portal.update("companies", account, {f"kam_{key}": value or "" for key, value in values.items()})


def undo_planned(desk: Office, name: str) -> PlanReceipt:
    """What takes a plan back, looked at and kept: the next apply writes it."""
    (undone,) = plans_to_undo(desk.store, name)
    crm, store, clock = desk.connectors[0], desk.store, desk.clock.now
    return keep_undo(crm, store, undo_of(crm, store, undone, clock), clock)

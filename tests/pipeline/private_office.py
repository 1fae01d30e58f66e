"""Kam in an office of both CRMs, with a key for hashes: what it keeps lies under one folder, to be searched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.retry import Patience
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, ServedCompany, serving
from connectors.sandbox.hubspot.kinds import CONTACTS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book
from connectors.sandbox.split import BOTH, Crm, part_of
from flows import steps
from flows.pipeline.forgetting import Kind, Places, Whom, forget
from flows.results import ForgetReceipt, PullReceipt
from flows.runtime import Runtime
from flows.settings import settings_from

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
KEY = {"KAM_HASH_KEY": "a key that only this test knows"}
NOWHERE = frozenset[Crm]()
_KEPT = 12
"""Companies of the book."""
_PATIENCE = Patience(sleep=lambda _: None)


@dataclass
class PrivateOffice:
    """What is served, and the folder in which kam keeps everything."""

    served: ServedCompany
    home: Path
    variables: dict[str, str] = field(default_factory=lambda: dict(KEY))

    @property
    def company(self) -> Company:
        return self.served.company

    @property
    def org(self) -> Org:
        assert self.company.org is not None
        return self.company.org

    @property
    def portal(self) -> Portal:
        assert self.company.portal is not None
        return self.company.portal

    @contextmanager
    def runtime(self) -> Iterator[Runtime]:
        """A new process of kam."""
        given = {**self.served.environment(), "KAM_HOME": str(self.home), **self.variables}
        with Runtime(settings_from(given), clock=self.company.clock.now, patience=_PATIENCE) as opened:
            yield opened

    def pull(self, crm: str | None = None, *, full: bool = False) -> list[PullReceipt]:
        """An hour later, from one CRM or both."""
        self.company.clock.advance(HOUR)
        with self.runtime() as at:
            return [steps.pull(at, name, full=full, progress=at.progress) for name in at.chosen(crm)]

    def forget(self, kind: Kind, given: str, crm: str | None = None, *, rehearsal: bool = False) -> ForgetReceipt:
        with self.runtime() as at:
            places = Places(at.settings.home, at.settings.inputs_dir)
            return forget(at.store, Whom(kind, given, crm), places, at.clock, rehearsal=rehearsal)


@contextmanager
def private_office(home: Path) -> Iterator[PrivateOffice]:
    """Both CRMs of a small company, where every contact has an address."""
    with serving(_company(_KEPT)) as served:
        office = PrivateOffice(served, home)
        tell_addresses(office.org, office.portal)
        yield office


def _company(most: int) -> Company:
    """A few companies with all that belongs to them, in one CRM or in both."""
    book, clock = seeded_book(40, NOW), Clock(NOW)
    spread = (BOTH, frozenset[Crm]({"hubspot"}), frozenset[Crm]({"salesforce"}))
    here = {company.id: spread[company.id % 3] if company.id <= most else NOWHERE for company in book.companies}
    org = Org.from_book(part_of(book, "salesforce", here), clock, settings=OrgSettings(deploy_polls=0))
    return Company(org, Portal.from_book(part_of(book, "hubspot", here), clock, settings=unhurried()), clock)


def tell_addresses(org: Org, portal: Portal) -> None:
    """Each contact gets an address of its own."""
    for contact in org.records("Contact"):
        org.update("Contact", contact["Id"], {"Email": f"{contact['Id']}@Example.com"})
    for number, record in portal.shelf(CONTACTS).records.items():
        if record.archived_at is None:
            portal.update("contacts", number, {"email": f"{number}@example.com"})
    portal.clock.advance(HOUR)


def files_with(folder: Path, *texts: str) -> list[str]:
    """Files anywhere below a folder that have one of the texts in them, each with the text."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path.relative_to(folder)}: {text}" for text in texts if text.encode() in content]
    return found

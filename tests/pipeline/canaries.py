"""Words that stand nowhere else, one in every text field of every record: where one turns up, its field leaked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from connectors.emails import Emails
from connectors.hubspot import mapping as hubspot
from connectors.salesforce import mapping as salesforce
from connectors.sandbox.hubspot.kinds import CONTACTS, DEALS, kind_of
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.salesforce.fields import TEXTS
from connectors.sandbox.salesforce.org import Org
from kammodel.privacy.hashing import HashKey
from kammodel.publish.fields import OURS

EMAILS = Emails(HashKey("as good as any other key"))
_NEVER_TEXT = {"CurrencyIsoCode", "IsoCode", "Username"}
_KEPT = {("Contact", "Title"), ("Contact", "Department"), ("Opportunity", "Name"), ("Case", "Priority")}
"""Fields of Salesforce that are read and hold free text about persons and their business."""
_KEPT_HUBSPOT = {(CONTACTS.name, "jobtitle"), (DEALS.name, "dealname")}


@dataclass
class Planted:
    """`unread`: in fields that no mapping names, and addresses in plain. `kept`: in fields that the store keeps."""

    unread: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def another(self, place: str, *, kept: bool = False) -> str:
        """A word for a field, which tells where it stood."""
        word = f"Zq{next(self._numbers):06d}qZ"
        (self.kept if kept else self.unread)[word] = place
        return word


def plant_in_org(org: Org, planted: Planted) -> None:
    """In every record of every object that a stream reads. Ids, currencies, names to sign in with, and what is read as
    words with a meaning stay as they are."""
    asked = defaultdict[str, set[str]](set)
    for one in salesforce.declared("HubSpot_Company_Id__c", many_currencies=True, insist=False, emails=EMAILS):
        asked[one.kind].update(one.mapping.asked())
    asked["Account"].update(one.salesforce_name for one in OURS)
    for kind, read in asked.items():
        table = org.table(kind)
        texts = {f.name for f in table.fields if f.type in TEXTS} - _NEVER_TEXT - set(table.formulas)
        unread, kept = texts - read, {name for sobject, name in _KEPT if sobject == kind}
        for record in org.records(kind):
            words = {name: planted.another(f"{kind}.{name}") for name in sorted(unread)}
            words |= {name: planted.another(f"{kind}.{name}", kept=True) for name in sorted(kept)}
            if kind == "Contact":
                words["Email"] = f"{planted.another('Contact.Email')}@example.com"
            table.put(table.row_of(record | words))


def plant_in_portal(portal: Portal, planted: Planted) -> None:
    """In every property of type string of every record of the kinds that a stream reads; and in what owners are."""
    streams = hubspot.declared("salesforceaccountid", "UTC", many_currencies=True, insist=False, emails=EMAILS)
    asked = {one.kind: set(one.properties) | set(one.history) for one in streams}
    asked["companies"].update(one.hubspot_name for one in OURS)
    for name, read in asked.items():
        kind = kind_of(name)
        if kind is None:
            continue
        texts = {d.name for d in portal.catalog.all(kind) if d.type == "string" and not d.calculated}
        for record in portal.shelf(kind).records.values():
            kept = {prop for kind_name, prop in _KEPT_HUBSPOT if kind_name == kind.name}
            for prop in sorted((texts - read - {"hs_object_id"}) | kept):
                record.values[prop] = planted.another(f"{name}.{prop}", kept=prop in kept)
            if kind is CONTACTS:
                record.values["email"] = f"{planted.another('contacts.email')}@example.com"
    for owner in portal.owners:
        owner.email = f"{planted.another('owners.email')}@example.com"

"""What an org holds besides its tables: page layouts, list views, deleted fields, the ids of fields."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.ids import salesforce_id

KEPT_DAYS = 15
"""Days that a deleted field stays among the deleted ones, unless it is purged."""


@dataclass(frozen=True)
class Kept:
    """One layout or list view, as the org keeps it. `namespace`: that of the managed package it came with."""

    id: str
    xml: ET.Element
    created: str
    changed: str
    namespace: str | None = None


@dataclass(frozen=True)
class DeletedField:
    """A custom field that was deleted and still counts. `name` is the one it got, such as `Tier_del__c`."""

    sobject: str
    name: str
    was: str
    at: dt.datetime


@dataclass
class Holdings:
    """Layouts by full name (`Account-Account Layout`), list views by theirs (`Account.KAM_Key_Accounts`)."""

    layouts: dict[str, Kept] = field(default_factory=dict)
    list_views: dict[str, Kept] = field(default_factory=dict)
    deleted_fields: list[DeletedField] = field(default_factory=list)
    profiles_follow: object = None
    """The knobs that the rows of the profiles were last written from."""
    _field_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _given: int = 0

    def put_layout(self, name: str, xml: ET.Element, now: str, namespace: str | None = None) -> None:
        """Keep a layout, in the place of the one with its name if there is one."""
        self.layouts[name] = self._kept(self.layouts.get(name), "00h", xml, now, namespace)

    def put_list_view(self, name: str, xml: ET.Element, now: str) -> None:
        """Keep a list view, in the place of the one with its name if there is one."""
        self.list_views[name] = self._kept(self.list_views.get(name), "00B", xml, now)

    def field_id(self, sobject: str, name: str) -> str:
        """The id of a custom field: the same as long as the field is there."""
        key = (sobject, name.lower())
        if key not in self._field_ids:
            self._given += 1
            self._field_ids[key] = salesforce_id("00N", self._given)
        return self._field_ids[key]

    def bury_field(self, sobject: str, name: str, at: dt.datetime, *, purged: bool) -> None:
        """Note the deletion of a field: its name is free again, and it goes on counting unless it was purged."""
        self._field_ids.pop((sobject, name.lower()), None)
        if purged:
            return
        taken = {one.name.lower() for one in self.deleted_fields}
        base, count = name.removesuffix("__c"), 0
        while (buried := f"{base}_del{count or ''}__c").lower() in taken:
            count += 1
        self.deleted_fields.append(DeletedField(sobject, buried, name, at))

    def counting(self, sobject: str, now: dt.datetime) -> int:
        """Deleted fields of an object that still count; older ones are forgotten."""
        oldest = now - dt.timedelta(days=KEPT_DAYS)
        self.deleted_fields = [one for one in self.deleted_fields if one.at > oldest]
        return sum(one.sobject == sobject for one in self.deleted_fields)

    def _kept(self, known: Kept | None, prefix: str, xml: ET.Element, now: str, namespace: str | None = None) -> Kept:
        if known is not None:
            return replace(known, xml=xml, changed=now)
        self._given += 1
        return Kept(salesforce_id(prefix, self._given), xml, now, now, namespace)

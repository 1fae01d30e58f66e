"""One record: its values as text, when each changed, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import Kind


class Origin(NamedTuple):
    """Who changed a value: HubSpot's sourceType and sourceId."""

    source_type: str
    source_id: str = ""


BY_USER = Origin("CRM_UI", "userId:70001")
BY_API = Origin("INTEGRATION", "2214005")
BY_MERGE = Origin("MERGE_OBJECTS", "MergeObjects")
BY_HUBSPOT = Origin("CALCULATED", "RollupProperties")


class Version(NamedTuple):
    """A value a property took, and when."""

    value: str
    at: int
    origin: Origin

    def as_json(self) -> dict[str, Any]:
        """An entry of `propertiesWithHistory`."""
        source_type, source_id = self.origin
        body: dict[str, Any] = {"value": self.value, "timestamp": iso(self.at), "sourceType": source_type}
        if source_id:
            body["sourceId"] = source_id
        if source_id.startswith("userId:"):
            body["updatedByUserId"] = int(source_id.removeprefix("userId:"))
        return body


@dataclass(slots=True)
class Record:
    """A record as it is now. A property that never had a value is absent; a cleared one is `""`.

    `history` has only properties that changed after creation, oldest first; others have their one value.
    """

    kind: Kind
    id: int
    created: int
    modified: int
    values: dict[str, str]
    history: dict[str, list[Version]] | None = None
    archived_at: int | None = None

    def versions(self, name: str) -> list[Version]:
        """The values of a property, oldest first."""
        if self.history and name in self.history:
            return self.history[name]
        if name in self.values:
            return [Version(self.values[name], self.created, BY_USER)]
        return []

    def put(self, name: str, value: str, at: int, origin: Origin) -> None:
        """Take a value, keeping the ones before it."""
        versions = self.versions(name)
        if self.history is None:
            self.history = {}
        self.history[name] = [*versions, Version(value, at, origin)]
        self.values[name] = value

    def copy(self) -> Record:
        """A copy that later writes to this record do not reach."""
        return Record(
            self.kind,
            self.id,
            self.created,
            self.modified,
            dict(self.values),
            dict(self.history) if self.history else None,
            self.archived_at,
        )


# What is in no record's values because it is a fact about the record itself.
SYSTEM_NAMES = frozenset({"hs_object_id", "createdate", "hs_createdate", "hs_lastmodifieddate", "lastmodifieddate"})


def system_value(record: Record, name: str) -> str | None:
    """The value of a system property of this kind of record; None where the kind has no such property."""
    kind = record.kind
    if name == "hs_object_id":
        return str(record.id)
    if name in {"hs_createdate", kind.created_property}:
        return iso(record.created)
    if name == kind.modified_property:
        return iso(record.modified)
    return None

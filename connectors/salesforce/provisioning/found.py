"""What an org has of ours, as the Metadata API shows it: to whom it is visible does not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.errors import UnexpectedAnswer
from connectors.salesforce.client import Client
from connectors.salesforce.provisioning import layouts, list_view, soap
from connectors.salesforce.provisioning.components import FIELD, KIND, LAYOUT, LIST_VIEW, SET
from connectors.salesforce.provisioning.custom_fields import full_name
from connectors.salesforce.provisioning.markup import Element, comes_back, component
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER
from kammodel.publish.fields import CustomField


@dataclass(frozen=True)
class Found:
    """Components of ours by full name, as roots of files. `layouts`: those of Account that a deployment may replace;
    `left_alone`: the others, each with the reason. `custom_fields`: how many the org itself has on Account."""

    fields: dict[str, Element]
    list_view: Element | None
    sets: dict[str, Element]
    custom_fields: int
    layouts: dict[str, Element] = field(default_factory=dict)
    left_alone: dict[str, str] = field(default_factory=dict)


def look_around(client: Client, fields: Sequence[CustomField], *, with_layouts: bool = True) -> Found:
    """Asks once for what there is, and once more for what it looks like."""
    kinds = [FIELD, LIST_VIEW, SET, *([LAYOUT] if with_layouts else [])]
    entries = soap.list_components(client, kinds)
    own = {(e.kind, e.name) for e in entries if e.namespace is None}
    on_account = {name for kind, name in own if kind == FIELD and name.startswith(f"{KIND}.") and name.endswith("__c")}
    names = [name for f in fields if (name := full_name(f)) in on_account]
    views = [list_view.FULL_NAME] if (LIST_VIEW, list_view.FULL_NAME) in own else []
    sets = [name for name in (INTEGRATION, READER) if (SET, name) in own]
    view = _read(client, LIST_VIEW, views)
    pages = [e for e in entries if e.kind == LAYOUT and e.name.startswith(layouts.PREFIX)]
    safe, left = _layouts(client, pages)
    return Found(
        fields={n: component(r, "fields", n.partition(".")[2]) for n, r in _read(client, FIELD, names).items()},
        list_view=next((component(r, "listViews", list_view.NAME) for r in view.values()), None),
        sets={n: component(r, "PermissionSet") for n, r in _read(client, SET, sets).items()},
        custom_fields=len(on_account),
        layouts=safe,
        left_alone=left,
    )


def _read(client: Client, kind: str, names: Sequence[str]) -> dict[str, Element]:
    """What was just listed has to be there: to take it for absent would be to overwrite it."""
    records = soap.read_components(client, kind, names)
    absent = [name for name in names if name not in records]
    if absent:
        raise UnexpectedAnswer(f"Salesforce lists {kind} {absent[0]} and does not show it; provision again")
    return records


def _layouts(client: Client, entries: Sequence[soap.Entry]) -> tuple[dict[str, Element], dict[str, str]]:
    left = {e.name: f"it belongs to the package {e.namespace}" for e in entries if e.namespace is not None}
    names = [e.name for e in entries if e.namespace is None]
    records = soap.read_components(client, LAYOUT, names)
    safe = {name: component(record, "Layout") for name, record in records.items()}
    left |= {name: "Salesforce does not show what is on it" for name in names if name not in records}
    for name, layout in list(safe.items()):
        why = _why_not(layout)
        if why:
            left[name] = why
            del safe[name]
    return safe, left


def _why_not(layout: Element) -> str | None:
    if not comes_back(layout):
        return "it holds something that could not be given back unchanged"
    return None if layouts.sections(layout) else "it has no sections"

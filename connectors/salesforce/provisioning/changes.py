"""What a deployment would create or change, and that deployment; a layout that Salesforce refuses is left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from connectors.contract import Done, Part
from connectors.salesforce.client import Client
from connectors.salesforce.provisioning import layouts
from connectors.salesforce.provisioning.components import (
    FIELD,
    LAYOUT,
    LIST_VIEW,
    SET,
    Component,
    package_files,
    zipped,
)
from connectors.salesforce.provisioning.custom_fields import field_component, full_name
from connectors.salesforce.provisioning.deploying import DeploymentFailed, deploy
from connectors.salesforce.provisioning.found import Found
from connectors.salesforce.provisioning.list_view import view_component
from connectors.salesforce.provisioning.markup import Element, same
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER, set_component
from kammodel.publish.fields import CustomField

NAMES = {LIST_VIEW: "list view", SET: "permission set", LAYOUT: "layout"}
"""Kinds of components in words."""


@dataclass
class Changes:
    """`done` by kind and full name; `components`: those of them that have to be deployed."""

    components: list[Component] = field(default_factory=list)
    done: dict[tuple[str, str], Done] = field(default_factory=dict)
    left_alone: dict[str, str] = field(default_factory=dict)

    def add(self, component: Component, there: Element | None) -> None:
        differs = there is None or not same(component.xml, there)
        self.done[component.kind, component.name] = (
            ("created" if there is None else "changed") if differs else "unchanged"
        )
        if differs:
            self.components.append(component)

    def fields(self, done: Done) -> tuple[str, ...]:
        """API names of the fields that end so."""
        return tuple(n.partition(".")[2] for (kind, n), d in self.done.items() if kind == FIELD and d == done)

    def parts(self) -> tuple[Part, ...]:
        """All but the fields."""
        told = [Part(NAMES[kind], _shown(kind, name), d) for (kind, name), d in self.done.items() if kind != FIELD]
        left = [Part(NAMES[LAYOUT], layouts.shown_name(n), "left alone", why) for n, why in self.left_alone.items()]
        return (*told, *left)


def changes(found: Found, fields: Sequence[CustomField], language: str, tracked: Collection[str] = ()) -> Changes:
    """Everything of ours against what there is. `tracked`: API names of the fields that are to have a history."""
    ours = Changes(left_alone=dict(found.left_alone))
    for one in fields:
        there = found.fields.get(full_name(one))
        ours.add(field_component(one, language, there, tracked=one.salesforce_name in tracked), there)
    view = view_component(fields, language, found.list_view)
    if view is not None:
        ours.add(view, found.list_view)
    for name in (INTEGRATION, READER):
        ours.add(set_component(name, fields, language, found.sets.get(name)), found.sets.get(name))
    names = {f.salesforce_name for f in fields}
    for name, layout in found.layouts.items():
        # Where people put some of our fields themselves, the page is theirs.
        shown = layouts.shows(layout, names)
        wanted = layout if shown else layouts.with_section(layout, fields)
        ours.add(Component(LAYOUT, name, wanted), layout)
    return ours


def deploy_sparing_layouts(
    client: Client, ours: Changes, *, doomed: Iterable[tuple[str, str]] = (), check_only: bool = False
) -> None:
    """Deploys what has to be, all or nothing; a second time without the layouts where nothing else was refused.

    `doomed` is deleted with it. The layouts that were spared are noted, with Salesforce's reason.
    """
    condemned = list(doomed)
    try:
        _deploy(client, ours.components, condemned, check_only=check_only)
    except DeploymentFailed as fault:
        refused = {unquote(name): problem for kind, name, problem in fault.failures if kind == LAYOUT}
        if not refused or len(refused) < len(fault.failures):
            raise
        _spare(ours, refused)
        _deploy(client, ours.components, condemned, check_only=check_only)


def _deploy(client: Client, parts: Sequence[Component], doomed: Sequence[tuple[str, str]], *, check_only: bool) -> None:
    if parts or doomed:
        deploy(client, zipped(package_files(parts, client.version, doomed)), check_only=check_only)


def _spare(ours: Changes, refused: dict[str, str]) -> None:
    # By name, or by file: what failed is told with one of them.
    spared = {
        c.name: why
        for c in ours.components
        if c.kind == LAYOUT
        and (why := refused.get(unquote(c.name)) or refused.get(f"layouts/{unquote(c.name)}.layout"))
    }
    ours.components = [c for c in ours.components if c.kind != LAYOUT or c.name not in spared]
    for name, why in spared.items():
        ours.done.pop((LAYOUT, name), None)
        ours.left_alone[name] = f"Salesforce does not take it back: {why}"


def _shown(kind: str, name: str) -> str:
    return layouts.shown_name(name) if kind == LAYOUT else name.rpartition(".")[2]

"""Plans a deploy: each component checked against the org as it will be, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from connectors.sandbox.salesforce.metadata.custom_field import custom_field
from connectors.sandbox.salesforce.metadata.deleting import deletion
from connectors.sandbox.salesforce.metadata.future import Future, Step, check_tracking
from connectors.sandbox.salesforce.metadata.layout import layout
from connectors.sandbox.salesforce.metadata.list_view import list_view
from connectors.sandbox.salesforce.metadata.package import Component, Deletion, Package
from connectors.sandbox.salesforce.metadata.permission_set import permission_set
from connectors.sandbox.salesforce.metadata.shapes import Problem

_ORDER = ("CustomField", "ListView", "Layout", "PermissionSet")


@dataclass(frozen=True)
class Failure:
    """A component that does not deploy, and why."""

    kind: str
    name: str
    file: str
    problem: str


@dataclass
class Plan:
    """What is to be done, in order, and what cannot be."""

    steps: list[Step] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def planned(future: Future, package: Package, *, purge: bool, missing_files_allowed: bool) -> Plan:
    """The plan of a package. Raises Refusal for what the sandbox does not know."""
    plan = Plan()
    components = sorted(package.components, key=lambda one: _ORDER.index(one.kind))
    for one, step in _tries(future, package.before, components, package.after, purge=purge):
        try:
            plan.steps.append(step())
        except Problem as problem:
            plan.failures.append(Failure(one.kind, one.name, one.file, str(problem)))
    if not missing_files_allowed:
        for kind, name in package.missing:
            why = f"An object '{name}' of type {kind} was named in package.xml, but was not found in zipped directory"
            plan.failures.append(Failure("", name, "package.xml", why))
    for unlisted in package.unlisted:
        why = f"{unlisted.name} of type {unlisted.kind} is in the zipped directory but not named in package.xml"
        plan.failures.append(Failure(unlisted.kind, unlisted.name, unlisted.file, why))
    return plan


def _tries(
    future: Future,
    before: Iterable[Deletion],
    components: Iterable[Component],
    after: Iterable[Deletion],
    *,
    purge: bool,
) -> Iterator[tuple[Component | Deletion, Callable[[], Step]]]:
    for gone in before:
        yield gone, partial(deletion, future, gone, purge=purge)
    for component in components:
        yield component, partial(_step, future, component)
    for gone in after:
        yield gone, partial(deletion, future, gone, purge=purge)


def _step(future: Future, component: Component) -> Step:
    if component.kind == "PermissionSet":
        return permission_set(future, component)
    if component.kind == "Layout":
        return layout(future, component)
    if component.kind == "ListView":
        return list_view(future, component)
    sobject, _, name = component.name.partition(".")
    table, org = future.table(sobject), future.org
    before = future.field(table, name)
    new = custom_field(component.xml, before)
    new = check_tracking(future, table, new)
    future.put_field(table, new)

    def apply() -> None:
        if before != new:
            org.add_field(table.name, new)

    return Step("CustomField", component.name, component.file, apply, created=before is None, changed=before != new)

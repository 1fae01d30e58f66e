"""A deploy: asynchronous, all or nothing if so asked, with an outcome per component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata import permission_set as permissions
from connectors.sandbox.salesforce.metadata.custom_field import Problem, custom_field
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, BadPackage, Component, Package, opened

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

Json = dict[str, Any]
Apply = Callable[[], tuple[bool, bool]]
_ORDER = ("CustomField", "CompactLayout", "ListView", "Layout", "PermissionSet")


@dataclass
class Deploy:
    """One deploy on its way. It does its work when it is polled for the last time."""

    id: str
    options: Json
    content: bytes
    by: str
    created: str
    polls: int = 0
    status: str = "Pending"
    problem: str | None = None
    successes: list[Json] = field(default_factory=list)
    failures: list[Json] = field(default_factory=list)
    total: int = 0
    completed: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self.status in {"Succeeded", "SucceededPartial", "Failed", "Canceled"}


class Deploys:
    """All deploys of an org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._known: dict[str, Deploy] = {}

    def start(self, content: bytes, options: Json, by: str) -> Deploy:
        """Take a zip; a gap of the sandbox itself shows here, as a Refusal."""
        new = Deploy(salesforce_id("0Af", len(self._known) + 1), options, content, by, self._org.now())
        try:
            opened(content)
        except BadPackage as bad:
            new.problem = str(bad)
        self._known[new.id] = new
        return new

    def find(self, deploy_id: str) -> Deploy | None:
        """A deploy by its id, with 15 or 18 characters."""
        return next((one for known, one in self._known.items() if known[:15] == deploy_id[:15]), None)

    def poll(self, deploy: Deploy) -> None:
        """Time goes on for a deploy each time that somebody looks."""
        if deploy.done:
            return
        deploy.polls += 1
        wait = self._org.settings.deploy_polls
        if deploy.status == "Canceling":
            deploy.status, deploy.completed = "Canceled", self._org.now()
        elif deploy.polls > wait:
            _run(self._org, deploy)
        elif deploy.polls > 1 or wait == 1:
            deploy.status = "InProgress"


def _run(org: Org, deploy: Deploy) -> None:
    deploy.completed = org.now()
    if deploy.problem is not None:
        deploy.status = "Failed"
        return
    package = opened(deploy.content)
    plans = _planned(org, package, deploy)
    deploy.total = len(plans) + len(deploy.failures)
    stop = bool(deploy.failures) and deploy.options.get("rollbackOnError", False)
    if not stop:
        for component, apply in plans:
            created, changed = (False, False) if deploy.options.get("checkOnly") else apply()
            deploy.successes.append(_message(org, component, created=created, changed=changed))
        manifest = {"fullName": "package.xml", "fileName": "package.xml", "componentType": ""}
        deploy.successes.append({**_blank(org), **manifest, "changed": True, "success": True})
    partly = "SucceededPartial" if not stop and plans else "Failed"
    deploy.status = partly if deploy.failures else "Succeeded"


def _planned(org: Org, package: Package, deploy: Deploy) -> list[tuple[Component, Apply]]:
    """What is to be done for each sound component; the others become failures."""
    plans: list[tuple[Component, Apply]] = []
    new_fields: dict[str, Field] = {}
    for component in sorted(package.components, key=lambda one: _ORDER.index(one.kind)):
        try:
            plans.append((component, _plan(org, component, new_fields)))
        except Problem as problem:
            deploy.failures.append(_failure(org, component.kind, component.name, component.file, str(problem)))
    if not deploy.options.get("allowMissingFiles"):
        for kind, name in package.missing:
            why = f"An object '{name}' of type {kind} was named in package.xml, but was not found in zipped directory"
            deploy.failures.append(_failure(org, "", name, "package.xml", why))
    for component in package.unlisted:
        why = f"{component.name} of type {component.kind} is in the zipped directory but not named in package.xml"
        deploy.failures.append(_failure(org, component.kind, component.name, component.file, why))
    return plans


def _plan(org: Org, component: Component, new_fields: dict[str, Field]) -> Apply:
    sobject, _, name = component.name.partition(".")
    if component.kind == "PermissionSet":
        plan = permissions.permission_set(org, component.name, component.xml, new_fields)
        return lambda: permissions.apply(org, plan)
    if component.kind == "Layout":
        return lambda: (False, True)
    table = org.tables.get(sobject.lower())
    if table is None or table.sobject.setup:
        raise Problem(f"Entity: {sobject} of type CustomObject does not exist or cannot be customized")
    if component.kind == "CustomField":
        existing = table.field(name)
        new = custom_field(component.xml, existing)
        new_fields[component.name] = new
        return lambda: _put_field(org, table.name, existing, new)
    _check_columns(component, {*(f.name for f in table.fields), *(n.partition(".")[2] for n in new_fields)})
    return lambda: (False, True)


def _put_field(org: Org, sobject: str, existing: Field | None, new: Field) -> tuple[bool, bool]:
    if existing == new:
        return False, False
    org.add_field(sobject, new)
    return existing is None, True


def _check_columns(component: Component, known: set[str]) -> None:
    """Standard columns go by legacy names that the sandbox does not hold against a list view; custom ones exist."""
    named = [c.text or "" for c in component.xml.findall(NAMESPACE + "columns")]
    named += [f.findtext(NAMESPACE + "field") or "" for f in component.xml.findall(NAMESPACE + "filters")]
    for column in named:
        if column.endswith("__c") and column not in known:
            raise Problem(f"Could not resolve list view column: {column}")


def _blank(org: Org) -> Json:
    return {
        "changed": False,
        "componentType": "",
        "created": False,
        "createdDate": org.now(),
        "deleted": False,
        "fileName": "",
        "fullName": "",
        "success": True,
        "warning": False,
    }


def _message(org: Org, component: Component, *, created: bool, changed: bool) -> Json:
    name = component.name
    named = {"componentType": component.kind, "fileName": component.file, "fullName": name}
    return {**_blank(org), **named, "created": created, "changed": changed}


def _failure(org: Org, kind: str, name: str, file: str, problem: str) -> Json:
    named = {"componentType": kind, "fileName": file, "fullName": name}
    return {**_blank(org), **named, "success": False, "problem": problem, "problemType": "Error"}

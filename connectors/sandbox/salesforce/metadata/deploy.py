"""A deploy: asynchronous, all or nothing if so asked, with an outcome per component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata.future import Future, Step
from connectors.sandbox.salesforce.metadata.package import BadPackage, opened
from connectors.sandbox.salesforce.metadata.planning import Failure, Plan, planned
from connectors.sandbox.salesforce.refusals import error

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

Json = dict[str, Any]
_LOCKED = (
    "The changes you requested require Salesforce to lock your organization's administration setup. However, the "
    "administration setup is already locked by another change. Please wait for the previous action to finish, then "
    "try again later."
)


@dataclass
class Deploy:
    """One deploy on its way. It does its work when it is polled for the last time; `locked`: it will not get to."""

    id: str
    options: Json
    content: bytes
    by: str
    created: str
    polls: int = 0
    locked: bool = False
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
    """All deploys of an org: one works at a time, in the order in which they came."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._known: dict[str, Deploy] = {}

    def start(self, content: bytes, options: Json, by: str) -> Deploy:
        """Take a zip; a gap of the sandbox itself shows here, as a Refusal."""
        knobs = self._org.settings.metadata
        if not knobs.is_sandbox and options.get("purgeOnDelete"):
            raise error(400, "INVALID_OPERATION", "purgeOnDelete option can only be used on a non-active org")
        if not knobs.is_sandbox and not options.get("rollbackOnError"):
            raise error(400, "INVALID_OPERATION", "rollbackOnError must be true for a deployment to production")
        new = Deploy(salesforce_id("0Af", len(self._known) + 1), options, content, by, self._org.now())
        if knobs.setup_locked:
            knobs.setup_locked -= 1
            new.locked = True
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
        """Time goes on for all deploys each time that somebody looks at one, first for the one that came first."""
        if deploy.done:
            return
        knobs = self._org.settings.metadata
        if deploy.status == "Canceling":
            deploy.status, deploy.completed = "Canceled", self._org.now()
        elif knobs.others_deploy_polls:
            knobs.others_deploy_polls -= 1
        else:
            self._go_on(next(one for one in self._known.values() if not one.done))

    def _go_on(self, deploy: Deploy) -> None:
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
    options, package = deploy.options, opened(deploy.content)
    purge, missing = bool(options.get("purgeOnDelete")), bool(options.get("allowMissingFiles"))
    plan = planned(Future(org), package, purge=purge, missing_files_allowed=missing)
    deploy.total = len(plan.steps) + len(plan.failures)
    if deploy.locked and plan.steps:
        first = plan.steps[0]
        plan = Plan([], [Failure(first.kind, first.name, first.file, _LOCKED)])
    done, warnings = _sorted(org, plan.steps, ignored=bool(options.get("ignoreWarnings")))
    deploy.failures = [_failure(org, one) for one in plan.failures] + [_warning(org, one, bad=True) for one in warnings]
    stop = bool(deploy.failures) and bool(options.get("rollbackOnError"))
    if not stop:
        for step in done:
            if not options.get("checkOnly"):
                step.apply()
            deploy.successes.append(_warning(org, step) if step.warning else _message(org, step))
        for file in package.manifests:
            manifest = {"fullName": file, "fileName": file, "componentType": ""}
            deploy.successes.append({**_blank(org), **manifest, "changed": True})
    partly = "SucceededPartial" if not stop and done else "Failed"
    deploy.status = partly if deploy.failures else "Succeeded"


def _sorted(org: Org, steps: list[Step], *, ignored: bool) -> tuple[list[Step], list[Step]]:
    """Steps to do, and warnings that count as errors: those that are not ignored, as the documentation has it."""
    if ignored or not org.settings.metadata.warnings_fail_deploys:
        return steps, []
    return [one for one in steps if one.warning is None], [one for one in steps if one.warning is not None]


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


def _message(org: Org, step: Step) -> Json:
    named = {"componentType": step.kind, "fileName": step.file, "fullName": step.name}
    return {**_blank(org), **named, "created": step.created, "changed": step.changed, "deleted": step.deleted}


def _warning(org: Org, step: Step, *, bad: bool = False) -> Json:
    told = {"success": not bad, "warning": True, "problem": step.warning, "problemType": "Warning"}
    return {**_message(org, step), **told}


def _failure(org: Org, one: Failure) -> Json:
    named = {"componentType": one.kind, "fileName": one.file, "fullName": one.name}
    return {**_blank(org), **named, "success": False, "problem": one.problem, "problemType": "Error"}

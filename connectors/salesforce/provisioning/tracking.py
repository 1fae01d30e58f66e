"""Chooses which of our fields get a field history: those that people may type into, as many as the org has room for.

An object has twenty tracked fields at most, unless Salesforce has agreed to more, and its own history tracking has to
be on: that is an admin's to decide, and kam leaves it as it is.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm (trackHistory, read 2026-11-29)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.contract import Part
from connectors.salesforce.client import Client
from connectors.salesforce.looking_back import keeps_history, tracked_names
from connectors.salesforce.provisioning.components import FIELD
from connectors.salesforce.provisioning.deploying import DeploymentFailed
from connectors.salesforce.provisioning.found import Found
from connectors.salesforce.provisioning.markup import told
from kammodel.publish.fields import CustomField

MOST = 20
"""Tracked fields of an object. The org's own agreement may be another, which nothing tells."""
_PART = "field history"
_OFF = "the org keeps no field history of accounts: switch it on for the object, then provision again"
_FULL = f"an object has {MOST} tracked fields at most, and the others are in use"
_REFUSED = "Salesforce does not take fields with a history: {}"


@dataclass(frozen=True)
class Tracking:
    """`names`: API names of the fields that are to have a history; `new`: those of them that have none yet;
    `left_alone`: those without, and why."""

    names: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    why: str | None = None

    def parts(self) -> tuple[Part, ...]:
        """What it does, in words."""
        kept = [Part(_PART, f"{len(self.names)} fields", "created" if self.new else "unchanged")] if self.names else []
        left = [Part(_PART, ", ".join(self.left_alone), "left alone", self.why)] if self.left_alone else []
        return (*kept, *left)

    def without_new(self, why: str) -> Tracking:
        """The same where Salesforce takes no more of them than it has."""
        kept = tuple(name for name in self.names if name not in self.new)
        return Tracking(kept, (), (*self.new, *self.left_alone), why)


def choose(admin: Client, found: Found, fields: Sequence[CustomField]) -> Tracking:
    """The first of our fields, in their order, that there is room for; those that have a history keep it."""
    wanted = [f.salesforce_name for f in fields if f.ours and f.for_people]
    nodes = {name.partition(".")[2]: node for name, node in found.fields.items()}
    have = {name for name, node in nodes.items() if told(node, "trackHistory") == "true"}
    if not keeps_history(admin):
        return Tracking(left_alone=tuple(wanted), why=_OFF)
    # Where Salesforce does not say what else is tracked, the deployment will tell whether there is room.
    others = (tracked_names(admin) or frozenset()) - {f.salesforce_name for f in fields}
    room = max(0, MOST - len(others | have))
    new = tuple([name for name in wanted if name not in have][:room])
    names = tuple(name for name in wanted if name in have or name in new)
    left = tuple(name for name in wanted if name not in names)
    return Tracking(names, new, left, _FULL if left else None)


def refusal(fault: DeploymentFailed) -> str | None:
    """Why a deployment was refused, if that was for the histories alone: there is no code for it, only words."""
    about = [problem for kind, _, problem in fault.failures if kind == FIELD and "track" in problem.lower()]
    others = [kind for kind, _, problem in fault.failures if kind == FIELD and "track" not in problem.lower()]
    return _REFUSED.format(about[0]) if about and not others else None

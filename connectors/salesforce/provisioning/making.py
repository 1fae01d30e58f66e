"""Provisions an org: one deployment of what is missing or differs, and our own permission to use it.

Nothing is ever deleted or made shorter. A field that Salesforce's APIs create is invisible to everyone until a
permission set grants it: fields and permission sets therefore travel together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.contract import Done, Part, Provisioned
from connectors.errors import TryAgainLater
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record
from connectors.salesforce.org import described_fields
from connectors.salesforce.provisioning.assigning import assign, running_user
from connectors.salesforce.provisioning.changes import Changes, changes, deploy_sparing_layouts
from connectors.salesforce.provisioning.components import KIND
from connectors.salesforce.provisioning.deploying import DeploymentFailed
from connectors.salesforce.provisioning.found import Found, look_around
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER
from connectors.salesforce.provisioning.preflight import is_usable, refuse_impossible, refuse_mismatches
from connectors.salesforce.provisioning.tracking import Tracking, choose, refusal
from kammodel.publish.fields import CustomField

_LOOKS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds to wait before each look: describe may show an old picture for a moment."""
_NOTES = (
    f"assign {READER} to the people who look at accounts",
    "where the Account page is a Lightning page with Dynamic Forms, page layouts do not show there: add the fields to "
    "the page by hand (kam provision --out writes a guide)",
)


def missing(client: Client, fields: Sequence[CustomField]) -> list[str]:
    """Fields that do not exist, that this user cannot see, or, if they are ours, not edit."""
    return _unusable(described_fields(client, KIND), fields)


def provision(
    client: Client, admin: Client, fields: Sequence[CustomField], language: str, *, layouts: bool, dry_run: bool
) -> Provisioned:
    """Deploys as `admin` what is missing or differs, and gives the user of `client` KAM_Integration.

    A field of our name and another type is refused before anything is changed. `dry_run`: Salesforce validates the
    deployment, and nothing is changed or assigned. A second run finds nothing to deploy, and deploys nothing. Our
    fields get a history where the org keeps one and has room.
    """
    refuse_impossible(admin)
    found = look_around(admin, fields, with_layouts=layouts)
    refuse_mismatches(found, fields)
    tracking, ours = _deployed(admin, found, fields, language, check_only=dry_run)
    usable = not _unusable(described_fields(client, KIND), fields)
    if dry_run:
        return _told(ours, tracking, "unchanged" if usable else "created", dry_run=True)
    assigned = not usable and assign(admin, running_user(client))
    _wait_until_seen(client, fields)
    return _told(ours, tracking, "created" if assigned else "unchanged", dry_run=False)


def _deployed(
    admin: Client, found: Found, fields: Sequence[CustomField], language: str, *, check_only: bool
) -> tuple[Tracking, Changes]:
    """What was deployed; without new histories where Salesforce refuses those."""
    tracking = choose(admin, found, fields)
    ours = changes(found, fields, language, tracking.names)
    try:
        deploy_sparing_layouts(admin, ours, check_only=check_only)
    except DeploymentFailed as fault:
        why = refusal(fault) if tracking.new else None
        if why is None:
            raise
        tracking = tracking.without_new(why)
        ours = changes(found, fields, language, tracking.names)
        deploy_sparing_layouts(admin, ours, check_only=check_only)
    return tracking, ours


def _told(ours: Changes, tracking: Tracking, assignment: Done, *, dry_run: bool) -> Provisioned:
    created = ours.fields("created")
    return Provisioned(
        created=created,
        changed=ours.fields("changed"),
        unchanged=ours.fields("unchanged"),
        notes=_NOTES if created else (),
        parts=(*ours.parts(), *tracking.parts(), Part("assignment", f"{INTEGRATION} to kam's user", assignment)),
        dry_run=dry_run,
    )


def _unusable(there: Mapping[str, Record], fields: Sequence[CustomField]) -> list[str]:
    names = [f.salesforce_name for f in fields if not is_usable(there.get(f.salesforce_name), f)]
    return list(dict.fromkeys(names))


def _wait_until_seen(client: Client, fields: Sequence[CustomField]) -> None:
    names: list[str] = []
    for wait in _LOOKS:
        if wait:
            client.sleep(wait)
        names = _unusable(described_fields(client, KIND), fields)
        if not names:
            return
    raise TryAgainLater(f"Salesforce took our fields and does not show {', '.join(names)} yet; provision again")

"""Takes away what provisioning made: our section, list view, fields, assignments and permission sets.

In this order, each step by what there is: a run that was stopped is finished by the next. Only our own names are
touched. Deleted fields lie in the org's Deleted Fields for 15 days, from where an admin can bring them back.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy_deleting_files.htm (2026-11-28)
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Part, Removal
from connectors.errors import PermissionMissing, RequestRefused
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.frames import as_text
from connectors.salesforce.provisioning import layouts, list_view
from connectors.salesforce.provisioning.assigning import assignments, unassign
from connectors.salesforce.provisioning.changes import NAMES, Changes, deploy_sparing_layouts
from connectors.salesforce.provisioning.components import FIELD, KIND, LAYOUT, LIST_VIEW, SET, Component
from connectors.salesforce.provisioning.custom_fields import full_name
from connectors.salesforce.provisioning.found import Found, look_around
from connectors.salesforce.provisioning.preflight import refuse_impossible
from kammodel.publish.fields import CustomField


def removal(client: Client, admin: Client, fields: Sequence[CustomField]) -> Removal:
    """What `remove` would take away, with how many accounts hold a value in each field. Changes nothing."""
    refuse_impossible(admin)
    found = look_around(admin, fields)
    return _told(client, admin, found, fields)


def remove(client: Client, admin: Client, fields: Sequence[CustomField], *, dry_run: bool) -> Removal:
    """Takes it away; what it did, in the words of `removal`. `dry_run`: Salesforce validates the first deployment."""
    refuse_impossible(admin)
    found = look_around(admin, fields)
    told = _told(client, admin, found, fields)
    deploy_sparing_layouts(admin, _without_ours(found, fields), doomed=_doomed(found), check_only=dry_run)
    if not dry_run:
        unassign(admin, assignments(admin))
        # Of its own, because a set that somebody holds cannot be deleted.
        deploy_sparing_layouts(admin, Changes(), doomed=[(SET, name) for name in found.sets])
    return told


def _told(client: Client, admin: Client, found: Found, fields: Sequence[CustomField]) -> Removal:
    there = [f for f in fields if full_name(f) in found.fields]
    return Removal(
        fields={f.salesforce_name: _held(client, f) for f in there},
        typed_by_people=tuple(f.salesforce_name for f in there if not f.ours),
        parts=_parts(found, _without_ours(found, fields), len(assignments(admin))),
    )


def _doomed(found: Found) -> list[tuple[str, str]]:
    views = [(LIST_VIEW, list_view.FULL_NAME)] if found.list_view is not None else []
    return [*views, *((FIELD, name) for name in found.fields)]


def _without_ours(found: Found, fields: Sequence[CustomField]) -> Changes:
    """The layouts without our fields, where those show. A layout that is left alone loses them with the fields."""
    ours, names = Changes(), {f.salesforce_name for f in fields}
    for name, layout in found.layouts.items():
        ours.add(Component(LAYOUT, name, layouts.without_fields(layout, names)), layout)
    return ours


def _parts(found: Found, ours: Changes, assigned: int) -> tuple[Part, ...]:
    pages = [Part(NAMES[LAYOUT], layouts.shown_name(c.name), "changed") for c in ours.components]
    views = [Part(NAMES[LIST_VIEW], list_view.NAME, "removed")] if found.list_view is not None else []
    sets = [Part(NAMES[SET], name, "removed") for name in found.sets]
    people = [Part("assignments", f"of these permission sets: {assigned}", "removed")] if assigned else []
    return (*pages, *views, *sets, *people)


def _held(client: Client, field: CustomField) -> int | None:
    """Accounts with a value in a field; None where the user that kam signs in as may not see it."""
    name = field.salesforce_name
    query = f"SELECT COUNT() FROM {KIND} WHERE {name} != null"  # noqa: S608 - our own names
    try:
        total = as_text(client.get(paths.QUERY, {"q": query}).get("totalSize"))
    except (RequestRefused, PermissionMissing):
        return None
    return int(total) if total is not None and total.isdecimal() else None

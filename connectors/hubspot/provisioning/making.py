"""Brings the company properties that kam writes and reads into a portal. Never deletes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from connectors.contract import Part, Provisioned
from connectors.errors import FieldsNotProvisioned, RequestRefused, TryAgainLater
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.faults import code_of
from connectors.hubspot.provisioning.definitions import (
    GROUP,
    Body,
    changes,
    creation,
    group_body,
    is_read_only,
    kinds,
    mismatch,
)
from connectors.hubspot.provisioning.guide import admin_guide
from kammodel.publish.fields import CustomField

KIND = "companies"
SCOPE = "crm.schemas.companies.write"
"""Writing company records does not include making their properties."""
_LOOKS = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds to wait before each look: a new property shows up after 250 to 700 ms."""


def missing(client: Client, fields: Sequence[CustomField]) -> list[str]:
    """Properties that do not exist, cannot be seen, are of another type, or, if they are ours, cannot be written."""
    there = properties(client, archived=False)
    return [told for f in fields if (told := _why_missing(f, there.get(f.hubspot_name)))]


def _why_missing(field: CustomField, existing: Body | None) -> str | None:
    if existing is None or (field.ours and is_read_only(existing)):
        return field.hubspot_name
    kind = kinds(field)[0]
    if existing.get("type") == kind:
        return None
    return f"{field.hubspot_name} (of type {existing.get('type')!s:.40}, kam needs {kind})"


def provision(
    client: Client,
    fields: Sequence[CustomField],
    language: str,
    sleep: Callable[[float], None],
    *,
    dry_run: bool = False,
) -> Provisioned:
    """Makes the group and the missing properties, and brings labels, descriptions and options up to date.

    A property that was deleted in the last 90 days comes back with its values when its name is made again.
    One of our name and another type is refused before anything is changed. `dry_run`: all of it is looked up, and
    nothing is sent.
    """
    there, bin_ = properties(client, archived=False), properties(client, archived=True)
    _refuse_mismatches(fields, bin_ | there)
    absent = [f for f in fields if f.hubspot_name not in there]
    has_group = has_property_group(client)
    if absent and not dry_run:
        if not has_group:
            _post_unless_there(client, paths.property_groups(KIND), group_body(language))
        _make(client, creation(absent, language, fields))
        there = _seen(client, fields, sleep)
        _refuse_mismatches(fields, there)
    differing = {f.hubspot_name: body for f in fields if (body := _difference(f, there, language))}
    for name, body in differing.items() if not dry_run else ():
        client.request("PATCH", paths.property_(KIND, name), body=body, purpose="other", scope=SCOPE)
    restored = [f.hubspot_name for f in absent if f.hubspot_name in bin_]
    created = [f.hubspot_name for f in absent]
    names = [name for name in differing if name not in created]
    return Provisioned(
        created=tuple(created),
        changed=tuple(names),
        unchanged=tuple(f.hubspot_name for f in fields if f.hubspot_name not in {*created, *names}),
        notes=tuple(f"{name} was in the bin and is restored with its old values" for name in restored),
        parts=(Part("property group", GROUP, "created" if absent and not has_group else "unchanged"),),
        dry_run=dry_run,
    )


def export(fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
    """What `provision` would send, as JSON bodies, with a guide for the admin."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "property-group.json": _json(group_body(language)),
        "properties.json": _json({"inputs": creation(fields, language, fields)}),
        "README.md": admin_guide(fields, language).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def _json(body: Body) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def properties(client: Client, *, archived: bool) -> dict[str, Body]:
    """The properties of companies by name, those in use or those in the bin."""
    query = [("archived", "true")] if archived else []
    listed = client.get(paths.properties(KIND), query, purpose="other").results
    # Some servers list all for archived=true: what is not in the bin does not count as in it.
    return {str(p.get("name")): p for p in listed if archived is (p.get("archived") is True)}


def mismatches(fields: Sequence[CustomField], there: dict[str, Body]) -> list[str]:
    """Why properties of our names cannot serve us."""
    return [why for f in fields if f.hubspot_name in there and (why := mismatch(f, there[f.hubspot_name]))]


def _refuse_mismatches(fields: Sequence[CustomField], there: dict[str, Body]) -> None:
    faults = mismatches(fields, there)
    if faults:
        raise FieldsNotProvisioned(f"{'; '.join(faults)}: rename or delete it in HubSpot, then provision again")


def has_property_group(client: Client) -> bool:
    """Whether our group is there."""
    try:
        client.get(paths.property_group(KIND, GROUP), purpose="other", optional=True)
    except RequestRefused as fault:
        if fault.status not in {404, 405}:
            raise
        return False
    return True


def _make(client: Client, bodies: list[Body]) -> None:
    """All in one call; one by one where a server has no such call or refuses them as a whole."""
    try:
        path = paths.batch_create_properties(KIND)
        answer = client.post(path, {"inputs": bodies}, purpose="other", scope=SCOPE, optional=True)
    except RequestRefused as fault:
        if fault.status not in {404, 405, 409}:
            raise
        for body in bodies:
            _post_unless_there(client, paths.properties(KIND), body)
        return
    refused = [e for e in answer.errors if e.get("category") not in {"OBJECT_ALREADY_EXISTS", "CONFLICT"}]
    if refused:
        codes = ", ".join(sorted({code_of(e) or "without a code" for e in refused}))
        raise RequestRefused(f"HubSpot did not make {len(refused)} of our properties ({codes})", status=answer.status)


def _post_unless_there(client: Client, path: str, body: Body) -> None:
    try:
        client.post(path, body, purpose="other", scope=SCOPE)
    except RequestRefused as fault:
        if fault.status != 409:
            raise


def _seen(client: Client, fields: Sequence[CustomField], sleep: Callable[[float], None]) -> dict[str, Body]:
    """The properties, once all of ours show up among them."""
    absent: list[str] = []
    for wait in _LOOKS:
        if wait:
            sleep(wait)
        there = properties(client, archived=False)
        absent = [f.hubspot_name for f in fields if f.hubspot_name not in there]
        if not absent:
            return there
    raise TryAgainLater(f"HubSpot took our properties and does not show {', '.join(absent)} yet; provision again")


def _difference(field: CustomField, there: dict[str, Body], language: str) -> Body:
    """What a property has to change in; nothing where it is yet to be made."""
    existing = there.get(field.hubspot_name)
    return changes(field, existing, language) if existing is not None else {}

"""Provisioning: brings our Account fields, their permissions and our own permission to use them into an org.

Nothing is ever deleted. A field that Salesforce's APIs create is invisible to everyone until a permission set
grants it: fields and permission sets therefore travel in one deployment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.contract import Provisioned
from connectors.errors import FieldsNotProvisioned, PermissionMissing, RequestRefused, TryAgainLater
from connectors.salesforce import paths, soql
from connectors.salesforce.client import Client
from connectors.salesforce.deploying import deploy
from connectors.salesforce.frames import Record, as_text
from connectors.salesforce.guide import PACKAGE, admin_guide
from connectors.salesforce.metadata import INTEGRATION, READER, package_files, zipped
from connectors.salesforce.org import described_fields
from connectors.salesforce.querying import read_all
from kammodel.publish.fields import CustomField

KIND = "Account"
_TYPES = {
    "picklist": {"picklist"},
    "number": {"double", "int"},
    "percent": {"percent"},
    "text": {"string"},
    "date": {"date"},
}
"""Our kinds as describe names them."""
_LOOKS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds to wait before each look: describe may show an old picture for a moment."""
_ASSIGN = "the permission Assign Permission Sets"


def missing(client: Client, fields: Sequence[CustomField]) -> list[str]:
    """Fields that do not exist, that this user cannot see, or, if they are ours, not edit."""
    return _unusable(described_fields(client, KIND), fields)


def provision(client: Client, fields: Sequence[CustomField], language: str) -> Provisioned:
    """Deploys fields and permission sets where something is missing or differs, and takes up KAM_Integration.

    A field of our name and another type is refused before anything is changed.
    """
    before = described_fields(client, KIND)
    _refuse_mismatches(before, fields)
    sets = _permission_sets(client)
    differs = any(_differs(before.get(f.salesforce_name), f, language) for f in fields)
    unusable = _unusable(before, fields)
    if not differs and not unusable and {INTEGRATION, READER} <= set(sets):
        return _told(before, before, fields, hidden=set())
    result = deploy(client, zipped(package_files(fields, language, client.version)))
    if unusable:
        _assign(client, _permission_sets(client))
    return _told(before, _seen(client, fields), fields, hidden=_there_before(result))


def export(fields: Sequence[CustomField], language: str, version: str, folder: Path) -> list[Path]:
    """What `provision` would deploy, with a guide for the admin beside it: a deployment takes all of its folder."""
    package = package_files(fields, language, version)
    files = {"README.md": admin_guide(fields, language).encode()}
    files |= {f"{PACKAGE}/{name}": content for name, content in package.items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [folder / name for name in files]


def _unusable(there: Mapping[str, Record], fields: Sequence[CustomField]) -> list[str]:
    names = [f.salesforce_name for f in fields if f.salesforce_name not in there or not _serves(there, f)]
    return list(dict.fromkeys(names))


def _serves(there: Mapping[str, Record], field: CustomField) -> bool:
    # Where describe says nothing of editing, the write itself will tell.
    return not field.ours or there[field.salesforce_name].get("updateable") is not False


def _refuse_mismatches(there: Mapping[str, Record], fields: Sequence[CustomField]) -> None:
    faults = []
    for field in fields:
        told = there.get(field.salesforce_name, {})
        kind = as_text(told.get("type"))
        if kind is not None and kind.lower() not in _TYPES[field.kind]:
            wanted = " or ".join(sorted(_TYPES[field.kind]))
            faults.append(f"{field.salesforce_name} exists with type {kind:.30}, kam needs {wanted}")
        elif told.get("calculated") is True:
            faults.append(f"{field.salesforce_name} exists as a formula")
    if faults:
        raise FieldsNotProvisioned(f"{'; '.join(faults)}: rename or delete it in Salesforce, then provision again")


def _differs(told: Record | None, field: CustomField, language: str) -> bool:
    """Whether a field that is there needs another label, help text, more room or more values. What describe does not
    say is taken to be right."""
    if told is None:
        return False
    texts = {"label": field.label.in_(language), "inlineHelpText": field.help.in_(language)}
    if any(isinstance(told.get(key), str) and told[key] != text for key, text in texts.items()):
        return True
    room = {"length": field.length} if field.kind == "text" else {}
    if field.kind in {"number", "percent"}:
        room = {"precision": field.precision, "scale": field.scale}
    if any(isinstance(told.get(key), int) and told[key] < least for key, least in room.items()):
        return True
    listed = told.get("picklistValues")
    values = {v.get("value") for v in listed if isinstance(v, dict)} if isinstance(listed, list) else None
    return bool(field.options) and values is not None and not {value for value, _ in field.options} <= values


def _permission_sets(client: Client) -> dict[str, str]:
    """Our permission sets that exist, by name."""
    query = soql.select(["Id", "Name"], "PermissionSet", soql.any_of("Name", [INTEGRATION, READER]))
    return {str(r.get("Name")): str(r.get("Id")) for r in read_all(client, query, asks="View Setup and Configuration")}


def _assign(client: Client, sets: Mapping[str, str]) -> None:
    """Gives the running user KAM_Integration; that it has it already is fine."""
    if INTEGRATION not in sets:
        raise FieldsNotProvisioned(f"Salesforce does not show the permission set {INTEGRATION}; provision again")
    body = {"AssigneeId": _running_user(client), "PermissionSetId": sets[INTEGRATION]}
    if _is_assigned(client, body):
        return
    try:
        client.send("POST", paths.record("PermissionSetAssignment"), body, purpose="other", asks=_ASSIGN)
    except RequestRefused as fault:
        if fault.code != "DUPLICATE_VALUE":
            raise


def _is_assigned(client: Client, assignment: Mapping[str, str]) -> bool:
    where = " AND ".join(f"{name} = {soql.text(value)}" for name, value in assignment.items())
    try:
        return bool(read_all(client, soql.select(["Id"], "PermissionSetAssignment", where)))
    except (RequestRefused, PermissionMissing):
        # Who may not look may still be allowed to assign, and is told if it stood already.
        return False


def _running_user(client: Client) -> str:
    known = client.user_id or as_text(client.get(paths.USER, purpose="other").get("user_id"))
    if not known:
        raise PermissionMissing(f"Salesforce does not say which user this is: assign {INTEGRATION} to it by hand")
    return known


def _seen(client: Client, fields: Sequence[CustomField]) -> dict[str, Record]:
    """The fields of the object, once all of ours can be used."""
    names: list[str] = []
    for wait in _LOOKS:
        if wait:
            client.sleep(wait)
        there = described_fields(client, KIND)
        names = _unusable(there, fields)
        if not names:
            _refuse_mismatches(there, fields)
            return there
    raise TryAgainLater(f"Salesforce took our fields and does not show {', '.join(names)} yet; provision again")


def _there_before(result: Record) -> set[str]:
    """Fields that the deployment found there, hidden from us or not."""
    details = result.get("details")
    listed = details.get("componentSuccesses") if isinstance(details, dict) else None
    rows = [r for r in (listed if isinstance(listed, list) else [listed]) if isinstance(r, dict)]
    return {str(r.get("fullName")).removeprefix(f"{KIND}.") for r in rows if as_text(r.get("created")) == "false"}


def _told(
    before: Mapping[str, Record], after: Mapping[str, Record], fields: Sequence[CustomField], *, hidden: set[str]
) -> Provisioned:
    """What was done. A field that was there and hidden from us counts as changed."""
    names = [f.salesforce_name for f in fields]
    created = tuple(n for n in names if n not in before and n not in hidden)
    changed = tuple(n for n in names if n not in created and _facets(before.get(n)) != _facets(after[n]))
    notes = (
        f"assign {READER} to the people who look at accounts, and put the fields on the Account page: no API of ours "
        "does that (kam provision --out writes a guide)",
        "a user other than this one, signing in to write, needs KAM_Integration too",
    )
    return Provisioned(
        created=created,
        changed=changed,
        unchanged=tuple(n for n in names if n not in {*created, *changed}),
        notes=notes if created else (),
    )


def _facets(told: Record | None) -> list[object] | None:
    keys = ("label", "inlineHelpText", "type", "length", "precision", "scale", "picklistValues", "updateable")
    return None if told is None else [told.get(key) for key in keys]

"""Who holds our permission sets: gives KAM_Integration to the nightly user, and takes both from everybody."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.errors import FieldsNotProvisioned, PermissionMissing, RequestRefused
from connectors.salesforce import paths, soql
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record, as_text
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER
from connectors.salesforce.querying import read_rows

_SEES, _ASKS = "the permission View Setup and Configuration", "the permission Assign Permission Sets"
_ASSIGNMENT = "PermissionSetAssignment"


def assign(admin: Client, user_id: str | None) -> bool:
    """Gives a user KAM_Integration; False where that had been done before."""
    if not user_id:
        raise PermissionMissing(f"Salesforce does not say which user kam signs in as: assign {INTEGRATION} by hand")
    sets = _rows(admin, soql.select(["Id"], "PermissionSet", soql.any_of("Name", [INTEGRATION])))
    if not sets:
        raise FieldsNotProvisioned(f"Salesforce does not show the permission set {INTEGRATION}; provision again")
    body = {"AssigneeId": user_id, "PermissionSetId": str(sets[0].get("Id"))}
    if _is_assigned(admin, body):
        return False
    try:
        admin.send("POST", paths.record(_ASSIGNMENT), body, purpose="other", asks=_ASKS)
    except RequestRefused as fault:
        if fault.code != "DUPLICATE_VALUE":
            raise
        return False
    return True


def assignments(admin: Client) -> list[str]:
    """Ids of the assignments of our two sets, to whomever."""
    ours = soql.any_of("Name", [INTEGRATION, READER])
    sets = [str(row.get("Id")) for row in _rows(admin, soql.select(["Id"], "PermissionSet", ours))]
    if not sets:
        return []
    rows = _rows(admin, soql.select(["Id"], _ASSIGNMENT, soql.any_of("PermissionSetId", sets)))
    return [str(row.get("Id")) for row in rows]


def unassign(admin: Client, ids: Sequence[str]) -> None:
    """Takes assignments away, one call each; one that is gone already is fine."""
    for assignment in ids:
        try:
            admin.delete(f"{paths.record(_ASSIGNMENT)}/{assignment}")
        except PermissionMissing as fault:
            text = f"permission sets cannot be taken from their users: grant {_ASKS}"
            raise PermissionMissing(text, code=fault.code, status=fault.status) from fault


def running_user(client: Client) -> str | None:
    """The id of the user that a client signs in as."""
    return client.user_id or as_text(client.get(paths.USER, purpose="other").get("user_id"))


def _is_assigned(admin: Client, assignment: dict[str, str]) -> bool:
    where = " AND ".join(f"{name} = {soql.text(value)}" for name, value in assignment.items())
    try:
        return bool(_rows(admin, soql.select(["Id"], _ASSIGNMENT, where)))
    except (RequestRefused, PermissionMissing):
        # Who may not look may still be allowed to assign, and is told if it stood already.
        return False


def _rows(admin: Client, query: str) -> list[Record]:
    pages = read_rows(admin, query, path=paths.QUERY, asks=_SEES, may_be_empty=True)
    return [row for page in pages for row in page.records]

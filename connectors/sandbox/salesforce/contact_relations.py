"""Keeps the direct relation of a contact with its account, in an org whose contacts may have several accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

RELATION = "AccountContactRelation"


def follow_account(org: Org, contact: Mapping[str, Any], by: str | None) -> None:
    """One direct relation, to the account that the contact is in now.

    One that led to another account is moved; where the contact was related to the new account already, that
    relation becomes the direct one.
    """
    table, account = org.tables.get(RELATION.lower()), contact["AccountId"]
    if table is None or contact["IsDeleted"]:
        return
    live = [table.record_of(row) for row in table.where("ContactId", contact["Id"]) if not table.deleted(row)]
    direct = next((one for one in live if one["IsDirect"]), None)
    there = next((one for one in live if one["AccountId"] == account), None)
    if direct is there:
        if direct is None and account is not None:
            org.create(RELATION, {"AccountId": account, "ContactId": contact["Id"]}, by=by)
        return
    if direct is not None and (there is not None or account is None):
        org.delete(RELATION, direct["Id"], by=by)
    kept = there or direct
    if kept is not None and account is not None:
        now, who = org.now(), by or org.admin_user_id
        stamps = {"LastModifiedDate": now, "LastModifiedById": who, "SystemModstamp": now}
        org.save(table, {**kept, "AccountId": account, "IsDirect": True, **stamps}, kept, by, quiet=True)

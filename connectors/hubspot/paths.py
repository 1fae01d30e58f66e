"""Every path of HubSpot's API that we call, and the versions they carry.

The v4 associations leave support on 2027-03-30, v3 in September 2027; the dated versions take the same
bodies under another order of words (`/crm/objects/2026-09/companies`), so that a move is made here alone.
https://developers.hubspot.com/docs/developer-tooling/platform/versioning (read 2026-11-23)
"""

from __future__ import annotations

from urllib.parse import quote

OBJECTS = "v3"
ASSOCIATIONS = "v4"
SETTINGS = "v3"

ACCOUNT_DETAILS = f"/account-info/{SETTINGS}/details"
EXCHANGE_RATES = f"/settings/{SETTINGS}/currencies/exchange-rates"
CURRENT_RATES = f"{EXCHANGE_RATES}/current"
DEAL_PIPELINES = f"/crm/{OBJECTS}/pipelines/deals"
# With the slash, as hubspot-api-client itself asks for it.
OWNERS = f"/crm/{OBJECTS}/owners/"


def objects(kind: str) -> str:
    """The list of all records of a kind."""
    return f"/crm/{OBJECTS}/objects/{kind}"


def one(kind: str, record_id: str) -> str:
    return f"{objects(kind)}/{quote(record_id, safe='')}"


def batch_read(kind: str) -> str:
    return f"{objects(kind)}/batch/read"


def batch_update(kind: str) -> str:
    return f"{objects(kind)}/batch/update"


def search(kind: str) -> str:
    return f"{objects(kind)}/search"


def associations(from_kind: str, to_kind: str) -> str:
    """Links from many records of one kind to another, up to 1,000 records a call."""
    return f"/crm/{ASSOCIATIONS}/associations/{from_kind}/{to_kind}/batch/read"


def properties(kind: str) -> str:
    return f"/crm/{OBJECTS}/properties/{kind}"


def property_(kind: str, name: str) -> str:
    return f"{properties(kind)}/{quote(name, safe='')}"


def batch_create_properties(kind: str) -> str:
    return f"{properties(kind)}/batch/create"


def property_groups(kind: str) -> str:
    return f"{properties(kind)}/groups"


def property_group(kind: str, name: str) -> str:
    return f"{property_groups(kind)}/{quote(name, safe='')}"

"""Every path of HubSpot's API that we call, and the one place where the version is put into them.

Paths are written here in the words of v3 and v4. The dated versions take and give the same bodies under another order
of words (`/crm/objects/2026-09/companies`), so that a move is made by KAM_HUBSPOT__API_VERSION alone. The v4
associations leave support on 2027-03-30, v3 in September 2027.
https://developers.hubspot.com/docs/developer-tooling/platform/versioning (read 2026-11-28)
"""

from __future__ import annotations

import re
from urllib.parse import quote

V3 = "v3"
"""The version that every portal serves: v3, with v4 for associations."""
DATED = re.compile(r"20\d\d-(03|09)(-beta)?")
"""What the other versions look like; they come each March and September."""
_WITH_PRODUCT = re.compile(r"/(crm|settings)/v\d/([a-z-]+)(/.*)?")
_WITHOUT = re.compile(r"/(account-info|oauth)/v\d(/.*)")

ACCOUNT_DETAILS = "/account-info/v3/details"
EXCHANGE_RATES = "/settings/v3/currencies/exchange-rates"
CURRENT_RATES = f"{EXCHANGE_RATES}/current"
CUSTOM_PROPERTY_LIMITS = "/crm/v3/limits/custom-properties"
# With the slash, as hubspot-api-client itself asks for it.
OWNERS = "/crm/v3/owners/"
# Not v1, which the library asks: it ends on 2027-02-16 (read 2026-11-28,
# https://developers.hubspot.com/docs/api-reference/legacy/oauth).
TOKEN = "/oauth/v3/token"  # noqa: S105  a path


def in_version(path: str, version: str) -> str:
    """The path as that version has it; one that is not written in the words of v3 and v4 stays as it is."""
    if version == V3:
        return path
    found = _WITH_PRODUCT.fullmatch(path)
    if found:
        return f"/{found[1]}/{found[2]}/{version}{found[3] or ''}"
    return _WITHOUT.sub(rf"/\1/{version}\2", path)


def objects(kind: str) -> str:
    """The list of all records of a kind."""
    return f"/crm/v3/objects/{kind}"


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
    return f"/crm/v4/associations/{from_kind}/{to_kind}/batch/read"


def links_of_one(from_kind: str, record_id: str, to_kind: str) -> str:
    return f"/crm/v4/objects/{from_kind}/{quote(record_id, safe='')}/associations/{to_kind}"


def pipelines(kind: str) -> str:
    """The pipelines of deals or of tickets, with their stages."""
    return f"/crm/v3/pipelines/{kind}"


def properties(kind: str) -> str:
    return f"/crm/v3/properties/{kind}"


def property_(kind: str, name: str) -> str:
    return f"{properties(kind)}/{quote(name, safe='')}"


def batch_create_properties(kind: str) -> str:
    return f"{properties(kind)}/batch/create"


def property_groups(kind: str) -> str:
    return f"{properties(kind)}/groups"


def property_group(kind: str, name: str) -> str:
    return f"{property_groups(kind)}/{quote(name, safe='')}"

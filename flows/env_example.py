"""`.env.example`, made from the settings: `python -m flows.env_example > .env.example`."""

from __future__ import annotations

import sys

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from flows.settings import BLOCKS, NESTED, PREFIX, Settings

HEAD = """\
# Configuration of kam. Copy this file to .env, or set the same names in the environment, which wins over it.
# Made from flows/settings.py by: python -m flows.env_example > .env.example
# A blank value is no value. A name that kam does not know is refused, so that a typing error is seen.
"""
BLOCK_HEADS = {
    "salesforce": "Salesforce, by an external client app: client credentials, or JWT bearer, or a refresh token",
    "hubspot": "HubSpot, by a service key or the token of a private app, or as an OAuth app",
}
ABOUT = {
    "KAM_SALESFORCE__INSTANCE_URL": ("My Domain address of the org", "https://example.my.salesforce.com"),
    "KAM_SALESFORCE__CLIENT_ID": ("Consumer key of the app", ""),
    "KAM_SALESFORCE__CLIENT_SECRET": ("Consumer secret of the app; with a private key it is not needed", ""),
    "KAM_SALESFORCE__USERNAME": ("JWT bearer: the user to sign in as", ""),
    "KAM_SALESFORCE__PRIVATE_KEY_FILE": (
        "JWT bearer: PEM file of the key whose certificate the app has",
        "/etc/kam/salesforce.pem",
    ),
    "KAM_SALESFORCE__REFRESH_TOKEN": ("Refresh token: what authorising the app gave; kam keeps its successors", ""),
    "KAM_SALESFORCE__LOGIN_URL": (
        "JWT bearer and refresh token: the login host, where it is not the usual one",
        "https://login.salesforce.com",
    ),
    "KAM_SALESFORCE__ADMIN_CLIENT_ID": ("For kam provision only: consumer key of an app that runs as an admin", ""),
    "KAM_SALESFORCE__ADMIN_CLIENT_SECRET": ("For kam provision only: its consumer secret", ""),
    "KAM_SALESFORCE__API_VERSION": ("Version of the API to speak", ""),
    "KAM_SALESFORCE__CROSS_REFERENCE_FIELD": ("Account field in which a sync tool notes the HubSpot company id", ""),
    "KAM_SALESFORCE__SETTLE_SECONDS": ("How long a long transaction is given to show its rows", ""),
    "KAM_SALESFORCE__CALL_SHARE": ("Share of the org's API calls in 24 hours that one run may make", ""),
    "KAM_SALESFORCE__CALL_RESERVE": ("Share of the org's API calls in 24 hours that is left to others", ""),
    "KAM_HUBSPOT__BASE_URL": ("Where the API answers, for portals of every region", ""),
    "KAM_HUBSPOT__ACCESS_TOKEN": ("The service key or private app token", ""),
    "KAM_HUBSPOT__CLIENT_ID": ("OAuth app, in place of the key: its client id", ""),
    "KAM_HUBSPOT__CLIENT_SECRET": ("OAuth app: its client secret", ""),
    "KAM_HUBSPOT__REFRESH_TOKEN": ("OAuth app: what installing it gave; kam keeps its successors", ""),
    "KAM_HUBSPOT__API_VERSION": ("Version of the paths: v3 (with v4 for associations), or one like 2026-09", ""),
    "KAM_HUBSPOT__CROSS_REFERENCE_PROPERTY": ("Company property in which a sync tool notes the Salesforce id", ""),
    "KAM_HUBSPOT__SETTLE_SECONDS": ("How long the search index is given to show a change", ""),
    "KAM_HUBSPOT__CALL_SHARE": ("Share of the portal's API calls of a day that one run may make", ""),
    "KAM_HUBSPOT__CALL_RESERVE": ("Share of those calls that is left to others", ""),
    "KAM_HUBSPOT__SEARCHES_PER_SECOND": ("How many of the account's five searches a second are ours", ""),
    "KAM_HUBSPOT__PARALLEL_CALLS": ("How many calls are under way at a time", ""),
    "KAM_HUBSPOT__RELINK_HOURS": ("Hours between two looks at the links of all records, which move no stamp", ""),
    "KAM_HUBSPOT__LOOK_BACK": ("Whether the history of what was written is read to see what it went over", ""),
    "KAM_HUBSPOT__TRACE_WRITES": ("Whether written rows carry a trace id, so that HubSpot can name a bad one", ""),
}
"""What each variable of a CRM's block is, and an example where its default says too little."""


def env_example() -> str:
    """The text of `.env.example`: every variable, commented out, with its default or an example."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        if name in BLOCKS:
            lines += ["", f"# --- {BLOCK_HEADS[name]}", *_block(name, BLOCKS[name])]
            continue
        default = _default(field.default)
        example = str(field.examples[0]) if field.examples else default
        beside = f" (default: {default})" if default and example != default else ""
        lines += [f"# {field.description}{beside}.", f"# {PREFIX}{name.upper()}={example}"]
    return "\n".join(lines) + "\n"


def _block(name: str, block: type[BaseModel]) -> list[str]:
    lines: list[str] = []
    for inner, field in block.model_fields.items():
        variable = f"{PREFIX}{name}{NESTED}{inner}".upper()
        about, example = ABOUT[variable]
        lines += [f"# {about}.", f"# {variable}={example or _default(field.default)}"]
    return lines


def _default(value: object) -> str:
    unset = value is None or value is PydanticUndefined or isinstance(value, SecretStr)
    return "" if unset else str(value)


if __name__ == "__main__":
    sys.stdout.write(env_example())

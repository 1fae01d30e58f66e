"""What has to be set to reach a Salesforce org."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.web import checked_base_url
from kammodel.errors import NotConfigured

PREFIX = "KAM_SALESFORCE__"
API_VERSION = "66.0"
"""Spring '26. Two releases behind the newest, so that no org waits for it, and years before it is retired."""
_VERSION = re.compile(r"[vV]?(\d{2,3})(\.0)?")
_ANOTHER_WAY = ("username", "private_key_file", "refresh_token")


class SalesforceSettings(BaseModel):
    """The `KAM_SALESFORCE__*` variables.

    `instance_url`: the org's My Domain address. `client_id`, `client_secret`: key and secret of an external
    client app with the client credentials flow and a run-as user. The names of the JWT and refresh token flows
    are known, so that setting them is told apart from a typing error; those flows are not built yet.
    `cross_reference_field`: the Account field in which a sync tool notes the HubSpot company id; used if the
    org has it. `settle_seconds`: how long a long transaction is given to show its rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    instance_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    private_key_file: Path | None = None
    refresh_token: SecretStr | None = None
    api_version: str = API_VERSION
    cross_reference_field: str = Field(default="HubSpot_Company_Id__c", pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    settle_seconds: int = Field(default=300, ge=0)

    @field_validator("api_version")
    @classmethod
    def _plain_version(cls, text: str) -> str:
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            raise NotConfigured(f"{PREFIX}API_VERSION is no version: it should look like {API_VERSION}")
        return f"{found[1]}.0"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.instance_url or "").strip():
            raise NotConfigured(
                f"{PREFIX}INSTANCE_URL is missing: the org's My Domain address, https://example.my.salesforce.com"
            )
        if (self.host.split("://")[-1].split("/")[0].split(":")[0]).endswith(".lightning.force.com"):
            raise NotConfigured(
                f"{PREFIX}INSTANCE_URL is the address of the pages; the API answers at https://example.my.salesforce.com"
            )
        for name, value in (("CLIENT_ID", self.key), ("CLIENT_SECRET", self.secret)):
            _check_credential(f"{PREFIX}{name}", value, another_way=any(getattr(self, n) for n in _ANOTHER_WAY))
        return self

    @property
    def host(self) -> str:
        """The address without a trailing slash."""
        return checked_base_url(self.instance_url or "", f"{PREFIX}INSTANCE_URL")

    @property
    def key(self) -> str:
        return (self.client_id or "").strip()

    @property
    def secret(self) -> str:
        return self.client_secret.get_secret_value().strip() if self.client_secret else ""


def _check_credential(variable: str, value: str, *, another_way: bool) -> None:
    if not value:
        raise NotConfigured(
            f"{variable} is missing: kam signs in by the client credentials flow of an external client app"
            + (" (the JWT and refresh token flows are not built yet)" if another_way else "")
        )
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise NotConfigured(f"{variable} holds a blank or a sign that no credential has")

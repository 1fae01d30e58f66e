"""What has to be set to reach a HubSpot portal."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.web import checked_base_url
from kammodel.errors import NotConfigured

BASE_URL = "https://api.hubapi.com"
"""Portals of every region answer here; only the address of the pages people see differs."""


class HubSpotSettings(BaseModel):
    """The `KAM_HUBSPOT__*` variables.

    `access_token`: a service key, or the token of a private app. The three OAuth names are known, so that
    setting them is told apart from a typing error; signing in as an OAuth app is not built yet.
    `cross_reference_property`: the company property in which a sync tool notes the other CRM's id; used if
    the portal has it. `settle_seconds`: how long HubSpot's search index is given to show a change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = BASE_URL
    access_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    cross_reference_property: str = Field(default="salesforceaccountid", pattern=r"^[a-z][a-z0-9_]*$")
    settle_seconds: int = Field(default=300, ge=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        checked_base_url(self.base_url, "KAM_HUBSPOT__BASE_URL")
        token = self.token
        if not token:
            raise NotConfigured(
                "KAM_HUBSPOT__ACCESS_TOKEN is missing: the service key or private app token of the portal"
                + (" (signing in as an OAuth app is not built yet)" if self.client_id or self.refresh_token else "")
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise NotConfigured("KAM_HUBSPOT__ACCESS_TOKEN holds a blank or a sign that no token has")
        return self

    @property
    def token(self) -> str:
        """The bearer token, less blanks and line ends around it."""
        return self.access_token.get_secret_value().strip() if self.access_token else ""

    @property
    def host(self) -> str:
        return checked_base_url(self.base_url, "KAM_HUBSPOT__BASE_URL")

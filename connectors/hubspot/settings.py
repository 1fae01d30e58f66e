"""What has to be set to reach a HubSpot portal."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.hubspot.paths import DATED, V3
from connectors.web import checked_base_url
from kammodel.errors import NotConfigured

PREFIX = "KAM_HUBSPOT__"
BASE_URL = "https://api.hubapi.com"
"""Portals of every region answer here; only the address of the pages people see differs."""
_OF_THE_APP = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
Flow = Literal["service key", "OAuth app"]


class HubSpotSettings(BaseModel):
    """The `KAM_HUBSPOT__*` variables. Which of them are set decides how we sign in, see `flow`.

    `access_token`: a service key, or the token of a private app. `client_id`, `client_secret`, `refresh_token`: an
    OAuth app, and what installing it gave. `api_version`: v3, or a dated one such as 2026-09.
    `cross_reference_property`: the company property in which a sync tool notes the other CRM's id; used if
    the portal has it. `settle_seconds`: how long HubSpot's search index is given to show a change. `call_share`: share
    of the portal's calls of a day that one run may make; `call_reserve`: share of them that is left to others.
    `parallel_calls`: how many calls are under way at a time, within what HubSpot allows.
    `searches_per_second`: HubSpot allows five to all apps of an account together, and says nothing of them in answers.
    `relink_hours`: between two looks at the links of all records, a call per 1,000 records and kind of link.
    `trace_writes`: whether written rows carry a trace id, by which HubSpot names a bad row instead of refusing all.
    `look_back`: whether the history of what was written is read to see what it went over, a call per 50 companies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = BASE_URL
    access_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    api_version: str = V3
    cross_reference_property: str = Field(default="salesforceaccountid", pattern=r"^[a-z][a-z0-9_]*$")
    settle_seconds: int = Field(default=300, ge=0)
    call_share: float = Field(default=0.5, gt=0, le=1)
    call_reserve: float = Field(default=0.2, ge=0, lt=1)
    parallel_calls: int = Field(default=8, ge=1, le=32)
    searches_per_second: float = Field(default=4.5, gt=0)
    relink_hours: int = Field(default=24, ge=1)
    trace_writes: bool = True
    look_back: bool = True

    @field_validator("api_version")
    @classmethod
    def _known_version(cls, text: str) -> str:
        version = text.strip().lower()
        if version != V3 and DATED.fullmatch(version) is None:
            raise NotConfigured(f"{PREFIX}API_VERSION is no version: it should be {V3}, or look like 2026-09")
        return version

    @model_validator(mode="after")
    def _complete(self) -> Self:
        checked_base_url(self.base_url, f"{PREFIX}BASE_URL")
        given = [name for name in _OF_THE_APP if self._value(name)]
        if self.flow == "service key" and given:
            raise NotConfigured(
                f"{PREFIX}{given[0]} has no use beside {PREFIX}ACCESS_TOKEN: unset it, or, to sign in as an OAuth app, "
                f"unset {PREFIX}ACCESS_TOKEN"
            )
        if self.flow == "OAuth app" and len(given) < len(_OF_THE_APP):
            lacking = next(name for name in _OF_THE_APP if name not in given)
            if given:
                raise NotConfigured(f"{PREFIX}{lacking} is missing: {PREFIX}{given[0]} alone signs no OAuth app in")
            raise NotConfigured(
                f"{PREFIX}ACCESS_TOKEN is missing: the service key or private app token of the portal (or, for an "
                f"OAuth app, {', '.join(PREFIX + name for name in _OF_THE_APP)})"
            )
        for name in ("ACCESS_TOKEN", *_OF_THE_APP):
            value = self._value(name)
            if not (value.isascii() and value.isprintable()) or " " in value:
                raise NotConfigured(f"{PREFIX}{name} holds a blank or a sign that no token has")
        return self

    @property
    def flow(self) -> Flow:
        """How we sign in: a service key where there is one."""
        return "service key" if self.token else "OAuth app"

    @property
    def token(self) -> str:
        """The configured bearer token, less blanks and line ends around it; empty for an OAuth app."""
        return self._value("ACCESS_TOKEN")

    @property
    def app(self) -> tuple[str, str, str]:
        """Client id, secret and refresh token of an OAuth app."""
        return self._value("CLIENT_ID"), self._value("CLIENT_SECRET"), self._value("REFRESH_TOKEN")

    @property
    def host(self) -> str:
        return checked_base_url(self.base_url, f"{PREFIX}BASE_URL")

    def _value(self, name: str) -> str:
        value: object = getattr(self, name.lower())
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return "" if text is None else str(text).strip()

"""What has to be set to reach a Salesforce org."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.web import checked_base_url
from kammodel.errors import NotConfigured

PREFIX = "KAM_SALESFORCE__"
API_VERSION = "66.0"
"""Spring '26. Two releases behind the newest, so that no org waits for it, and years before it is retired."""
_VERSION = re.compile(r"[vV]?(\d{2,3})(\.0)?")
Flow = Literal["client credentials", "JWT bearer", "refresh token"]
_NEEDS: dict[Flow, tuple[str, ...]] = {
    "client credentials": ("CLIENT_ID", "CLIENT_SECRET"),
    "JWT bearer": ("CLIENT_ID", "USERNAME", "PRIVATE_KEY_FILE"),
    "refresh token": ("CLIENT_ID", "REFRESH_TOKEN"),
}
_REFUSES: dict[Flow, tuple[str, ...]] = {
    "client credentials": ("LOGIN_URL",),
    "JWT bearer": (),
    "refresh token": ("USERNAME", "PRIVATE_KEY_FILE"),
}
"""What another flow alone has a use for. A secret beside a private key is no contradiction: the app has both."""
_CREDENTIALS = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "ADMIN_CLIENT_ID", "ADMIN_CLIENT_SECRET")


class SalesforceSettings(BaseModel):
    """The `KAM_SALESFORCE__*` variables. Which of them are set decides how we sign in, see `flow`.

    `instance_url`: the org's My Domain address. `client_id`, `client_secret`: key and secret of an external client
    app. `username`, `private_key_file`: the user to sign in as, and the PEM file of the key whose certificate the
    app has. `refresh_token`: what authorising the app gave. `login_url`: whom a signed request is addressed to, or
    which host gave the refresh token, where that is neither the usual login host nor `instance_url`.
    `admin_client_id`, `admin_client_secret`: an app whose run-as user is an administrator; only provisioning signs
    in with it. `cross_reference_field`: the Account field in which a sync tool notes the HubSpot company id; used
    if the org has it. `settle_seconds`: how long a long transaction is given to show its rows. `call_share`: share
    of the org's calls in 24 hours that one run may make; `call_reserve`: share of them that is left to others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    instance_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    private_key_file: Path | None = None
    refresh_token: SecretStr | None = None
    login_url: str | None = None
    admin_client_id: str | None = None
    admin_client_secret: SecretStr | None = None
    api_version: str = API_VERSION
    cross_reference_field: str = Field(default="HubSpot_Company_Id__c", pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    settle_seconds: int = Field(default=300, ge=0)
    call_share: float = Field(default=0.25, gt=0, le=1)
    call_reserve: float = Field(default=0.2, ge=0, lt=1)

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
        if self._value("LOGIN_URL"):
            checked_base_url(self._value("LOGIN_URL"), f"{PREFIX}LOGIN_URL")
        self._check_flow()
        self._check_admin()
        for name in _CREDENTIALS:
            value = self._value(name)
            if not (value.isascii() and value.isprintable()) or " " in value:
                raise NotConfigured(f"{PREFIX}{name} holds a blank or a sign that no credential has")
        return self

    def _check_flow(self) -> None:
        for name in _REFUSES[self.flow]:
            if self._value(name):
                raise NotConfigured(
                    f"{PREFIX}{name} has no use where kam signs in by the {self.flow} flow: unset it, or set "
                    + (f"{PREFIX}PRIVATE_KEY_FILE" if name == "LOGIN_URL" else f"no {PREFIX}REFRESH_TOKEN")
                )
        for name in _NEEDS[self.flow]:
            if not self._value(name):
                raise NotConfigured(f"{PREFIX}{name} is missing: {self._why_this_flow}")

    def _check_admin(self) -> None:
        given = [name for name in ("ADMIN_CLIENT_ID", "ADMIN_CLIENT_SECRET") if self._value(name)]
        if len(given) == 1:
            lacking = "ADMIN_CLIENT_SECRET" if given == ["ADMIN_CLIENT_ID"] else "ADMIN_CLIENT_ID"
            raise NotConfigured(f"{PREFIX}{lacking} is missing: {PREFIX}{given[0]} alone signs nobody in")

    @property
    def flow(self) -> Flow:
        """How we sign in: what only one flow has a use for decides."""
        if self._value("REFRESH_TOKEN"):
            return "refresh token"
        return "JWT bearer" if self._value("USERNAME") or self._value("PRIVATE_KEY_FILE") else "client credentials"

    @property
    def has_admin(self) -> bool:
        """Whether provisioning has credentials of its own."""
        return bool(self._value("ADMIN_CLIENT_ID"))

    @property
    def _why_this_flow(self) -> str:
        if self.flow == "client credentials":
            return (
                "kam signs in by the client credentials flow of an external client app, unless "
                f"{PREFIX}PRIVATE_KEY_FILE or {PREFIX}REFRESH_TOKEN says otherwise"
            )
        one = next(n for n in ("REFRESH_TOKEN", "PRIVATE_KEY_FILE", "USERNAME") if self._value(n))
        return f"{PREFIX}{one} is set, so kam signs in by the {self.flow} flow"

    def _value(self, name: str) -> str:
        """A variable's text without blanks around it; empty where it is not set."""
        value: object = getattr(self, name.lower())
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return "" if text is None else str(text).strip()

    @property
    def host(self) -> str:
        """The address without a trailing slash."""
        return checked_base_url(self.instance_url or "", f"{PREFIX}INSTANCE_URL")

    @property
    def key(self) -> str:
        return self._value("CLIENT_ID")

    @property
    def secret(self) -> str:
        return self._value("CLIENT_SECRET")

    @property
    def admin_key(self) -> str:
        return self._value("ADMIN_CLIENT_ID")

    @property
    def admin_secret(self) -> str:
        return self._value("ADMIN_CLIENT_SECRET")

    @property
    def user(self) -> str:
        return self._value("USERNAME")

    @property
    def refresh(self) -> str:
        return self._value("REFRESH_TOKEN")

    @property
    def login_host(self) -> str | None:
        """The login address without a trailing slash, where one is configured."""
        url = self._value("LOGIN_URL")
        return checked_base_url(url, f"{PREFIX}LOGIN_URL") if url else None

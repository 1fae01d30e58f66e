"""What can be configured, read from `KAM_...` variables and a `.env` file, with every mistake named."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.settings import SalesforceSettings
from flows.directories import data_directory
from flows.sealed import unsealed
from kammodel.errors import NotConfigured
from kammodel.privacy.hashing import SHORTEST_KEY

PREFIX = "KAM_"
MAX_AGE_HOURS = 26
"""Of what ended well, before it is stale: a day, and two hours for the run itself."""
NESTED = "__"
BLOCKS: dict[str, type[BaseModel]] = {"salesforce": SalesforceSettings, "hubspot": HubSpotSettings}
"""The CRMs that can be configured, each by a block of variables; the first configured one counts by default."""

FIRST_VARIABLE = {"salesforce": "KAM_SALESFORCE__INSTANCE_URL", "hubspot": "KAM_HUBSPOT__ACCESS_TOKEN"}
"""Where to begin with each CRM, for messages."""

CrmName = Literal["salesforce", "hubspot"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Cluster = Annotated[str, Field(pattern=r"^(local(:[1-9][0-9]*)?|(tcp|tls)://[^@ ]+:[0-9]+)$")]


class Settings(BaseSettings):
    """The variables of the program. A CRM is configured when one of its block's variables has a value."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default_factory=data_directory,
        description="Directory of the store; by default the platform's data directory (`kam check` prints it)",
    )
    store_url: str | None = Field(
        default=None,
        repr=False,
        description="Address of the store, SQLite or PostgreSQL (pip install 'kam[postgres]'); by default a SQLite "
        "file in KAM_HOME",
        examples=["postgresql+psycopg://kam@db.example/kam"],
    )
    reporting_currency: Currency = Field(
        default="EUR", description="Currency of every figure that is computed and written, as an ISO 4217 code"
    )
    timezone: str = Field(
        default="UTC",
        description="Where a day begins and ends, as an IANA name",
        examples=["Europe/Madrid"],
    )
    language: Literal["en", "es"] = Field(default="en", description="Labels, help texts and reasons: en or es")
    policy_file: Path | None = Field(
        default=None,
        description="TOML file with what differs from the default tier policy",
        examples=["/etc/kam/policy.toml"],
    )
    publish_file: Path | None = Field(
        default=None,
        description="TOML file with what differs from the default rules of writing: whose a field is, limits",
        examples=["/etc/kam/publish.toml"],
    )
    mapping_file: Path | None = Field(
        default=None,
        description="TOML file that points columns of kam at fields of your own",
        examples=["/etc/kam/mapping.toml"],
    )
    inputs_dir: Path | None = Field(
        default=None,
        description="Folder of CSV files for what no CRM holds: ratings, targets, rates, matches and more",
        examples=["/etc/kam/inputs"],
    )
    system_of_record: CrmName | None = Field(
        default=None,
        description="CRM whose figures count where both hold a company; by default the first one configured",
        examples=["salesforce"],
    )
    notify_block: str | None = Field(
        default=None,
        description="Notification block of Prefect to which flows send each digest of tier changes, and "
        "`kam automations` what goes wrong; none by default",
        examples=["slack-webhook/kam"],
    )
    max_age_hours: float = Field(
        default=MAX_AGE_HOURS,
        ge=1,
        le=8760,
        description="Hours without a run that ended well after which `kam status` says stale, and Prefect tells of "
        "silence (`kam automations`); 74 where there is none over the weekend",
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="Log lines on standard error: text, or json: one object each, with time, level, run and CRM",
    )
    daily_days: int = Field(
        # Forecasts of six quarters are looked back at, and they are no month's last day.
        default=550,
        ge=31,
        description="Days for which the tiers of every day are kept; of older months `kam thin` leaves the last day",
    )
    ledger_days: int = Field(
        # A year is looked back at when it is over, in the month after it; nothing is taken back as late as that.
        default=400,
        ge=31,
        description="Days for which kam keeps how each cell of a plan ended; `kam thin` takes out what is older",
    )
    reject_days: int = Field(
        # A quarter is long enough for somebody to put a row right in the CRM, and these are rows as they came.
        default=90,
        ge=1,
        description="Days for which a row that could not be read is kept as it came; `kam thin` empties older ones",
    )
    hash_key: SecretStr | None = Field(
        default=None,
        description=f"Secret of at least {SHORTEST_KEY} characters for keyed hashes of e-mail addresses, which are not "
        "read without it, and of what was forgotten (kam forget). Keep it: with another one neither is recognised",
    )
    keep_emails: bool = Field(
        default=False, description="Also keep the e-mail addresses of contacts as they are, which no figure needs"
    )
    shard_rows: int = Field(
        default=2_000_000,
        ge=10_000,
        description="Rows that are scored at a time: bounds memory; with more, they wait in a folder under TMPDIR",
    )
    dask: Cluster | None = Field(
        default=None,
        description="Where flows score more rows than KAM_SHARD_ROWS (pip install 'kam[dask]'): local or local:N, Dask "
        "with N processes of this machine, or the address of a scheduler of Dask; in their own process by default",
        examples=["tcp://dask.example:8786"],
    )
    salesforce: SalesforceSettings | None = Field(default=None, description="The Salesforce org")
    hubspot: HubSpotSettings | None = Field(default=None, description="The HubSpot portal")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            near = get_close_matches(name, available_timezones(), n=1)
            raise ValueError(
                "is no IANA time zone" + (f"; did you mean {near[0]}?" if near else ", e.g. Europe/Madrid")
            )
        return name

    @field_validator("notify_block")
    @classmethod
    def _block_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", name):
            raise ValueError("is no block of Prefect by type and name, such as slack-webhook/kam")
        return name

    @field_validator("hash_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value().strip()) < SHORTEST_KEY:
            raise ValueError(
                f"is too short: it needs at least {SHORTEST_KEY} characters, such as `openssl rand -hex 32` prints"
            )
        return key

    @field_validator("home", "policy_file", "publish_file", "mapping_file", "inputs_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - keeps symlinks

    @property
    def store_address(self) -> str:
        """The SQLAlchemy address of the store."""
        return self.store_url or f"sqlite:///{self.home / 'kam.db'}"

    @property
    def store_shown(self) -> str:
        """The same for people: without the password."""
        password = urlsplit(self.store_address).password
        return self.store_address.replace(f":{password}@", ":***@") if password else self.store_address

    @property
    def configured(self) -> tuple[str, ...]:
        """The CRMs whose block is present, in the order of BLOCKS."""
        return tuple(name for name in BLOCKS if getattr(self, name) is not None)

    @property
    def counting_crm(self) -> str:
        """The system of record: the one named, else the first one configured."""
        return self.system_of_record or next(iter(self.configured), next(iter(BLOCKS)))

    def today(self, now: dt.datetime) -> dt.date:
        """The day that it is in KAM_TIMEZONE at an instant."""
        return now.astimezone(ZoneInfo(self.timezone)).date()


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings from the environment and, behind it, a `.env` file of the working directory.

    A value may name a place instead: `block:secret/NAME`, a Secret block of Prefect, or `file:/run/secrets/NAME`.
    Raises NotConfigured that names the variable: unknown, unusable, or missing from a block begun.
    """
    refuse_unknown(env_file)
    try:
        found = _nested(unsealed(_values(env_file)))
        return Settings(_env_file=env_file, _env_file_encoding="utf-8", **found)
    except ValidationError as fault:
        raise NotConfigured(_first(fault)) from None
    except UnicodeDecodeError:
        raise NotConfigured(f"{env_file} is not UTF-8 text") from None


def settings_from(variables: Mapping[str, str]) -> Settings:
    """The settings that these variables alone give: the environment and `.env` are not looked at."""
    try:
        return _Given(**_nested(variables))
    except ValidationError as fault:
        raise NotConfigured(_first(fault)) from None


def _nested(variables: Mapping[str, str]) -> dict[str, Any]:
    """Values by field, those of a block in a dict of their own."""
    values: dict[str, Any] = {}
    for name, value in variables.items():
        *blocks, last = name.removeprefix(PREFIX).lower().split(NESTED)
        inner = values
        for block in blocks:
            inner = inner.setdefault(block, {})
        inner[last] = value
    return values


class _Given(Settings):
    """Settings that are passed in and read from nowhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def known_variables() -> tuple[str, ...]:
    """Every variable that this version reads, in the order of `.env.example`."""
    return tuple(variable for name in Settings.model_fields for variable in _variables(name))


def refuse_unknown(env_file: Path | None) -> None:
    """Raises NotConfigured for a `KAM_...` variable that nothing reads: a typing error would pass unseen."""
    known = known_variables()
    for name, place in _given(env_file):
        if name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else "kam knows no such variable; see .env.example"
            raise NotConfigured(f"{name} ({place}) is unknown: {hint}")


def _variables(name: str) -> tuple[str, ...]:
    block = BLOCKS.get(name)
    top = f"{PREFIX}{name}".upper()
    return (top,) if block is None else tuple(f"{top}{NESTED}{inner}".upper() for inner in block.model_fields)


def _values(env_file: Path | None) -> dict[str, str]:
    """What is set: in the environment, and behind it in a `.env` file."""
    held = dotenv_values(env_file, encoding="utf-8") if env_file is not None and env_file.is_file() else {}
    return {
        name.upper(): value
        for name, value in (*held.items(), *os.environ.items())
        if value and name.upper().startswith(PREFIX)
    }


def _given(env_file: Path | None) -> list[tuple[str, str]]:
    """The `KAM_...` names that are set, with the place; the value never comes along."""
    names = [(name, "environment") for name in os.environ]
    if env_file is not None and env_file.is_file():
        names += [(name, str(env_file)) for name in dotenv_values(env_file, interpolate=False)]
    return [(name, place) for name, place in names if name.upper().startswith(PREFIX)]


def _first(fault: ValidationError) -> str:
    first: dict[str, Any] = dict(fault.errors(include_input=False, include_url=False, include_context=False)[0])
    variable = PREFIX + NESTED.join(str(part) for part in first["loc"]).upper()
    if first["type"] == "missing":
        return f"{variable} is missing"
    text = str(first["msg"]).removeprefix("Value error, ")
    return f"{variable} {text}" if text.startswith("is ") else f"{variable}: {text[0].lower()}{text[1:]}"

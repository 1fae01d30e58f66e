"""What a step needs from outside: settings, store, connectors and the time, opened when first asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Self

from flows.logs import hide_secrets
from flows.pipeline import Clock, Progress, quiet
from flows.settings import BLOCKS, FIRST_VARIABLE, Settings, load_settings
from kammodel.errors import NotConfigured

if TYPE_CHECKING:
    from connectors.contract import Connector
    from connectors.mapping_file import Overrides
    from connectors.registry import Registered
    from connectors.retry import Patience
    from kammodel.elsewhere import Elsewhere
    from kammodel.given import Given
    from kammodel.privacy.hashing import HashKey
    from kammodel.publish.fields import CustomField
    from kammodel.publish.rules import PublishRules
    from kammodel.scoring import ScoringConfig
    from kammodel.store import Store
    from kammodel.tiering.policy import Policy


def wall_clock() -> dt.datetime:
    """The present instant, in UTC."""
    return dt.datetime.now(dt.UTC)


class Runtime:
    """One opening of store and CRMs. `close` gives the connections and the database file back.

    `progress` hears what every step tells. `patience` None is the connectors' own.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = wall_clock,
        progress: Progress = quiet,
        patience: Patience | None = None,
    ) -> None:
        self.settings, self.clock, self.progress = settings, clock, progress
        self._patience = patience
        self._connectors: dict[str, Connector] = {}
        self._open = ExitStack()

    @cached_property
    def store(self) -> Store:
        """The store, brought up to this version's schema."""
        from kammodel.store import Store

        return self._open.enter_context(Store(self.settings.store_address, self.hash_key))

    @property
    def hash_key(self) -> HashKey | None:
        """The key of KAM_HASH_KEY."""
        from kammodel.privacy.hashing import HashKey

        secret = self.settings.hash_key
        return HashKey(secret.get_secret_value()) if secret is not None else None

    @cached_property
    def policy(self) -> Policy:
        """The tier policy: the default one, with what KAM_POLICY_FILE changes."""
        from kammodel.tiering.policy import load_policy

        return load_policy(self.settings.policy_file)

    made_by: str | None = None
    """The run of a scheduler that this is part of."""

    elsewhere: Elsewhere | None = None
    """Computes the shards of a day in other processes."""

    @cached_property
    def rules(self) -> PublishRules:
        """How we write: the default rules, with what KAM_PUBLISH_FILE changes."""
        from kammodel.publish.rules import load_rules

        return load_rules(self.settings.publish_file)

    @cached_property
    def given(self) -> Given:
        """What the files of KAM_INPUTS_DIR say."""
        from kammodel.given import read_given

        return read_given(self.settings.inputs_dir)

    @property
    def fields(self) -> tuple[CustomField, ...]:
        """The custom fields of an account that we write or read: those of every installation, and of rollups.toml."""
        from kammodel.rollups.fields import all_fields

        return all_fields(self.given.rollups)

    @cached_property
    def _overrides(self) -> dict[str, Overrides]:
        """What KAM_MAPPING_FILE says, by CRM."""
        from connectors.mapping_file import read_mapping_file

        file = self.settings.mapping_file
        return read_mapping_file(file, BLOCKS) if file else {}

    def connector(self, crm: str) -> Connector:
        """The connector of a CRM by name; raises NotConfigured where its block is missing."""
        if crm not in self._connectors:
            self._connectors[crm] = self._connect(crm)
        return self._connectors[crm]

    def scoring(self, as_of: dt.date | None = None) -> ScoringConfig:
        """What decides a score beside the data; without a day, today in KAM_TIMEZONE."""
        from kammodel.scoring import ScoringConfig

        settings = self.settings
        return ScoringConfig(
            as_of=as_of or settings.today(self.clock()),
            timezone=settings.timezone,
            reporting_currency=settings.reporting_currency,
            system_of_record=settings.counting_crm,
            language=settings.language,
            policy=self.policy,
            release=version("kam"),
            shard_rows=settings.shard_rows,
        )

    def chosen(self, crm: str | None) -> tuple[str, ...]:
        """The CRMs to work on: the one named, or every configured one. Raises NotConfigured if there is none."""
        names = (crm,) if crm else self.settings.configured
        if not names:
            raise NotConfigured(
                f"no CRM is configured: set {' or '.join(FIRST_VARIABLE.values())} and what goes "
                "with it (see .env.example), or see kam demo, which needs nothing"
            )
        for name in names:
            self._settings_of(name)
        return names

    def close(self) -> None:
        """Closes what was opened."""
        self._open.close()
        self._connectors.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None) -> None:
        self.close()

    def _connect(self, crm: str) -> Connector:
        settings = self._settings_of(crm)
        from connectors.emails import Emails
        from connectors.mapping_file import NONE

        connector = registered(crm).connect(
            settings,
            patience=self._patience,
            state=self.settings.home,
            overrides=self._overrides.get(crm, NONE),
            emails=Emails(self.hash_key, kept=self.settings.keep_emails),
        )
        self._open.callback(connector.close)
        return connector

    def _settings_of(self, crm: str) -> object:
        settings: object | None = getattr(self.settings, crm, None) if crm in BLOCKS else None
        if settings is None:
            raise NotConfigured(
                f"{crm} is not configured: set {FIRST_VARIABLE[crm]} and what goes with it (see .env.example)"
                if crm in BLOCKS
                else f"there is no CRM named {crm}; known are {', '.join(BLOCKS)}"
            )
        return settings


def registered(crm: str) -> Registered:
    """The registry's entry of a CRM."""
    from connectors.registry import CONNECTORS

    return next(entry for entry in CONNECTORS if entry.name == crm)


_CURRENT: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


@contextmanager
def using(runtime: Runtime) -> Iterator[Runtime]:
    """Flows that run inside the block work with this runtime instead of opening one from the environment."""
    token = _CURRENT.set(runtime)
    try:
        yield runtime
    finally:
        _CURRENT.reset(token)


@contextmanager
def opened() -> Iterator[Runtime]:
    """The runtime in use, or one from the environment that is closed at the end of the block."""
    current = _CURRENT.get()
    if current is not None:
        yield current
        return
    settings = load_settings()
    hide_secrets(settings)
    with Runtime(settings) as fresh, using(fresh):
        yield fresh

"""Brings a store's schema to the version of this program, and refuses one that is newer."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from kammodel.errors import StoreNewer


def upgrade(engine: Engine) -> str | None:
    """Runs the missing migrations, in one transaction, so that two programs starting at once queue.

    Gives the version that the store had before; None: it was empty. Raises StoreNewer.
    """
    config = _config()
    with engine.begin() as connection:
        before = stored_version(connection)
        if before != newest_version():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before


def stored_version(connection: Connection) -> str | None:
    """The version of a store's schema, None where it has none yet. Raises StoreNewer where we do not know it."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {script.revision for script in _scripts().walk_revisions()}:
        raise StoreNewer(
            f"the store is at version {current}, which this program does not know: it was written by a newer "
            "kam; upgrade kam, or point KAM_STORE_URL at another store"
        )
    return current


def newest_version() -> str:
    """The version that this program brings a store to."""
    return str(_scripts().get_current_head())


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # A % in the path of the installation would be taken for a reference to another option.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config

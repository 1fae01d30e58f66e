"""Brings a store's schema to the version of this program, and refuses one that is newer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from kammodel.errors import StoreUnusable


def upgrade(engine: Engine) -> None:
    """Runs the missing migrations, in one transaction, so that two programs starting at once queue."""
    config = Config()
    # A % in the path of the installation would be taken for a reference to another option.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise StoreUnusable(
                f"the store is at version {current}, which this program does not know: it was written by a newer "
                "kam; upgrade kam, or point KAM_STORE_URL at another store"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

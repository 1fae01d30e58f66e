"""The version of a store's schema, looked at without touching the store."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from kammodel.errors import StoreUnusable
from kammodel.migrations import stored_version


def version_of(url: str) -> str | None:
    """The version of the store at a SQLAlchemy address, None where there is none yet; nothing is made or changed.

    Raises StoreNewer, and StoreUnusable where it cannot be looked at.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not (parsed.database and Path(parsed.database).is_file()):
            return None
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise StoreUnusable("KAM_STORE_URL is no database address: see .env.example") from None
    except ImportError:
        raise StoreUnusable("KAM_STORE_URL: PostgreSQL needs its driver: pip install 'kam[postgres]'") from None
    try:
        with engine.connect() as connection:
            return stored_version(connection)
    except DatabaseError as fault:
        shown = parsed.render_as_string(hide_password=True)
        reason = (str(fault.orig).strip().splitlines() or ["no reason given"])[0]
        raise StoreUnusable(f"the store at {shown} cannot be opened: {reason}") from None
    finally:
        engine.dispose()

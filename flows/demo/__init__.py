"""`kam demo`: the whole job on CRMs of this machine, shown as it goes."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.local_server import LocalServer


def run_demo(*, from_csv: Path | None, as_of: dt.date | None, size: int, keep: bool, server: str | None) -> int:
    """Runs the demo; 0, or 1 where a CRM does not hold in the end what was computed.

    `server`: API address of a Prefect server; without one, the demo's own runs beside us until the end.
    """
    with _home(keep=keep) as home, ExitStack() as stack:
        # Before the heavy imports below: its start takes longer than everything that comes before its use.
        at = server or stack.enter_context(LocalServer(home / "prefect", keeps=keep))
        from flows.demo.showing import show

        return show(from_csv=from_csv, as_of=as_of, size=size, home=home, kept=keep, server=at)


@contextmanager
def _home(*, keep: bool) -> Iterator[Path]:
    """A directory for store and server; gone in the end unless it is kept."""
    home = Path(tempfile.mkdtemp(prefix="kam-demo-"))
    try:
        yield home
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)

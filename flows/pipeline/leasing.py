"""Who may write into a CRM: one run at a time, by a lease in the store that a killed run does not keep for ever."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flows.pipeline.progress import Clock
from kammodel.errors import KamError
from kammodel.store import Store, Transaction, leases

TERM = dt.timedelta(minutes=10)
"""How long a run may be silent: then it is no more, or its machine."""
_BEAT_S = 120.0
_MOST_BEATS = 120
"""How often a run is heard of while one portion is written: a job of a hundred thousand rows may take two hours; what
takes twice that hangs."""


_log = logging.getLogger(__name__)


class Overtaken(KamError):
    """The lease ran out, and another run has it."""


@dataclass(frozen=True)
class Held:
    """A lease that is ours."""

    name: str
    holder: str
    clock: Clock

    def renew(self, tx: Transaction) -> None:
        """For another term. Raises Overtaken where it ran out and another run has it now."""
        now = self.clock()
        other = leases.take(tx, self.name, self.holder, now, now + TERM)
        if other is not None:
            raise Overtaken(
                f"{self.name}: this run was silent for too long, and another one writes now; nothing is lost"
            )


@contextmanager
def _beating(store: Store, held: Held) -> Iterator[None]:
    """Renews the lease while the block is at work, be it silent for long."""
    is_over = threading.Event()

    def beat() -> None:
        for _ in range(_MOST_BEATS):
            if is_over.wait(_BEAT_S):
                return
            try:
                with store.transaction() as tx:
                    held.renew(tx)
            except Overtaken:
                # The run learns of it at the end of the portion; the lease is not taken back from whoever has it.
                return
            except Exception as fault:  # noqa: BLE001  what ails the store, the run itself will meet
                _log.warning("%s: the lease could not be renewed (%s)", held.name, type(fault).__name__)

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def sole_writer(store: Store, crm: str, instance: str, clock: Clock) -> Iterator[Held]:
    """Holds the right to write into an org until the block ends. Raises KamError while another run has it."""
    held = Held(f"write {crm} {instance}", f"{machine()}/{os.getpid()}/{uuid.uuid4().hex[:8]}", clock)
    now = clock()
    with store.transaction() as tx:
        other = leases.take(tx, held.name, held.holder, now, now + TERM)
        free = other is None or (is_dead(other.holder) and leases.take_over(tx, other, held.holder, now + TERM))
    if not free and other is not None:
        raise KamError(
            f"{crm}: another run is writing; try again when it is done, or, should it have been killed on another "
            f"machine, after {other.until:%H:%M} UTC"
        )
    try:
        with _beating(store, held):
            yield held
    finally:
        with store.transaction() as tx:
            leases.give_back(tx, held.name, held.holder)


@cache
def machine() -> str:
    """Where the number of a process means what it means here: two containers may bear one host name, and a machine that
    was started anew counts from the beginning."""
    told = [socket.gethostname()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        told.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return "+".join(told)


def is_dead(holder: str) -> bool:
    """Whether a holder (machine/process/...) was a process of this machine that is gone."""
    where, _, process = holder.partition("/")
    pid = process.partition("/")[0]
    if where != machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

"""Who may write into a CRM, and who may read it: one run at a time, by a lease in the store that a killed run does not
keep for ever."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from connectors.contract import Identity
from flows.pipeline.progress import Clock
from kammodel.entities import Lease
from kammodel.errors import KamError
from kammodel.store import Store, Transaction, leases

TERM = dt.timedelta(minutes=10)
"""How long a run may be silent: then it is no more, or its machine."""
_BEAT_S = 120.0
_MOST_BEATS = 120
"""How often a run is heard of in silence: a portion of a hundred thousand rows may take two hours to write, or a chunk
to come; what takes twice that hangs."""

Doing = Literal["reading", "writing"]
_NAME: dict[Doing, str] = {"reading": "read", "writing": "write"}
_log = logging.getLogger(__name__)


class Taken(KamError):
    """Another run has the lease. `doing`: what it is at; `holder`: which process it is, in words."""

    def __init__(self, crm: str, doing: Doing, lease: Lease) -> None:
        self.doing, self.holder = doing, named(lease.holder)
        super().__init__(
            f"{crm}: another run is {doing} ({self.holder}); try again when it is done, or, should it have been killed "
            f"on another machine, after {lease.until:%H:%M} UTC"
        )


class Overtaken(KamError):
    """The lease ran out, and another run has it."""


@dataclass(frozen=True)
class Held:
    """A lease that is ours."""

    name: str
    holder: str
    clock: Clock

    def renew(self, tx: Transaction) -> None:
        """For another term. Raises Overtaken where it ran out and another run has it now, or had it: what this run saw
        before that is no longer what there is."""
        if not leases.renew(tx, self.name, self.holder, self.clock() + TERM):
            verb = f"{self.name.partition(' ')[0]}s"
            raise Overtaken(
                f"{self.name}: this run was silent for too long, and another one {verb} or did so meanwhile; nothing "
                "is lost"
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
                # The run learns of it with what it stores next; the lease is not taken back from whoever has it.
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


def _lease(doing: Doing, crm: str, instance: str, clock: Clock) -> Held:
    holder = f"{machine()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
    return Held(f"{_NAME[doing]} {crm} {instance}", holder, clock)


def _take(tx: Transaction, held: Held, doing: Doing, crm: str) -> None:
    now = held.clock()
    other = leases.take(tx, held.name, held.holder, now, now + TERM)
    if other is None or (is_dead(other.holder) and leases.take_over(tx, other, held.holder, now + TERM)):
        return
    raise Taken(crm, doing, other)


@contextmanager
def _alone(store: Store, doing: Doing, crm: str, instance: str, clock: Clock) -> Iterator[Held]:
    held = _lease(doing, crm, instance, clock)
    with store.transaction() as tx:
        _take(tx, held, doing, crm)
    try:
        with _beating(store, held):
            yield held
    finally:
        with store.transaction() as tx:
            leases.give_back(tx, held.name, held.holder)


def sole_writer(store: Store, crm: str, instance: str, clock: Clock) -> AbstractContextManager[Held]:
    """Holds the right to write into an org, or to plan what is written, until the block ends: a plan that looks while
    another run writes would take that for a person's work. Raises Taken while another run has it."""
    return _alone(store, "writing", crm, instance, clock)


def sole_reader(store: Store, identity: Identity, clock: Clock) -> AbstractContextManager[Held]:
    """Holds the right to move the bookmarks of an org until the block ends: who reads beside it would put older ones
    back. Raises Taken while another run has it."""
    return _alone(store, "reading", identity.source, identity.instance, clock)


@contextmanager
def nobody_else(tx: Transaction, crm: str, instance: str, clock: Clock) -> Iterator[None]:
    """Holds both rights to an org until the block ends, within one transaction: who wants one meanwhile waits until
    that is through, and sees what it did. Raises Taken while another run has one."""
    held = {doing: _lease(doing, crm, instance, clock) for doing in _NAME}
    for doing, one in held.items():
        _take(tx, one, doing, crm)
    yield
    # What breaks off takes its leases back with all else.
    for one in held.values():
        leases.give_back(tx, one.name, one.holder)


def named(holder: str) -> str:
    """A holder in words for people."""
    where, _, process = holder.partition("/")
    return f"process {process.partition('/')[0]} on {where.partition('+')[0]}"


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

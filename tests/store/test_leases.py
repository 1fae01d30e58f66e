"""Leases: one holder at a time, renewed, given back, run out, or taken from the dead."""

import datetime as dt
import threading

import pytest

from flows.pipeline import leasing
from flows.pipeline.leasing import TERM, Overtaken, machine, sole_writer
from kammodel.entities import Lease
from kammodel.errors import KamError
from kammodel.store import Store, leases

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
UNTIL = AT + dt.timedelta(minutes=10)
MINUTE = dt.timedelta(minutes=1)


def take(store: Store, holder: str, at: dt.datetime = AT) -> str | None:
    """Who has it, if that is another."""
    with store.transaction() as tx:
        other = leases.take(tx, "write", holder, at, at + (UNTIL - AT))
    return other.holder if other else None


def test_one_holder_at_a_time(store: Store) -> None:
    """Taken until it runs out or is given back; the holder itself may renew it."""
    assert take(store, "a") is None
    assert take(store, "b") == "a"
    assert take(store, "a", AT + 5 * MINUTE) is None
    assert take(store, "b", UNTIL) == "a"
    assert take(store, "b", UNTIL + 6 * MINUTE) is None
    with store.transaction() as tx:
        leases.give_back(tx, "write", "a")
    assert take(store, "a", UNTIL + 6 * MINUTE) == "b"
    with store.transaction() as tx:
        leases.give_back(tx, "write", "b")
    assert take(store, "a", UNTIL + 6 * MINUTE) is None


class Clock:
    """Nine minutes later each time that somebody looks; a portion that waits for `later` takes longer than a term."""

    def __init__(self) -> None:
        self.looks, self.later = 0, threading.Event()

    def __call__(self) -> dt.datetime:
        self.looks += 1
        if self.looks > 4:
            self.later.set()
        return AT + self.looks * 9 * MINUTE


def test_a_long_portion_keeps_the_lease(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heard of all the while, so that nobody takes the run for dead."""
    monkeypatch.setattr(leasing, "_BEAT_S", 0.001)
    clock = Clock()
    with sole_writer(store, "salesforce", "org", clock):
        assert clock.later.wait(30)
        with (
            pytest.raises(KamError, match="another run is writing"),
            sole_writer(store, "salesforce", "org", lambda: AT + 3 * TERM),
        ):
            pass


def test_who_was_overtaken_does_not_take_the_lease_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "_BEAT_S", 0.001)
    with sole_writer(store, "salesforce", "org", lambda: AT):
        with store.transaction() as tx:
            tx.run("UPDATE lease SET holder=:other, until=until+:more", [{"other": "b", "more": 10**12}])
        (beat,) = (one for one in threading.enumerate() if one.name == "lease")
        beat.join(30)
        assert not beat.is_alive()
        with store.transaction() as tx:
            assert tx.session.get(Lease, "write salesforce org").holder == "b"


def test_who_was_overtaken_knows_once_the_other_run_is_done(store: Store) -> None:
    """What it saw before is not what there is, though nobody has the lease now."""
    now = [AT]
    with sole_writer(store, "salesforce", "org", lambda: now[0]) as held:
        with store.transaction() as tx:
            held.renew(tx)
        now[0] += TERM + MINUTE
        with sole_writer(store, "salesforce", "org", lambda: now[0]):
            pass
        with pytest.raises(Overtaken, match="another one writes or did so meanwhile"), store.transaction() as tx:
            held.renew(tx)
    with store.transaction() as tx:
        assert tx.session.get(Lease, "write salesforce org") is None


def test_a_lease_that_ran_out_and_nobody_took_is_still_ours(store: Store) -> None:
    now = [AT]
    with sole_writer(store, "salesforce", "org", lambda: now[0]) as held:
        now[0] += TERM + MINUTE
        with store.transaction() as tx:
            held.renew(tx)
            assert tx.session.get_one(Lease, "write salesforce org").until == now[0] + TERM


def test_two_runs_do_not_write_at_once(store: Store) -> None:
    """The second is told so, and until when; of another org it may write."""
    with sole_writer(store, "salesforce", "org", lambda: AT):
        with (
            pytest.raises(KamError, match=r"salesforce: another run is writing.*03:10 UTC"),
            sole_writer(store, "salesforce", "org", lambda: AT),
        ):
            pass
        with sole_writer(store, "salesforce", "other", lambda: AT):
            pass
    with sole_writer(store, "salesforce", "org", lambda: AT):
        pass


def test_a_run_that_was_silent_for_too_long_ends(store: Store) -> None:
    """Its lease ran out, and another run has it: it must not write on."""
    now = [AT]
    with sole_writer(store, "salesforce", "org", lambda: now[0]) as slow:
        now[0] = AT + TERM + MINUTE
        with (
            sole_writer(store, "salesforce", "org", lambda: now[0]),
            store.transaction() as tx,
            pytest.raises(KamError, match="silent for too long"),
        ):
            slow.renew(tx)


def test_the_lease_of_a_process_that_is_gone_is_taken_over(store: Store) -> None:
    """Of this machine that can be seen; nobody has to wait after a kill."""

    dead = Lease(name="write salesforce org", holder=f"{machine()}/4194305/x", until=UNTIL)
    far = Lease(name="write salesforce far", holder="another-machine/4194305/x", until=UNTIL)
    with store.transaction() as tx:
        for lease in (dead, far):
            leases.take(tx, lease.name, lease.holder, AT, lease.until)
    with sole_writer(store, "salesforce", "org", lambda: AT):
        pass
    with pytest.raises(KamError, match="another run"), sole_writer(store, "salesforce", "far", lambda: AT):
        pass

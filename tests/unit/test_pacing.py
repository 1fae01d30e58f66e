"""Pacing: never above the limit in any window, and not much below it either."""

import threading

import pytest

from connectors.pacing import Pacer


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def calls_at(pacer: Pacer, clock: Clock, n: int, *, pauses: dict[int, float] | None = None) -> list[float]:
    """The moments at which n calls went out; before some of them the caller was busy elsewhere."""
    moments = []
    for i in range(n):
        clock.at += (pauses or {}).get(i, 0.0)
        pacer.wait()
        moments.append(clock.at)
    return moments


def busiest(moments: list[float], seconds: float) -> int:
    """The most calls in any window of that length, its far edge left out."""
    return max(sum(start <= at < start + seconds - 1e-6 for at in moments) for start in moments)


@pytest.mark.parametrize("limit", [100, 190, 250])
@pytest.mark.parametrize("pauses", [{}, {40: 3.0, 200: 60.0, 203: 0.9}, dict.fromkeys(range(0, 400, 3), 0.2)])
def test_nine_tenths_of_a_limit_never_cross_it(limit: int, pauses: dict[int, float]) -> None:
    """As the HubSpot client uses it: whatever the pauses between calls, no ten seconds see more than the limit."""
    clock = Clock()
    pacer = Pacer(limit * 0.9, 10, now=clock.now, sleep=clock.sleep)
    assert busiest(calls_at(pacer, clock, 500, pauses=pauses), 10) <= limit


@pytest.mark.parametrize("limit", [100, 190])
def test_the_limit_is_used(limit: int) -> None:
    """Over a long run at least 85 % of the limit get through."""
    clock = Clock()
    pacer = Pacer(limit * 0.9, 10, now=clock.now, sleep=clock.sleep)
    moments = calls_at(pacer, clock, 1000)
    assert 1000 / (moments[-1] - moments[0]) >= 0.85 * limit / 10


def test_a_small_rate_has_no_burst() -> None:
    """Four a second are a quarter of a second apart from the second one on."""
    clock = Clock()
    pacer = Pacer(4, 1, now=clock.now, sleep=clock.sleep)
    assert calls_at(pacer, clock, 5) == [1000.0, 1000.25, 1000.5, 1000.75, 1001.0]


def test_the_first_tenth_goes_at_once() -> None:
    """A short run is not slowed down; then calls are spread evenly."""
    clock = Clock()
    pacer = Pacer(100, 10, now=clock.now, sleep=clock.sleep)
    moments = calls_at(pacer, clock, 12)
    assert moments[:10] == [1000.0] * 10
    assert moments[10:] == pytest.approx([1000.1, 1000.2])


def test_a_long_pause_saves_up_one_burst_only() -> None:
    """An hour of silence does not allow an hour of calls."""
    clock = Clock()
    pacer = Pacer(100, 10, now=clock.now, sleep=clock.sleep)
    calls_at(pacer, clock, 50)
    clock.at += 3600
    assert calls_at(pacer, clock, 11).count(clock.at - 0.1) == 10


def test_the_stated_limit_is_taken_over() -> None:
    """Half the rate is twice the distance."""
    clock = Clock()
    pacer = Pacer(100, 10, now=clock.now, sleep=clock.sleep)
    calls_at(pacer, clock, 20)
    pacer.set_rate(50, 10)
    first, second = calls_at(pacer, clock, 2)
    assert second - first == pytest.approx(0.2)


def test_threads_share_one_limit() -> None:
    """Four threads with no time to pass are told to wait for four different moments, evenly spread."""
    waits: list[float] = []
    pacer = Pacer(10, 10, now=lambda: 5.0, sleep=waits.append)
    threads = [threading.Thread(target=lambda: [pacer.wait() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([float(n) for n in range(1, 100)])

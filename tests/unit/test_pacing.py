"""Pacing: never above the limit in any window, and not much below it either; nor above the day's budget."""

import contextlib
import threading

import pytest

from connectors.errors import QuotaSpent
from connectors.pacing import Budget, Pacer


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


def budget(share: float = 0.25, reserve: float = 0.2) -> Budget:
    return Budget("Acme CRM", "KAM_ACME__", share=share, reserve=reserve)


def spent(found: Budget, others: int, limit: int) -> int:
    """How many calls go out, each answered at once, while others have made so many."""
    for made in range(1, 10 * limit):
        try:
            number = found.spend()
        except QuotaSpent:
            return made - 1
        found.learn(number, others + made, limit)
    raise AssertionError("nothing ends it")


@pytest.mark.parametrize(
    ("share", "reserve", "others", "made"),
    [
        (0.25, 0.2, 0, 25),
        (0.29, 0.0, 0, 29),
        (1.0, 0.2, 0, 80),
        (1.0, 0.0, 0, 100),
        (0.25, 0.2, 55, 25),
        (0.25, 0.2, 60, 20),
        (0.25, 0.2, 79, 1),
        (0.25, 0.2, 80, 1),
        (0.25, 0.2, 100, 1),
        (1.0, 0.9, 0, 10),
    ],
)
def test_a_run_spends_its_share_and_leaves_the_reserve(share: float, reserve: float, others: int, made: int) -> None:
    """Of 100 calls; the first one always goes out, because only an answer tells how things stand."""
    assert spent(budget(share, reserve), others, 100) == made


def test_what_ended_it_is_told_with_its_figures_and_variable() -> None:
    """Share and reserve are different things to do something about; both end the program with 4, partial."""
    for others, words in (
        (0, r"made 250 of the 250 calls to Acme CRM .*KAM_ACME__CALL_SHARE=0.25 of the 1,000 .*run again later"),
        (700, r"800 of the 1,000 calls to Acme CRM .*last 200 .*KAM_ACME__CALL_RESERVE=0.2.*run again later"),
    ):
        found = budget()
        spent(found, others, 1000)
        with pytest.raises(QuotaSpent, match=words) as fault:
            found.spend()
        assert fault.value.exit_code == 4


def test_nothing_is_refused_before_an_answer() -> None:
    """The limit is not known yet; an answer that states none changes nothing."""
    found = budget()
    numbers = []
    for _ in range(50):
        numbers.append(found.spend())
        found.learn(numbers[-1], 0, 0)
    assert numbers == sorted(set(numbers))


def test_calls_of_others_are_no_spending_of_ours() -> None:
    """What the org has used counts towards the reserve, not towards our share."""
    found = budget(share=0.1, reserve=0.2)
    found.learn(found.spend(), 71, 100)
    assert [found.spend() for _ in range(9)] == list(range(2, 11))
    with pytest.raises(QuotaSpent, match="CALL_SHARE"):
        found.spend()


def test_what_must_go_out_goes_out_and_is_counted() -> None:
    """Taking away what we made is no reason to stop; it is spent all the same."""
    found = budget()
    assert spent(found, 0, 100) == 25
    assert found.spend(even_if_spent=True) == 26


def test_a_late_answer_does_not_undo_a_later_one() -> None:
    """Of answers that overtake each other, that to the newest call counts."""
    found = budget()
    first, second = found.spend(), found.spend()
    found.learn(second, 82, 100)
    found.learn(first, 1, 100)
    with pytest.raises(QuotaSpent, match="CALL_RESERVE"):
        found.spend()


def test_calls_that_fall_out_of_the_day_come_back() -> None:
    """The 24 hours move on: a run that had to stop at the reserve may go on."""
    found = budget()
    found.learn(found.spend(), 80, 100)
    with pytest.raises(QuotaSpent):
        found.spend()
    found.learn(1, 40, 100)
    assert found.spend() == 2


def test_threads_share_one_budget() -> None:
    """However many ask at once, no more than the share goes out."""
    found = budget()
    found.learn(found.spend(), 1, 1000)
    gone: list[int] = []

    def ask() -> None:
        for _ in range(100):
            with contextlib.suppress(QuotaSpent):
                gone.append(found.spend())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(gone) == list(range(2, 251))

"""A crew that was told to stop leaves nobody waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from contextvars import ContextVar

import pytest

from connectors.hubspot.crew import Crew, at_once


def test_work_that_is_not_begun_any_more_is_done_for_those_who_wait() -> None:
    """A thread that finds it after the stop calls it off, and says so. (The wait ends at once, or fails.)"""
    with Crew(2) as crew:
        crew.stop()
        job = crew.begin(lambda: 1)
        assert wait([job.future], timeout=10).done == {job.future}
        assert crew.first([job]) is job
        assert job.future.cancelled()


@pytest.mark.parametrize("size", [1, 3])
def test_what_went_wrong_in_a_thread_is_raised_where_the_result_is_asked_for(size: int) -> None:
    """Whatever it is."""

    def work() -> int:
        raise KeyboardInterrupt

    with Crew(size) as crew:
        job = crew.first([crew.begin(work)])
        with pytest.raises(KeyboardInterrupt):
            job.result()


@pytest.mark.parametrize("size", [1, 2])
def test_work_that_went_wrong_is_not_done_again(size: int) -> None:
    """However often it is asked for: a reading looks at it once more before it gives up."""
    done: list[int] = []

    def work() -> None:
        done.append(1)
        raise ValueError

    with Crew(size) as crew:
        job = crew.begin(work)
        assert crew.first([job]) is crew.first([job])
    assert done == [1]


@pytest.mark.parametrize("size", [1, 2, 8])
def test_results_come_in_the_order_of_the_works(size: int) -> None:
    """By however many threads; and none of nothing."""
    assert at_once(size, [lambda n=n: n * n for n in range(5)]) == [0, 1, 4, 9, 16]  # type: ignore[misc]
    assert at_once(size, list[Callable[[], int]]()) == []


def test_works_are_done_side_by_side() -> None:
    """Each waits for the others."""
    barrier = threading.Barrier(3)
    assert sorted(at_once(3, [lambda: barrier.wait(10)] * 3)) == [0, 1, 2]


@pytest.mark.parametrize("size", [1, 3])
def test_the_first_fault_in_their_order_is_raised(size: int) -> None:
    """Whichever came up first; and no thread is left."""

    def work(name: str) -> None:
        raise ValueError(name)

    with pytest.raises(ValueError, match="one"):
        at_once(size, [lambda: None, lambda: work("one"), lambda: work("two")])
    assert "hubspot" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("size", [1, 3])
def test_work_is_done_in_the_context_in_which_it_was_given(size: int) -> None:
    """So its calls are counted where those of its stream are."""
    name: ContextVar[str] = ContextVar("name", default="none")
    token = name.set("accounts")
    with Crew(size) as crew:
        job = crew.begin(name.get)
        name.reset(token)
        assert crew.first([job]).result() == "accounts"


def test_crews_share_the_room_that_there_is() -> None:
    """However many they are, no more works are under way than there is room for; and what is called off needs none."""
    room, pair, working = threading.BoundedSemaphore(2), threading.Barrier(2), list[int]()
    most: list[int] = []

    def work() -> None:
        working.append(1)
        pair.wait(10)
        most.append(len(working))
        pair.wait(10)
        working.pop()

    with Crew(3, room) as one, Crew(3, room) as other:
        jobs = [crew.begin(work) for crew in (one, other) for _ in range(3)]
        assert wait([job.future for job in jobs], timeout=20).not_done == set()
    assert most == [2] * 6

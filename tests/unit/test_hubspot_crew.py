"""A crew that was told to stop leaves nobody waiting."""

from concurrent.futures import wait

import pytest

from connectors.hubspot.crew import Crew


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

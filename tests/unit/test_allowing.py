"""An allowance of calls: of one piece of work, in whatever thread, beside what the CRM's day allows."""

from __future__ import annotations

import pytest

from connectors.allowing import Allowance, allowing
from connectors.errors import QuotaSpent
from connectors.hubspot.crew import at_once
from connectors.overdrawing import overdraws
from connectors.pacing import Budget
from flows.pipeline.standing import Standing
from flows.results import EstimateReceipt


def budget() -> Budget:
    return Budget("Salesforce", "KAM_SALESFORCE__", share=0.5, reserve=0.2)


def test_work_makes_no_more_calls_than_it_was_given() -> None:
    """The one after the last does not go out; outside of the block it does."""
    ours = budget()
    with allowing(Allowance(2)) as allowed:
        ours.spend()
        ours.spend()
        with pytest.raises(QuotaSpent, match="the 2 calls that it was given are made"):
            ours.spend()
    assert ours.spend() == 3
    assert allowed.made == 2


def test_without_a_number_it_only_counts() -> None:
    """The CRM's own limits hold all the same."""
    ours = budget()
    ours.learn(0, 0, 4)
    with allowing(Allowance(None)) as allowed:
        ours.spend()
        ours.spend()
        with pytest.raises(QuotaSpent, match="CALL_SHARE"):
            ours.spend()
    assert (allowed.made, overdraws()) == (2, False)


def test_what_has_to_go_out_goes_out() -> None:
    """Taking away what is ours is counted, and not refused."""
    ours = budget()
    with allowing(Allowance(0)) as allowed:
        ours.spend(even_if_spent=True)
    assert allowed.made == 1


def test_threads_that_are_set_to_work_share_it() -> None:
    """Eight at once: no call more than one alone would make."""
    ours = budget()

    def work() -> int:
        try:
            ours.spend()
        except QuotaSpent:
            return 0
        return 1

    with allowing(Allowance(5)):
        assert sum(at_once(8, [work] * 20)) == 5


@pytest.mark.parametrize(("used", "left"), [(0, 50), (60, 20), (90, 0)])
def test_what_is_left_is_the_smaller_of_share_and_reserve(used: int, left: int) -> None:
    """Of 100 calls: half of them are ours at most, and the last fifth is nobody's."""
    ours = budget()
    assert ours.left() is None
    ours.learn(0, used, 100)
    assert ours.left() == (left, 100)


def test_a_standing_tells_rows_share_calls_and_time() -> None:
    """By the calls: half of them in a minute leave a minute."""
    now = [0.0]
    standing = Standing(lambda: now[0])
    standing.begin(_estimate(rows=1_000, calls=30, setup=6, asked=4))
    standing.enter("crm accounts 2026-02")
    standing.tell("crm accounts 2026-02", 300, 15)
    standing.enter("crm accounts 2026-01")
    now[0] = 60.0
    standing.tell("crm accounts 2026-01", 200, 20)
    assert (standing.rows, standing.total, standing.share) == (500, 1_000, 0.5)
    told = "crm accounts 2026-01, 500 rows of about 1,000, 50 %, 20 calls of about 30, about 60 s left"
    assert standing.text() == told
    standing.tell("crm accounts 2026-01", 900, 45)
    assert (standing.total, standing.share) == (1_200, 1.0)


def _estimate(*, rows: int, calls: int, setup: int, asked: int) -> EstimateReceipt:
    return EstimateReceipt(
        source="crm",
        instance="org",
        organisation="Org",
        kind="backfill",
        streams=(),
        rows=rows,
        calls=calls,
        setup=setup,
        asked=asked,
        minutes=0.0,
        basis="",
        day_limit=None,
        left=None,
        day_share=None,
        is_enough=True,
    )

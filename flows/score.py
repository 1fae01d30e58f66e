"""The flow that scores every account group, and its task."""

import datetime as dt

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import steps
from flows.outcome import ends_well, receipt_of
from flows.parameters import AsOf
from flows.pipeline import Progress
from flows.report.markdown import score_page
from flows.results import ScoreReceipt
from flows.runtime import opened
from flows.sharding import elsewhere
from flows.working import in_thread


@task(name="score", cache_policy=NO_CACHE)
@ends_well
async def score_groups(*, as_of: dt.date | None) -> ScoreReceipt:
    """Scores as of the end of a day and appends the snapshots that changed."""
    with opened() as runtime:

        def work(told: Progress) -> ScoreReceipt:
            runtime.elsewhere = elsewhere(runtime, told)
            try:
                return steps.score(runtime, as_of, progress=told)
            finally:
                runtime.elsewhere = None

        return await in_thread("kam-score", runtime.progress, work)


@flow(name="kam-score", description="Scores every account group and remembers what changed.")
@ends_well
async def score(*, as_of: AsOf = None) -> ScoreReceipt:
    """Computes KPIs, scores and tiers from what the store holds.

    Args:
        as_of: The day to score, as it was known at its end; today in KAM_TIMEZONE if left out.
    """
    receipt = await receipt_of(score_groups(as_of=as_of))
    await acreate_markdown_artifact(score_page(receipt), key="kam-score", description="Tiers and what moved")
    return receipt

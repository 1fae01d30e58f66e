"""The flow that does it all: every CRM read, everything scored, every CRM written."""

import asyncio
import time
from contextlib import ExitStack

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows import steps
from flows.notifying import tell_owners
from flows.outcome import ended, ends_well, receipt_of, skipped
from flows.parameters import AsOf, Full, Review
from flows.proving import require_proven
from flows.recording import recording
from flows.report.markdown import run_page
from flows.results import PullReceipt, RunReceipt, ScoreReceipt
from flows.runtime import opened
from flows.score import score_groups
from flows.seeing import with_usage
from flows.sync import pull_crm
from flows.write_back import planned_before, write_crms


@flow(name="kam-run", description="Pull, score and write back, for every configured CRM.")
@ends_well
async def run(*, as_of: AsOf = None, full: Full = False, review: Review = False) -> RunReceipt:
    """Reads every configured CRM, scores every account group, and writes what changed back.

    Where a CRM could be read in part only, because its calls are spent, nothing is scored or written.

    Args:
        as_of: The day to score and write; today in KAM_TIMEZONE if left out.
        full: Read everything again instead of what changed.
        review: Once all else is written, wait as long as the plan is good for a person to approve the cells of fields
            whose rule is review. Without it they stay in the plan for kam approve.
    """
    began = time.perf_counter()
    with ExitStack() as stack:
        runtime = stack.enter_context(opened())
        names = runtime.chosen(None)
        told_of = stack.enter_context(recording(runtime, "run"))
        await asyncio.to_thread(require_proven, runtime, names)
        await asyncio.to_thread(steps.require_fields, runtime, names)
        day = runtime.scoring(as_of).as_of
        pulls: tuple[PullReceipt, ...] = ()
        scored: ScoreReceipt | None = None
        written = steps.WriteBacks()
        left: tuple[str, ...] = ()
        # After an approval it goes on where it was suspended.
        if not any([await planned_before(runtime, name, review=review) for name in names]):
            pulls = tuple([await receipt_of(pull_crm(crm=name, full=full)) for name in names])
            left = steps.unread(pulls)
            scored = None if left else await receipt_of(score_groups(as_of=day))
        if left:
            left += (steps.NOT_SCORED,)
        else:
            written = await write_crms(runtime, names, as_of=day, full=False, review=review)
            left = written.left
        told = await tell_owners(runtime, [one.applied for one in written.done])
        receipt = RunReceipt(day, pulls, scored, written.done, round(time.perf_counter() - began, 3), left, told)
        told_of.receipt = receipt
        page = await with_usage(runtime, run_page(receipt), names, (*pulls, scored, *written.done))
    await acreate_markdown_artifact(page, key="kam-run", description="Read, scored, written")
    return ended(receipt, left, skipped(one.applied for one in written.done))

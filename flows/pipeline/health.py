"""Is it healthy, since when, and what next: read from the store alone, no CRM is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from flows.results.standing import (
    VERDICTS,
    CrmStanding,
    FailedRun,
    Lag,
    Rejects,
    Standing,
    StepStanding,
    Trouble,
    Verdict,
)
from kammodel.entities import Run
from kammodel.store import Store, Transaction, approving, health
from kammodel.store.certifying import failed_certificates

STEPS = ("pull", "plan", "apply")
"""Of each CRM, and each has to have ended well lately; counting, which is asked for less often, has not."""
_ALSO = ("reconcile",)
COMMANDS = {"pull": "kam pull", "plan": "kam plan", "apply": "kam apply", "score": "kam score"}
_NO_LINE = "no reason is kept"
LOST = "it told of no end; was its machine taken away?"

HasDied = Callable[[Run], bool]


def standing(store: Store, crms: Iterable[str], now: dt.datetime, oldest: dt.timedelta, has_died: HasDied) -> Standing:
    """How everything stands. What is older than `oldest` is stale."""
    with store.transaction() as tx:
        looked = _Look(tx, now, oldest, has_died)
        score = looked.step("score", None, must_be_new=True)
        check = looked.step("check", None, must_be_new=False)
        found = tuple(looked.crm(crm) for crm in crms)
        failed = looked.last_failed((score, check, *(step for one in found for step in one.steps)))
    troubles = tuple(sorted(looked.troubles, key=lambda one: -VERDICTS.index(one.verdict)))
    verdict: Verdict = troubles[0].verdict if troubles else "healthy"
    begun = [one.since for one in troubles if one.verdict == verdict and one.since is not None]
    since = min(begun, default=None) if troubles else _healthy_since(found, score, failed)
    return Standing(now, verdict, since, found, score, troubles, failed)


class _Look:
    """One look at the store; collects what is wrong."""

    def __init__(self, tx: Transaction, now: dt.datetime, oldest: dt.timedelta, has_died: HasDied) -> None:
        self._tx, self._now, self._oldest, self._has_died = tx, now, oldest, has_died
        self.troubles: list[Trouble] = []

    def step(self, kind: str, crm: str | None, *, must_be_new: bool) -> StepStanding:
        """How a step stands."""
        good = health.newest_run(self._tx, [kind], crm, [health.DONE])
        newest = health.newest_run(self._tx, [kind], crm)
        state, line = self._ended(newest) if newest is not None else (None, None)
        ended = good.ended_at if good is not None else None
        seconds = (ended - good.started_at).total_seconds() if good is not None and ended is not None else None
        rows = good.result.get(health.ROWS, good.result.get("appended")) if good is not None else None
        at = (newest.ended_at or newest.started_at) if newest is not None else None
        told = StepStanding(kind, crm, ended, seconds, rows if isinstance(rows, int) else None, state, at, line)
        self._judge(told, must_be_new=must_be_new)
        return told

    def _ended(self, run: Run) -> tuple[str, str | None]:
        line = run.result.get(health.LINE)
        if run.state != health.RUNNING:
            return run.state, str(line) if line is not None else None
        # Nothing that a person waits for runs longer than what they call stale.
        if self._has_died(run) or self._now - run.started_at > self._oldest:
            return health.FAILED, LOST
        return health.RUNNING, None

    def _judge(self, step: StepStanding, *, must_be_new: bool) -> None:
        of = f"{step.crm} {step.kind}" if step.crm else step.kind
        of_crm = f" --crm {step.crm}" if step.crm else ""
        command = COMMANDS.get(step.kind, "kam run") + (of_crm if step.kind in COMMANDS else "")
        if step.newest in {health.FAILED, health.PARTIAL}:
            verdict: Verdict = "failed" if step.newest == health.FAILED else "partial"
            what = f"{of} {'failed' if step.newest == health.FAILED else 'was done in part'}: {step.line or _NO_LINE}"
            advice = f"put that right, then: {command}" if verdict == "failed" else f"{command} goes on with it"
            self._add(verdict, what, step.newest_at, advice)
        if must_be_new and step.ended_at is None:
            self._add("stale", f"{of} has never ended well", None, "kam run")
        elif must_be_new and self._is_old(step.ended_at):
            self._add("stale", f"{of} has not ended well for too long", step.ended_at, "kam run")

    def _is_old(self, at: dt.datetime | None) -> bool:
        return at is not None and self._now - at > self._oldest

    def _add(self, verdict: Verdict, what: str, since: dt.datetime | None, advice: str) -> None:
        self.troubles.append(Trouble(verdict, what, since, advice))

    def crm(self, crm: str) -> CrmStanding:
        """How one CRM stands."""
        steps = [self.step(kind, crm, must_be_new=True) for kind in STEPS]
        steps += [self.step(kind, crm, must_be_new=False) for kind in _ALSO]
        marks = health.streams_of(self._tx, crm)
        read = [one for one in marks if one.watermark is not None or one.resume_point is not None]
        old = [one.stream for one in read if self._is_old(one.read_until or one.watermark)]
        lagging = tuple(
            Lag(one.stream, one.read_until or one.watermark, one.resume_point is not None)
            for one in read
            if one.stream in old or one.resume_point is not None
        )
        if old and not self._is_old(steps[0].ended_at):
            what = f"{crm} {', '.join(old)}: not read for too long, though the CRM was"
            self._add("stale", what, min(one.read_until for one in lagging if one.read_until), f"kam pull --crm {crm}")
        wrong = failed_certificates(self._tx, crm)
        certificates = tuple(dict.fromkeys(one.stream for one in wrong))
        if wrong:
            since = min(one.counted_at for one in wrong)
            what = f"{crm} {', '.join(certificates)}: the store does not hold what the CRM has"
            self._add("failed", what, since, f"kam reconcile --crm {crm} --repair")
        rejects = tuple(Rejects(*row) for row in health.rejects_by_reason(self._tx, crm))
        return self._with_plan(
            CrmStanding(crm, tuple(steps), len(read), lagging, rejects, certificates),
        )

    def _with_plan(self, found: CrmStanding) -> CrmStanding:
        plan = health.newest_plan(self._tx, found.crm)
        if plan is None:
            return found
        cells = approving.outcomes(self._tx, plan.plan_id)
        waits = plan.hash if plan.tripped and plan.approved_at is None and plan.applied_at is None else None
        if waits:
            what = f"{found.crm}: plan {plan.plan_id} waits for approval: {'; '.join(plan.tripped)}"
            self._add("failed", what, plan.planned_at, f"kam plans {plan.plan_id}, then kam approve {waits} --by NAME")
        if cells.get("waiting"):
            what = f"{found.crm}: {cells['waiting']:,} cells wait to be tried again"
            self._add("partial", what, plan.planned_at, f"kam apply --crm {found.crm}")
        return CrmStanding(
            found.crm,
            found.steps,
            found.streams,
            found.lagging,
            found.rejects,
            found.failed_certificates,
            plan.plan_id,
            waits,
            approving.to_review(self._tx, plan.plan_id),
            {name: n for name, n in cells.items() if n},
        )

    def last_failed(self, steps: Sequence[StepStanding]) -> FailedRun | None:
        """The newest failed run; mended if a later one of its kind and CRM ended well."""
        run = health.newest_failed(self._tx)
        if run is None:
            return None
        crm = run.result.get(health.CRM)
        same = [one for one in steps if (one.kind, one.crm) == (run.kind, crm)]
        mended = any(one.ended_at is not None and one.ended_at >= run.started_at for one in same)
        line = str(run.result.get(health.LINE, _NO_LINE))
        return FailedRun(run.kind, str(crm) if crm else None, run.ended_at or run.started_at, line, mended)


def _healthy_since(crms: Sequence[CrmStanding], score: StepStanding, failed: FailedRun | None) -> dt.datetime | None:
    """The end of what mended the last failure; without one, of the last thing to end well."""
    ends = [one.ended_at for one in (score, *(step for crm in crms for step in crm.steps)) if one.ended_at is not None]
    after = [end for end in ends if failed is None or end >= failed.at]
    return min(after, default=None)

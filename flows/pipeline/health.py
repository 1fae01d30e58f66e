"""Is it healthy, since when, and what next: read from the store alone, no CRM is asked. Told in one language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

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
from flows.words import Words
from kammodel.entities import Run
from kammodel.store import Store, Transaction, approving, health
from kammodel.store.certifying import failed_certificates

STEPS = ("pull", "plan", "apply")
"""Of each CRM, and each has to have ended well lately; counting, which is asked for less often, has not."""
_ALSO = ("reconcile",)
_BY_HAND = ("sweep", "backfill", "undo")
"""Of each CRM too, and told of once there were any. What ended badly is no trouble for longer than what is called
stale: whoever began it knows."""
COMMANDS = {
    "pull": "kam pull",
    "plan": "kam plan",
    "apply": "kam apply",
    "score": "kam score",
    "reconcile": "kam reconcile",
    "check": "kam check",
    "sweep": "kam sweep",
    "backfill": "kam backfill --of crm",
}
OF_ALL = frozenset({"score"})
"""Commands that know no --crm."""

HasDied = Callable[[Run], bool]


def standing(
    store: Store, crms: Iterable[str], now: dt.datetime, oldest: dt.timedelta, has_died: HasDied, *, say: Words
) -> Standing:
    """How everything stands. What is older than `oldest` is stale."""
    with store.transaction() as tx:
        looked = _Look(tx, now, oldest, has_died, say)
        score = looked.step("score", None, must_be_new=True)
        check = looked.step("check", None, must_be_new=False)
        found = tuple(looked.crm(crm) for crm in crms)
        run = looked.whole_run([score, *(step for one in found for step in one.steps if step.kind in STEPS)])
        looked.tell_of_never(check)
        failed = looked.last_failed((score, check, run, *(step for one in found for step in one.steps)))
    troubles = tuple(sorted(looked.troubles, key=lambda one: -VERDICTS.index(one.verdict)))
    verdict: Verdict = troubles[0].verdict if troubles else "healthy"
    begun = [one.since for one in troubles if one.verdict == verdict and one.since is not None]
    since = min(begun, default=None) if troubles else _healthy_since(found, score, failed)
    return Standing(now, verdict, since, found, score, troubles, failed, run)


class _Look:
    """One look at the store; collects what is wrong."""

    def __init__(self, tx: Transaction, now: dt.datetime, oldest: dt.timedelta, has_died: HasDied, say: Words) -> None:
        self._tx, self._now, self._oldest, self._has_died, self._say = tx, now, oldest, has_died, say
        self.troubles: list[Trouble] = []
        self._never: list[str] = []

    def step(self, kind: str, crm: str | None, *, must_be_new: bool) -> StepStanding:
        """How a step stands."""
        told = self._found(kind, crm)
        self._judge(told, must_be_new=must_be_new)
        return told

    def by_hand(self, kind: str, crm: str) -> list[StepStanding]:
        """How a step stands that somebody began; nothing where nobody has."""
        told = self._found(kind, crm)
        if told.newest is None:
            return []
        if not self._is_old(told.newest_at):
            self._judge(told, must_be_new=False)
        return [told]

    def whole_run(self, steps: Sequence[StepStanding]) -> StepStanding:
        """How `kam run` stands. Where one of its own steps is in trouble, that says more; where all of them ended well
        since, it was made good without it."""
        told = self._found("run", None)
        began = told.newest_began
        if told.newest not in {health.FAILED, health.PARTIAL} or began is None:
            return told
        is_explained = any(one.since is not None and one.since >= began for one in self.troubles)
        is_mended = all(one.ended_at is not None and one.ended_at > (told.newest_at or began) for one in steps)
        if not is_explained and not is_mended:
            self._judge(told, must_be_new=False)
        return told

    def _found(self, kind: str, crm: str | None) -> StepStanding:
        good = health.newest_run(self._tx, [kind], crm, [health.DONE])
        newest = health.newest_run(self._tx, [kind], crm)
        state, line = self._ended(newest) if newest is not None else (None, None)
        ended = good.ended_at if good is not None else None
        seconds = (ended - good.started_at).total_seconds() if good is not None and ended is not None else None
        rows = good.result.get(health.ROWS, good.result.get("appended")) if good is not None else None
        at = (newest.ended_at or newest.started_at) if newest is not None else None
        began = newest.started_at if newest is not None else None
        rows = rows if isinstance(rows, int) else None
        command = newest.result.get(health.COMMAND) if newest is not None else None
        told = str(command) if command is not None else None
        return StepStanding(kind, crm, ended, seconds, rows, state, at, line, newest_began=began, command=told)

    def _ended(self, run: Run) -> tuple[str, str | None]:
        line = self._say("s_overtaken") if run.result.get(health.OVERTAKEN) else run.result.get(health.LINE)
        if run.state != health.RUNNING:
            return run.state, str(line) if line is not None else None
        # Nothing that a person waits for runs longer than what they call stale.
        if self._has_died(run) or self._now - run.started_at > self._oldest:
            return health.FAILED, self._say("s_lost")
        return health.RUNNING, None

    def _judge(self, step: StepStanding, *, must_be_new: bool) -> None:
        say, of = self._say, spoken(step.kind, step.crm, self._say)
        of_crm = f" --crm {step.crm}" if step.crm and step.kind not in OF_ALL else ""
        command = step.command or COMMANDS.get(step.kind, "kam run") + (of_crm if step.kind in COMMANDS else "")
        line = step.line or say("s_no_line")
        if step.kind == "undo":
            command = f"kam apply --crm {step.crm}"
        if step.newest == health.FAILED:
            self._add("failed", say("s_failed", of=of, line=line), step.newest_at, say("s_retry", command=command))
        elif step.newest == health.PARTIAL:
            self._add("partial", say("s_partial", of=of, line=line), step.newest_at, say("s_goes_on", command=command))
        if must_be_new and step.ended_at is None:
            self._never.append(of)
        elif must_be_new and self._is_old(step.ended_at):
            self._add("stale", say("s_old", of=of), step.ended_at, "kam run")

    def tell_of_never(self, check: StepStanding) -> None:
        """One trouble of all steps that never ended well. Where no run has found our fields yet, they come first."""
        if self._never:
            advice = "kam run" if check.ended_at is not None else self._say("s_first")
            self._add("stale", self._say("s_never", of=", ".join(self._never)), None, advice)

    def _is_old(self, at: dt.datetime | None) -> bool:
        return at is not None and self._now - at > self._oldest

    def _add(self, verdict: Verdict, what: str, since: dt.datetime | None, advice: str) -> None:
        self.troubles.append(Trouble(verdict, what, since, advice))

    def crm(self, crm: str) -> CrmStanding:
        """How one CRM stands."""
        say = self._say
        steps = [self.step(kind, crm, must_be_new=True) for kind in STEPS]
        steps += [self.step(kind, crm, must_be_new=False) for kind in _ALSO]
        steps += [step for kind in _BY_HAND for step in self.by_hand(kind, crm)]
        marks = health.streams_of(self._tx, crm)
        read = [one for one in marks if one.watermark is not None or one.resume_point is not None]
        old = [one.stream for one in read if self._is_old(one.read_until or one.watermark)]
        lagging = tuple(
            Lag(one.stream, one.read_until or one.watermark, one.resume_point is not None)
            for one in read
            if one.stream in old or one.resume_point is not None
        )
        if old and not self._is_old(steps[0].ended_at):
            what = say("s_not_read", crm=crm, streams=", ".join(old))
            self._add("stale", what, min(one.read_until for one in lagging if one.read_until), f"kam pull --crm {crm}")
        wrong = failed_certificates(self._tx, crm)
        certificates = tuple(dict.fromkeys(one.stream for one in wrong))
        if wrong:
            since = min(one.counted_at for one in wrong)
            what = say("s_certificate", crm=crm, streams=", ".join(certificates))
            self._add("failed", what, since, f"kam reconcile --crm {crm} --repair")
        rejects = tuple(Rejects(*row) for row in health.rejects_by_reason(self._tx, crm))
        return self._with_plan(
            CrmStanding(crm, tuple(steps), len(read), lagging, rejects, certificates),
        )

    def _with_plan(self, found: CrmStanding) -> CrmStanding:
        plan, say = health.newest_plan(self._tx, found.crm), self._say
        if plan is None:
            return found
        cells = approving.outcomes(self._tx, plan.plan_id)
        waits = plan.hash if plan.tripped and plan.approved_at is None and plan.applied_at is None else None
        if waits:
            what = say("s_waits", crm=found.crm, plan=plan.plan_id, limits="; ".join(plan.tripped))
            self._add("failed", what, plan.planned_at, say("s_waits_next", plan=plan.plan_id, hash=waits))
        if cells.get("waiting"):
            what = say("s_cells", crm=found.crm, n=say.number(cells["waiting"]))
            self._add("partial", what, plan.planned_at, f"kam apply --crm {found.crm}")
        return replace(
            found,
            plan_id=plan.plan_id,
            waits_for_approval=waits,
            to_review=approving.to_review(self._tx, plan.plan_id),
            cells={name: n for name, n in cells.items() if n},
        )

    def last_failed(self, steps: Sequence[StepStanding]) -> FailedRun | None:
        """The newest failed run; mended if a later one of its kind and CRM ended well."""
        run = health.newest_failed(self._tx)
        if run is None:
            return None
        crm = run.result.get(health.CRM)
        same = [one for one in steps if (one.kind, one.crm) == (run.kind, crm)]
        mended = any(one.ended_at is not None and one.ended_at >= run.started_at for one in same)
        line = str(run.result.get(health.LINE) or self._say("s_no_line"))
        return FailedRun(run.kind, str(crm) if crm else None, run.ended_at or run.started_at, line, mended)


def spoken(kind: str, crm: str | None, say: Words) -> str:
    """A step, of a CRM or of all, in words."""
    return kind if crm is None else say("s_of", crm=crm, step=kind)


def _healthy_since(crms: Sequence[CrmStanding], score: StepStanding, failed: FailedRun | None) -> dt.datetime | None:
    """The end of what mended the last failure; without one, of the last thing to end well."""
    ends = [one.ended_at for one in (score, *(step for crm in crms for step in crm.steps)) if one.ended_at is not None]
    after = [end for end in ends if failed is None or end >= failed.at]
    return min(after, default=None)

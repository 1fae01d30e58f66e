"""How runs end in the store, and what a look at the whole makes of it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect.exceptions import Pause

from connectors.errors import QuotaSpent
from flows.pipeline.health import standing
from flows.recording import has_died, recording
from flows.results.standing import Standing
from flows.runtime import Runtime
from flows.settings import settings_from
from flows.words import Words
from kammodel.errors import KamError
from kammodel.store import health

HOUR = dt.timedelta(hours=1)
STEPS = (("pull", "hubspot"), ("score", None), ("plan", "hubspot"), ("apply", "hubspot"))


@dataclass
class Desk:
    """A runtime without any CRM, and a clock that goes on by a minute with each look at it."""

    folder: Path
    at: dt.datetime = dt.datetime(2026, 6, 30, 2, tzinfo=dt.UTC)
    runtime: Runtime = field(init=False)

    def __post_init__(self) -> None:
        self.runtime = Runtime(settings_from({"KAM_HOME": str(self.folder)}), clock=self.now)

    def now(self) -> dt.datetime:
        self.at += dt.timedelta(minutes=1)
        return self.at

    def ran(self, kind: str, crm: str | None, fault: BaseException | None = None) -> None:
        with recording(self.runtime, kind, crm):
            if fault is not None:
                raise fault

    def newest(self, kind: str, crm: str | None = None) -> tuple[str, object]:
        with self.runtime.store.transaction() as tx:
            found = health.newest_run(tx, [kind], crm)
        assert found is not None
        return found.state, found.result.get(health.LINE)

    def look(self) -> Standing:
        return standing(self.runtime.store, ["hubspot"], self.now(), 26 * HOUR, has_died, say=Words("en"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """After a night in which all went well."""
    made = Desk(tmp_path)
    for kind, crm in (*STEPS, ("run", None)):
        made.ran(kind, crm)
    yield made
    made.runtime.close()


@pytest.mark.parametrize(
    ("fault", "state", "line"),
    [
        (KamError("the policy has no cuts"), "failed", "the policy has no cuts"),
        (QuotaSpent("the calls of the day are spent"), "partial", "the calls of the day are spent"),
        (Pause(), "partial", "suspended until a person approves a plan"),
        (KeyboardInterrupt(), "failed", "stopped by hand; the next run resumes"),
        (asyncio.CancelledError(), "failed", "stopped by hand; the next run resumes"),
        (RuntimeError("pat-secret-0000"), "failed", "RuntimeError: see the log of the run"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_ends_a_run_is_told_in_one_line(desk: Desk, fault: BaseException, state: str, line: str) -> None:
    """And goes on to whoever began it. The text of a fault that is not ours may hold anything, and is left out."""
    with pytest.raises(type(fault)):
        desk.ran("run", None, fault)
    assert desk.newest("run") == (state, line)


def test_a_run_is_told_of_where_none_of_its_steps_says_more(desk: Desk) -> None:
    """Such as one that found no fields; it is made good by the steps one by one, too."""
    with pytest.raises(KamError):
        desk.ran("run", None, KamError("no fields"))
    found = desk.look()
    assert [(one.what, one.advice) for one in found.troubles] == [
        ("run failed: no fields", "put that right, then: kam run")
    ]
    for kind, crm in STEPS:
        desk.ran(kind, crm)
    assert desk.look().verdict == "healthy"


def test_a_step_that_failed_in_a_run_says_more_than_the_run(desk: Desk) -> None:
    with pytest.raises(KamError), recording(desk.runtime, "run"):
        desk.ran("pull", "hubspot", KamError("no such token"))
    assert desk.newest("run") == ("failed", "no such token")
    assert [one.what for one in desk.look().troubles] == ["hubspot pull failed: no such token"]


def test_what_was_begun_by_hand_is_no_trouble_for_ever(desk: Desk) -> None:
    """Whoever began it knows. The row stays, as all that was ever done by hand."""
    with pytest.raises(KamError):
        desk.ran("backfill", "hubspot", KamError("no such stream"))
    assert [one.what for one in desk.look().troubles] == ["hubspot backfill failed: no such stream"]
    desk.at += 27 * HOUR
    for kind, crm in STEPS:
        desk.ran(kind, crm)
    found = desk.look()
    assert (found.verdict, found.crms[0].steps[-1].kind, found.crms[0].steps[-1].newest) == (
        "healthy",
        "backfill",
        "failed",
    )

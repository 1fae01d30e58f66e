"""A fault at any call of two weeks of a Salesforce org: the run gets over it, or fails in one line and heals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sandbox.salesforce.org import Org
from tests.contract.salesforce_connected import Front
from tests.pipeline.disturbed import Ending, Script, scripted
from tests.pipeline.matrix import play_all, play_some
from tests.pipeline.mishaps import KILLED, MISHAPS, Mishap
from tests.pipeline.salesforce_script import ScriptedSalesforce

MOST_LEFT = 3
"""Jobs that are made before the place that names them is kept."""


@pytest.fixture(scope="module")
def script(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script[Org]]:
    with scripted(ScriptedSalesforce(front), tmp_path_factory.mktemp("script")) as made:
        yield made


def may_leave_jobs(call: str, mishap: Mishap) -> bool:
    """Whether a job may stay in the org, for Salesforce to take away after seven days.

    The call that takes it away went wrong; or nobody knows its id: the answer that told it was lost, or the process
    that it was told to has ended.
    """
    if mishap in KILLED:
        return "/jobs/" in call
    is_lost = mishap in {"dropped_after", "truncated"}
    return "/jobs/" in call and (call.startswith("DELETE") or (call.startswith("POST") and is_lost))


def judge(ending: Ending, call: str, mishap: Mishap) -> None:
    """A single fault is got over; jobs stay only where nothing could be done about them."""
    assert ending.met, "nothing went wrong"
    assert ending.told is None or mishap in {"outage", *KILLED}, ending.told
    assert len(ending.left) <= (MOST_LEFT if may_leave_jobs(call, mishap) else 0), f"left over: {ending.left}"


@pytest.mark.parametrize(
    ("step", "call", "times"),
    [
        ("provisioning", "metadata/deployRequest", 4),
        ("first load: sign-in", "oauth2/token", 1),
        ("first load: sign-in", "composite/batch", 1),
        ("first load: contacts", "query/0r8", 1),
        ("first load: tasks", "POST /services/data/v66.0/jobs/query", 5),
        ("first load: tasks", "/results", 10),
        ("first writing", "POST /services/data/v66.0/jobs/ingest", 2),
        ("echo: nothing to write", "/composite", 0),
        ("edits: opportunities", "queryAll", 1),
        ("edits: writing", "POST /services/data/v66.0/composite", 1),
        ("deletions: contacts", "Contact/deleted", 1),
        ("a week: tasks", "POST /services/data/v66.0/jobs/query", 1),
        ("at rest: nothing to write", "/composite", 0),
    ],
)
def test_the_scripted_run_takes_every_road(script: Script[Org], step: str, call: str, times: int) -> None:
    """Whatever the matrix is said to cover is there to go wrong."""
    here = next(one for one in script.checkpoints if one.step.name == step)
    assert sum(call in made for made in here.calls) == times


def test_the_scripted_run_has_hundreds_of_calls(script: Script[Org]) -> None:
    """Each is a place for something to go wrong."""
    assert len(script.positions) > 300


def test_a_mishap_at_any_call_of_salesforce_changes_nothing(script: Script[Org]) -> None:
    """A seeded sample; `-m exhaustive` plays them all."""
    play_some(script, "salesforce", judge, times=6)


@pytest.mark.exhaustive
@pytest.mark.parametrize("mishap", MISHAPS)
def test_every_mishap_at_every_call_of_salesforce_changes_nothing(
    script: Script[Org], mishap: Mishap, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole matrix; tells its figures as it goes."""
    with capsys.disabled():
        wrong = play_all(script, mishap, judge)
    assert not wrong, "\n".join(wrong)

"""What `--full` accepts, a field and an object that are shown no longer, is accepted by a run without calls left too:
wherever it ends, plain runs go on with it, and no row grows old unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import PermissionMissing
from connectors.sandbox.salesforce.ids import salesforce_id
from flows.results import PullReceipt
from kammodel.entities import Account, Activity
from tests.contract.salesforce_connected import HOUR, Front, org
from tests.pipeline.salesforce_desk import LEAN, Desk, of, opened

DAY = 25 * HOUR
PLENTY = 100_000
REFUSED = "could be read before and cannot be now"


@pytest.fixture
def desk(front: Front, loaded: Path, tmp_path: Path) -> Iterator[Desk]:
    """Everything was read; then the industry of accounts was hidden, and tasks as a whole. Pages are small."""
    lean: dict[str, Any] = {**LEAN, "query_page_rows": 4}
    with opened(front, tmp_path, org(**lean), loaded) as there:
        there.there.settings.hidden_fields = frozenset({"Account.Industry"})
        there.there.settings.hidden_objects = frozenset({"Task"})
        yield there


def pulled(desk: Desk, calls: int = PLENTY, *, full: bool = False) -> PullReceipt:
    """With so many calls: a quarter of those of the day, which has just begun."""
    desk.there.clock.advance(DAY)
    desk.there.settings.daily_api_requests = 4 * calls
    return desk.pull(full=full)


@pytest.mark.parametrize(
    ("calls", "at"),
    [(9, "accounts"), (14, "opportunities"), (18, "opportunity_history"), (30, "opportunity_contact_roles")],
)
def test_what_was_accepted_with_few_calls_stays_accepted(desk: Desk, calls: int, at: str) -> None:
    """The streams that it did not come to are read in full by the next run, which is not refused."""
    with pytest.raises(PermissionMissing, match=REFUSED):
        pulled(desk)
    accepted = pulled(desk, calls, full=True)
    assert next(one.stream for one in accepted.streams if one.state == "stopped") == at
    assert str(accepted.resumes).endswith("(which needs no --full)")
    rest = pulled(desk)
    assert not rest.is_partial
    ended = [one for one in (*accepted.streams, *rest.streams) if one.is_full and one.next_row is None]
    whole = {one.stream for one in ended if one.state != "not_begun"}
    assert whole == {one.stream for one in rest.streams}
    assert set(desk.store.read(Account)["industry"]) == {None}
    desk.there.settings.hidden_objects = frozenset()
    assert of(pulled(desk), "tasks").is_full


def test_what_it_had_no_calls_to_look_at_is_not_accepted(desk: Desk) -> None:
    """And the receipt says that it has to be asked for again."""
    accepted = pulled(desk, 3, full=True)
    assert (accepted.streams, accepted.resumes) == ((), "resumes at the beginning, with the next run with --full")
    with pytest.raises(PermissionMissing, match=REFUSED):
        pulled(desk)
    assert set(desk.store.read(Account)["industry"]) != {None}


def test_a_large_deletion_is_not_accepted_before_it_was_seen(front: Front, loaded: Path, tmp_path: Path) -> None:
    """The calls were spent before ids were compared: the next run refuses it once more, and nothing is marked."""
    lean: dict[str, Any] = LEAN
    with opened(front, tmp_path, org(**lean), loaded) as desk:
        tasks = [salesforce_id("00T", 2000 + n) for n in range(60)]
        stamp = {"Subject": "x", "Status": "Completed", "CreatedDate": desk.there.now()}
        desk.there.load("Task", [{"Id": task, **stamp} for task in tasks])
        pulled(desk)
        before = desk.live(Activity)
        for task in tasks:
            desk.there.purge("Task", task)
        desk.there.deletions.clear()
        desk.there.clock.advance(7 * DAY)
        assert pulled(desk, 12, full=True).is_partial
        with pytest.raises(PermissionMissing, match=r"tasks: 60 of \d+ records .* kam pull --crm salesforce --full"):
            pulled(desk)
        assert desk.live(Activity) == before
        assert of(pulled(desk, full=True), "tasks").gone == 60

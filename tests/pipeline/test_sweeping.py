"""What increments cannot show is found all the same: records deleted for good, and rows that were never seen."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import PermissionMissing
from connectors.sandbox.salesforce.ids import salesforce_id
from flows.pipeline import sweeping
from kammodel.entities import Account, Activity, Opportunity
from tests.contract.salesforce_connected import HOUR, Front, org
from tests.pipeline.salesforce_desk import LEAN, Desk, of, opened

DAY = dt.timedelta(days=1)
ALPHA, IBERIA = (salesforce_id("001", n) for n in (1, 2))


@pytest.fixture
def desk(front: Front, loaded: Path, tmp_path: Path) -> Iterator[Desk]:
    """An hour after everything was read."""
    with opened(front, tmp_path, org(**LEAN), loaded) as there:
        there.there.clock.advance(HOUR)
        yield there


def asks(front: Front, kind: str) -> tuple[int, int]:
    """How often the list of deletions of a kind was asked for, and how often its ids."""
    return front.asked(f"/sobjects/{kind}/deleted"), sum(
        f"SELECT+Id+FROM+{kind}+" in call.query for call in front.faults.log
    )


def test_what_was_deleted_for_good_is_found_in_the_list(desk: Desk) -> None:
    """A record that is in no bin any more sends no row; Salesforce's list of deletions names it. One call a stream."""
    gone = min(desk.there_are("Task"))
    desk.there.purge("Task", gone)
    receipt = desk.pull()
    assert of(receipt, "tasks").gone == 1
    assert gone not in desk.live(Activity)
    assert asks(desk.front, "Account") == (1, 0)
    assert of(desk.pull(), "tasks").gone == 0


def test_what_hangs_on_it_is_gone_too(desk: Desk) -> None:
    """An account takes its opportunities along."""
    desk.there.purge("Account", ALPHA)
    desk.pull()
    assert desk.live(Account) == desk.there_are("Account")
    assert desk.live(Opportunity) == desk.there_are("Opportunity")


def test_what_was_restored_stays(desk: Desk) -> None:
    """Deleted and restored between two pulls: whatever the list says, the record is there."""
    desk.there.delete("Account", IBERIA)
    desk.there.undelete("Account", IBERIA)
    desk.there.deletions.setdefault("Account", {})[IBERIA] = desk.there.now()
    desk.there.clock.advance(HOUR)
    assert of(desk.pull(), "accounts").gone == 0
    assert IBERIA in desk.live(Account)


@pytest.mark.parametrize("trimmed", [True, False])
def test_where_the_list_does_not_reach_back_ids_are_compared(desk: Desk, *, trimmed: bool) -> None:
    """A list cut short, and a pull that comes after more than its fifteen days."""
    gone = min(desk.there_are("Opportunity"))
    desk.there.purge("Opportunity", gone)
    if trimmed:
        desk.there.settings.delete_log_hours = 0
    else:
        desk.there.clock.advance(16 * DAY)
    assert of(desk.pull(), "opportunities").gone == 1
    assert desk.live(Opportunity) == desk.there_are("Opportunity")


def test_once_a_week_all_ids_are_compared(desk: Desk) -> None:
    """That finds what no list and no stamp told: rows that went, and rows that came, unseen."""
    gone, late = min(desk.there_are("Task")), salesforce_id("00T", 999)
    desk.there.purge("Task", gone)
    desk.there.deletions.clear()
    desk.there.load(
        "Task", [{"Id": late, "Subject": "x", "Status": "Completed", "CreatedDate": "2020-01-01T00:00:00.000+0000"}]
    )
    desk.pull()
    assert (gone in desk.live(Activity), late in desk.live(Activity)) == (True, False)
    desk.there.clock.advance(7 * DAY)
    receipt = of(desk.pull(), "tasks")
    assert (receipt.gone, receipt.inserted) == (1, 1)
    assert desk.live(Activity) == desk.there_are("Task") | desk.there_are("Event")
    desk.there.clock.advance(DAY)
    desk.pull()
    assert asks(desk.front, "Task") == (1, 0)


def test_very_many_that_were_never_seen_come_with_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when access is given back: by their ids they would cost a call for each four hundred."""
    monkeypatch.setattr(sweeping, "_MOST_LISTED", 2)
    old = {"Subject": "x", "Status": "Completed", "CreatedDate": "2020-01-01T00:00:00.000+0000"}
    desk.there.load("Task", [{"Id": salesforce_id("00T", 900 + n), **old} for n in range(3)])
    desk.there.clock.advance(8 * DAY)
    assert of(desk.pull(), "tasks").inserted == 3
    assert desk.live(Activity) == desk.there_are("Task") | desk.there_are("Event")
    assert not [call for call in desk.front.faults.log if "FROM+Task+WHERE+Id+IN" in call.query]
    assert of(desk.pull(), "tasks").read == 0


def test_a_full_load_compares_ids(desk: Desk) -> None:
    """What is not there any more does not come with a load of everything either."""
    desk.there.purge("Account", ALPHA)
    desk.there.deletions.clear()
    assert of(desk.pull(full=True), "accounts").gone == 1
    assert desk.live(Account) == desk.there_are("Account")


def test_access_that_was_lost_is_not_taken_for_deletion(desk: Desk) -> None:
    """When a large part of a stream is not to be seen any more, nothing is marked; --full accepts it."""
    just_now = desk.there.now()
    ids = [salesforce_id("00T", 2000 + n) for n in range(60)]
    more = [{"Id": i, "Subject": "x", "Status": "Completed", "CreatedDate": just_now} for i in ids]
    desk.there.load("Task", more)
    desk.there.clock.advance(HOUR)
    desk.pull()
    before = desk.live(Activity)
    for task in ids:
        desk.there.purge("Task", task)
    desk.there.deletions.clear()
    desk.there.clock.advance(8 * DAY)
    with pytest.raises(PermissionMissing, match=r"tasks: 60 of \d+ records .* kam pull --crm salesforce --full"):
        desk.pull()
    assert desk.live(Activity) == before
    assert of(desk.pull(full=True), "tasks").gone == 60

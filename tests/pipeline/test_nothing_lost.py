"""Every row of Salesforce reaches the store: ties by the thousand, late rows, rows that change while they are read."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import TryAgainLater
from connectors.salesforce import pages
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.ids import salesforce_id
from flows.pipeline import chunks
from kammodel.entities import Account, Activity, Opportunity, OpportunityStageEvent
from kammodel.identity import COLUMNS, account_groups
from tests.contract.salesforce_connected import HOUR, SECOND, Front, org
from tests.pipeline.salesforce_desk import LEAN, Desk, of, opened

MINUTE = dt.timedelta(minutes=1)
ALPHA, IBERIA, BETA = (salesforce_id("001", n) for n in (1, 2, 4))
ANA, EVE = salesforce_id("005", 1), salesforce_id("005", 900_001)
OPEN_DEAL = salesforce_id("006", 7)
BY_PAGES, BY_JOBS = Sizes(), Sizes(bulk_from=100, page_rows=400, job_rows=700)
ROADS = pytest.mark.parametrize("sizes", [BY_PAGES, BY_JOBS], ids=["pages", "jobs"])
LOOK_AT_JOB = "GET /services/data/v66.0/jobs/query/750"
NEXT_PAGE = "GET /services/data/v66.0/query/"


@pytest.fixture
def desk(front: Front, tmp_path: Path) -> Iterator[Desk]:
    """Nothing is read yet; pages of 300 rows."""
    with opened(front, tmp_path, org(query_page_rows=300, **LEAN)) as there:
        yield there


@pytest.fixture
def begun(front: Front, loaded: Path, tmp_path: Path) -> Iterator[Desk]:
    """The same an hour after everything was read."""
    with opened(front, tmp_path, org(query_page_rows=300, **LEAN), loaded) as there:
        there.there.clock.advance(HOUR)
        yield there


def tie(desk: Desk, rows: int) -> list[str]:
    """So many closed tasks of one account under the stamp of this moment, as a bulk load leaves them; their ids."""
    task = {"Subject": "x", "Status": "Completed", "WhatId": ALPHA, "OwnerId": ANA}
    return desk.there.bulk_insert("Task", (task for _ in range(rows)), by=ANA)


def same(desk: Desk) -> bool:
    """Whether the store has the activities of the org, each in its last version."""
    return desk.stamps(Activity) == desk.stamps_there("Task") | desk.stamps_there("Event")


@ROADS
def test_a_first_load_reads_ties_by_the_thousand(desk: Desk, sizes: Sizes) -> None:
    """Three thousand rows under two neighbouring seconds, which no window can cut: all are there, and each once."""
    desk.there.clock.advance(HOUR)
    tie(desk, 1_500)
    desk.there.clock.advance(SECOND)
    tie(desk, 1_500)
    desk.there.clock.advance(SECOND)
    receipt = of(desk.pull(sizes=sizes), "tasks")
    assert (receipt.read, receipt.inserted) == (3_004, 3_004)
    assert same(desk)
    # A window for what is older than the ties, one for each of them.
    assert desk.front.asked("POST /services/data/v66.0/jobs/query") == (3 if sizes is BY_JOBS else 0)


@ROADS
def test_an_increment_reads_ties_by_the_thousand(begun: Desk, sizes: Sizes) -> None:
    """The same when they come later, among rows that are known."""
    tie(begun, 500)
    begun.there.clock.advance(SECOND)
    tie(begun, 500)
    begun.there.clock.advance(SECOND)
    receipt = of(begun.pull(sizes=sizes), "tasks")
    assert (receipt.is_full, receipt.inserted) == (False, 1_000)
    assert same(begun)


def test_a_pull_in_the_middle_of_a_tie_loses_nothing(desk: Desk) -> None:
    """Rows that get the stamp of the very second in which everything was read, before and after it was."""
    tie(desk, 500)
    desk.pull()
    tie(desk, 500)
    desk.there.clock.advance(HOUR)
    tie(desk, 500)
    desk.pull()
    tie(desk, 500)
    desk.there.clock.advance(HOUR)
    desk.pull()
    assert same(desk)
    assert len(desk.live(Activity)) == 2_005


@ROADS
def test_a_tie_that_is_interrupted_goes_on_within_it(
    begun: Desk, sizes: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of one stamp have no order of their own: the place, not a stamp, says which of them are stored."""
    monkeypatch.setattr(chunks, "ROWS", 300)
    monkeypatch.setattr(pages, "ROWS", 300)
    tie(begun, 1_500)
    begun.there.clock.advance(SECOND)
    # The first job has what is older, and no rows.
    link, place = ("/results", 3) if sizes is BY_JOBS else (NEXT_PAGE, 2)
    begun.meanwhile(link, lambda: begun.front.faults.on_path(link, "503", times=99), at=place)
    with pytest.raises(TryAgainLater, match="tasks"):
        begun.pull(sizes=sizes)
    stored = len(begun.live(Activity))
    assert 5 < stored < 1_505
    begun.front.faults.clear()
    receipt = of(begun.pull(sizes=sizes), "tasks")
    assert receipt.note == "resumed where it stopped"
    assert receipt.inserted == 1_505 - stored
    assert same(begun)


def test_rows_that_become_visible_late_are_read_by_the_next_pulls(begun: Desk) -> None:
    """A long transaction shows its rows minutes after their stamp, when later ones have been read: new and changed
    ones alike. Here every second write is late by ten minutes."""
    knobs = begun.there.settings
    knobs.commit_lag_s, knobs.commit_lag_every = 600, 2
    made: list[str] = []
    overtaken: set[str] = set()
    for number in range(3):
        for step in range(5):
            made.append(begun.there.create("Task", {"Subject": "x", "Status": "Open", "OwnerId": ANA}, by=ANA))
            begun.there.update("Opportunity", OPEN_DEAL, {"Amount": 1_000 + 5 * number + step}, by=ANA)
            begun.there.clock.advance(MINUTE)
        begun.pull()
        stored = begun.live(Activity)
        overtaken |= {task for place, task in enumerate(made) if task not in stored and stored & set(made[place:])}
        if begun.row(Opportunity, OPEN_DEAL)["amount"] < (1_000 + 5 * number + 4) * 10_000:
            overtaken.add(OPEN_DEAL)
    assert len(overtaken - {OPEN_DEAL}) >= 3
    assert OPEN_DEAL in overtaken
    begun.there.clock.advance(10 * MINUTE)
    begun.pull()
    assert same(begun)
    assert begun.row(Opportunity, OPEN_DEAL)["amount"] == 10_140_000
    assert begun.live(OpportunityStageEvent) == begun.there_are("OpportunityHistory")


@ROADS
def test_what_changes_while_it_is_read_comes_with_the_next_pull(desk: Desk, sizes: Sizes) -> None:
    """A new stamp takes a row out of the windows that are read; so that it is in none of them, or in an old version.
    What is new or deleted meanwhile is not forgotten either."""
    ids = tie(desk, 1_000)
    desk.there.clock.advance(HOUR)

    def act() -> None:
        desk.there.clock.advance(MINUTE)
        for task in ids[::100]:
            desk.there.update("Task", task, {"OwnerId": EVE})
        desk.there.delete("Task", ids[1])
        tie(desk, 10)

    met = desk.meanwhile(LOOK_AT_JOB if sizes is BY_JOBS else NEXT_PAGE, act)
    desk.pull(sizes=sizes)
    assert met
    assert not same(desk)
    desk.there.clock.advance(HOUR)
    desk.pull(sizes=sizes)
    assert same(desk)
    assert ids[1] not in desk.live(Activity)


def test_accounts_that_move_and_change_owner_arrive(begun: Desk) -> None:
    """A new parent puts an account into another group; a deal goes along with its account, or to another one."""
    assert group_of(begun, IBERIA) == group_of(begun, ALPHA)
    begun.there.update("Account", IBERIA, {"ParentId": BETA, "OwnerId": EVE})
    begun.there.update("Opportunity", OPEN_DEAL, {"OwnerId": EVE, "AccountId": BETA})
    begun.there.clock.advance(MINUTE)
    receipt = begun.pull()
    assert (of(receipt, "accounts").changed, of(receipt, "opportunities").changed) == (1, 1)
    account, deal = begun.row(Account, IBERIA), begun.row(Opportunity, OPEN_DEAL)
    assert (account["parent_id"], account["owner_id"]) == (BETA, EVE)
    assert (deal["account_id"], deal["owner_id"]) == (BETA, EVE)
    assert group_of(begun, IBERIA) == group_of(begun, BETA) != group_of(begun, ALPHA)


def group_of(desk: Desk, account: str) -> int:
    found = account_groups(desk.store.read(Account, list(COLUMNS)), "salesforce").accounts
    return int(found.filter(source_id=account)["group"][0])

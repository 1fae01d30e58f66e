"""Pulling: nothing lost, nothing twice, whatever happens between two pages. A scripted CRM, a real SQLite file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from connectors.codecs import text
from connectors.errors import PermissionMissing, ShortAnswer, SliceLost, TryAgainLater, UnexpectedAnswer
from connectors.mapping import Line, Mapping
from flows.pipeline import chunks, pull
from flows.results import StreamReceipt
from kammodel.entities import Account, Bookmark
from kammodel.store import Store
from kammodel.store.control import load_bookmark, open_rejects
from kammodel.store.plans import adopt, to_compare
from tests.pipeline.scripted import ACCOUNTS, START, Row, ScriptedConnector

MINUTE = dt.timedelta(minutes=1)


class Desk:
    """A store, a CRM of five accounts, and a clock that the test moves."""

    def __init__(self, store: Store) -> None:
        self.store, self.crm, self.now = store, ScriptedConnector(), START
        for number in range(1, 6):
            self.crm.rows[f"a{number}"] = Row(f"Company {number}", START - dt.timedelta(days=number))

    def pull(self, *, full: bool = False) -> StreamReceipt:
        receipts = pull(self.crm, self.store, lambda: self.now, full=full).streams
        assert len(receipts) == 1
        receipt = receipts[0]
        assert receipt.read == receipt.inserted + receipt.changed + receipt.unchanged + receipt.rejected
        return receipt

    def names(self) -> dict[str, str | None]:
        return dict(self.store.read(Account, ["source_id", "name"]).iter_rows())

    def bookmark(self) -> Bookmark:
        with self.store.transaction() as tx:
            found = load_bookmark(tx, "scripted", "org", "accounts")
            assert found is not None
            return Bookmark(**found.model_dump())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(chunks, "ROWS", 2)
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store:
        yield Desk(store)


ALL = {f"a{n}": f"Company {n}" for n in range(1, 6)}


def test_a_first_pull_reads_everything_and_closes_at_the_settled_instant(desk: Desk) -> None:
    """All rows are in, the slice is closed, and the watermark lies the settle lag behind now."""
    receipt = desk.pull()
    assert (receipt.is_full, receipt.read, receipt.inserted) == (True, 5, 5)
    assert receipt.calls == desk.crm.calls.total > 1
    assert desk.names() == ALL
    mark = desk.bookmark()
    assert (mark.watermark, mark.read_until) == (START - MINUTE, START)
    assert (mark.slice_until, mark.resume_point) == (None, None)


def test_an_increment_reads_from_the_overlap_and_says_why_rows_came_again(desk: Desk) -> None:
    """Changed, re-stamped, our own write and overlap are told apart."""
    desk.crm.rows["b1"] = Row("Overlapping", START - 5 * MINUTE)
    desk.pull()
    desk.now = START + 60 * MINUTE
    desk.crm.rows["a1"] = Row("Renamed", START + MINUTE)
    desk.crm.rows["a2"].at = START + MINUTE
    desk.crm.rows["a3"].at = START + MINUTE
    with desk.store.transaction() as tx:
        cell = pl.DataFrame({"source_id": ["a3"], "field": ["tier"], "value": ["key"]})
        adopt(tx, cell, source="scripted", instance="org", plan_id="p", at=START + MINUTE)
    receipt = desk.pull()
    assert desk.crm.asked[-1][0].since == START - 11 * MINUTE
    assert (receipt.read, receipt.changed, receipt.own_writes) == (4, 1, 1)
    assert (receipt.restamped, receipt.overlap) == (1, 1)
    assert desk.names()["a1"] == "Renamed"


def test_accounts_shown_again_are_to_be_compared(desk: Desk) -> None:
    """A person may have edited our fields on an account whose own content is unchanged."""
    desk.pull()
    with desk.store.transaction() as tx:
        assert sorted(to_compare(tx, "scripted", "org")) == ["a1", "a2", "a3", "a4", "a5"]


@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_pull_that_broke_goes_on_where_it_stopped(desk: Desk, page: int) -> None:
    """What was stored before the fault is not read again, and the end is that of an undisturbed pull."""

    def broken(number: int, frame: pl.DataFrame) -> pl.DataFrame:
        if number == page:
            raise TryAgainLater("the connection broke")
        return frame

    desk.crm.before_page = broken
    with pytest.raises(TryAgainLater):
        desk.pull()
    assert len(desk.names()) == 2 * page
    desk.crm.before_page = lambda _, frame: frame
    desk.now = START + 60 * MINUTE
    receipt = desk.pull()
    assert receipt.inserted == 5 - 2 * page
    assert desk.names() == ALL
    assert desk.bookmark().watermark == desk.now - MINUTE


def test_a_resumed_pull_then_reads_on_to_now(desk: Desk) -> None:
    """The slice that was interrupted ends in the past: what changed since is read in the same run."""

    def broken(number: int, frame: pl.DataFrame) -> pl.DataFrame:
        if number == 1:
            raise TryAgainLater("the connection broke")
        return frame

    desk.crm.before_page = broken
    with pytest.raises(TryAgainLater):
        desk.pull()
    desk.crm.before_page = lambda _, frame: frame
    desk.now = START + 60 * MINUTE
    desk.crm.rows["a1"] = Row("Renamed meanwhile", START + MINUTE)
    assert desk.pull().note == "resumed where it stopped"
    assert desk.names()["a1"] == "Renamed meanwhile"


def test_a_short_answer_fails_and_the_watermark_stays(desk: Desk) -> None:
    """The next run reads the slice from its start, since what is missing lies before the place reached."""
    desk.pull()
    desk.now = START + 60 * MINUTE
    for row in desk.crm.rows.values():
        row.name, row.at = row.name.replace("Company", "Firm"), START + MINUTE
    desk.crm.before_page = lambda number, frame: frame.clear() if number == 1 else frame
    with pytest.raises(ShortAnswer, match="announced 5 rows and sent 3"):
        desk.pull()
    assert desk.bookmark().watermark == START - MINUTE
    desk.crm.before_page = lambda _, frame: frame
    desk.pull()
    assert set(desk.names().values()) == {f"Firm {n}" for n in range(1, 6)}


def test_a_forgotten_place_is_answered_by_starting_the_slice_once_more(desk: Desk) -> None:
    """SliceLost on the way back in costs a re-read, not a failure; without a place to resume it is final."""
    desk.crm.before_page = lambda number, frame: _raise(TryAgainLater("broke")) if number == 1 else frame
    with pytest.raises(TryAgainLater):
        desk.pull()
    tries = iter([True])
    desk.crm.before_page = lambda _, frame: _raise(SliceLost("forgotten")) if next(tries, False) else frame
    desk.pull()
    assert [resume for _, resume in desk.crm.asked] == [None, "a2", None, None]
    assert desk.names() == ALL
    desk.now += 60 * MINUTE
    desk.crm.before_page = lambda _, __: _raise(SliceLost("forgotten"))
    with pytest.raises(SliceLost):
        desk.pull()


def test_an_unreadable_row_is_set_aside_and_tried_again(desk: Desk) -> None:
    """It is kept with field and reason, the others go through, and it is healed once it can be read."""
    desk.crm.rows["a3"].revenue = "a lot"
    receipt = desk.pull()
    assert (receipt.inserted, receipt.rejected) == (4, 1)
    with desk.store.transaction() as tx:
        waiting = open_rejects(tx, "scripted", "org", "accounts")
    assert waiting.select("source_id", "field", "reason").rows() == [("a3", "Revenue", "not readable as money")]
    desk.now = START + 60 * MINUTE
    desk.crm.rows["a3"] = Row("Company 3", START + MINUTE, revenue="100")
    assert desk.pull().healed == 1
    assert desk.names() == ALL


def test_rejects_are_read_again_with_the_mapping_of_today(desk: Desk) -> None:
    """A mended mapping announces a full load, and rows set aside before come in from what was kept of them."""
    desk.crm.rows["a3"].revenue = "a lot"
    desk.pull()
    del desk.crm.rows["a3"]
    desk.crm.mapping = Mapping(
        Account, tuple(Line(ln.ours, ln.theirs, text) if ln.ours == "industry" else ln for ln in ACCOUNTS.lines[:-1])
    )
    receipt = desk.pull()
    assert (receipt.is_full, receipt.healed) == (True, 1)
    assert "mapping" in (receipt.note or "")
    assert desk.names() == ALL


def test_too_many_rejects_do_not_close_the_slice(desk: Desk) -> None:
    """From 20 rows and 5 % on the mapping is wrong, not the rows: nothing is closed."""
    for number in range(100, 120):
        desk.crm.rows[f"b{number}"] = Row("Bad", START - dt.timedelta(days=1), revenue="many")
    with pytest.raises(UnexpectedAnswer, match="20 of 25 rows"):
        desk.pull()
    assert desk.bookmark().watermark is None


def test_records_that_are_gone_are_marked_with_their_survivor(desk: Desk) -> None:
    """A merge loser is deleted and names who it became."""
    desk.pull()
    desk.now = START + 60 * MINUTE
    desk.crm.gone = {"a4": "a1", "a5": None}
    assert desk.pull().gone == 2
    ended = desk.store.read(Account, ["source_id", "deleted", "merged_into_id"]).filter("deleted").rows()
    assert ended == [("a4", True, "a1"), ("a5", True, None)]


def test_pages_that_just_stop_are_a_short_answer(desk: Desk) -> None:
    """A reader that ends without its last page has not read the slice."""
    original = desk.crm.read

    def cut(*args: object, **kwargs: object) -> Iterator[object]:
        yield next(original(*args, **kwargs))  # type: ignore[arg-type]

    desk.crm.read = cut  # type: ignore[assignment,method-assign]
    with pytest.raises(ShortAnswer, match="ended without a last one"):
        desk.pull()


def _raise(fault: Exception) -> pl.DataFrame:
    raise fault


def test_a_stream_that_is_closed_to_us_now_stops_the_pull_if_it_was_read_before(desk: Desk) -> None:
    """A permission that was taken away is an error that says so; one that never was is told with the receipt."""
    desk.crm.closed = {"accounts": "grant read access", "tasks": "grant read access to Task"}
    assert pull(desk.crm, desk.store, lambda: desk.now).unavailable == desk.crm.closed
    desk.crm.closed = {}
    desk.pull()
    desk.crm.closed = {"accounts": "grant read access"}
    with pytest.raises(PermissionMissing, match=r"scripted accounts could be read before.*: grant read access"):
        desk.pull()


def test_what_an_org_switched_off_is_let_go_by_a_full_pull(desk: Desk) -> None:
    """A stream that is gone for good must not stop every pull to come; if it comes back, it is read from the start."""
    desk.pull()
    desk.crm.closed = {"accounts": "not switched on"}
    with pytest.raises(PermissionMissing, match="kam pull --crm scripted --full"):
        desk.pull()
    for full in (True, False):
        assert pull(desk.crm, desk.store, lambda: desk.now, full=full).unavailable == desk.crm.closed
    assert desk.bookmark().watermark is None
    desk.crm.closed = {}
    assert desk.pull().is_full


def test_without_deals_nothing_is_pulled(desk: Desk) -> None:
    """Nobody could be tiered: the pull says what to grant before it reads."""
    desk.crm.closed = {"opportunities": "grant read access to Opportunity"}
    with pytest.raises(PermissionMissing, match="tiered without opportunities: grant read access to Opportunity"):
        desk.pull()
    assert desk.crm.asked == []


def test_a_field_that_was_read_before_may_not_vanish_in_silence(desk: Desk) -> None:
    """It is named with what to grant; `--full` goes on without it."""
    desk.pull()
    desk.now = START + 60 * MINUTE
    desk.crm.mapping = ACCOUNTS.without({"Revenue"})
    desk.crm.closed = {"accounts.Revenue": "grant read access to the field"}
    with pytest.raises(PermissionMissing, match=r"accounts: annual_revenue could be read before.*--full"):
        desk.pull()
    asked, stands = len(desk.crm.asked), desk.bookmark().watermark
    with pytest.raises(PermissionMissing):
        desk.pull()
    assert (len(desk.crm.asked), desk.bookmark().watermark) == (asked, stands)
    assert desk.pull(full=True).is_full
    desk.now += 60 * MINUTE
    assert not desk.pull().is_full


def test_a_fault_names_its_crm_and_stream(desk: Desk) -> None:
    """A line in a log has to say where."""
    desk.crm.before_page = lambda _, __: _raise(TryAgainLater("the connection broke"))
    with pytest.raises(TryAgainLater, match=r"^scripted accounts: the connection broke$"):
        desk.pull()


def test_a_list_that_is_read_whole_shows_what_vanished(desk: Desk) -> None:
    """Stages, rates and the like have no bin: what a whole list lacks is gone; an empty list proves nothing."""
    desk.crm.is_incremental = False
    desk.crm.rows = {id_: desk.crm.rows[id_] for id_ in ("a1", "a2")}
    desk.pull()
    del desk.crm.rows["a2"]
    assert desk.pull().gone == 1
    del desk.crm.rows["a1"]
    assert desk.pull().gone == 0
    live = desk.store.read(Account, ["source_id", "deleted"]).filter(~pl.col("deleted"))
    assert live["source_id"].to_list() == ["a1"]


def test_the_end_of_a_long_list_is_not_all_of_it(desk: Desk) -> None:
    """A list read whole that comes in several chunks: what its last one lacks stood in those before."""
    desk.crm.is_incremental = False
    assert desk.pull().gone == 0
    assert desk.pull().gone == 0
    assert not desk.store.read(Account, ["deleted"])["deleted"].any()


def test_a_whole_list_may_have_several_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as they make one chunk, what they lack together is gone."""
    monkeypatch.setattr(chunks, "ROWS", 10)
    desk.crm.is_incremental = False
    desk.pull()
    del desk.crm.rows["a2"]
    assert desk.pull().gone == 1

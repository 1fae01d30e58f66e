"""A comparison of all ids that is stopped goes on where it was, however many ranges are read side by side."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from connectors.contract import Existing, Stream
from connectors.errors import PermissionMissing, QuotaSpent, SliceLost, TryAgainLater
from connectors.hubspot import ranges
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from flows.pipeline import comparing, pull
from flows.pipeline.comparing import Looked, Parts, less
from flows.results import PullReceipt
from kammodel.entities import Account
from kammodel.store import Store
from tests.contract.hubspot_copy import connected, stream_of
from tests.contract.hubspot_world import Front, company, open_front, portal, small_book

DAY = dt.timedelta(days=1)
LIST = "/crm/v3/objects/companies"
MOST = 1500


class OfCompanies(HubSpotConnector):
    """The stream that matters here."""

    def streams(self) -> tuple[Stream, ...]:
        return tuple(one for one in super().streams() if one.name == "accounts")


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/kam.db") as opened:
        yield opened


def companies(front: Front, number: int = MOST, **settings: bool) -> Portal:
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, number + 1)]
    book.deals, book.touches, book.people = [], [], []
    return front.show(portal(book, **settings))


def pulled(front: Front, store: Store, there: Portal, parallel: int = 1, *, full: bool = False) -> PullReceipt:
    """Pulls companies a day later."""
    there.clock.advance(DAY)
    front.faults.log.clear()
    settings = HubSpotSettings(base_url=front.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=parallel)
    connector = OfCompanies(settings, patience=Patience(sleep=lambda _: None))
    try:
        return pull(connector, store, there.clock.now, full=full)
    finally:
        connector.close()


def pages(front: Front) -> int:
    """Pages of ids that were listed."""
    listed = [call for call in front.faults.log if call.path == LIST and "limit=100" in call.query]
    return sum("archived" not in call.query for call in listed)


def gone(store: Store) -> set[str]:
    return set(store.read(Account).filter(pl.col("deleted"))["source_id"])


@pytest.mark.parametrize(("parallel", "cursor_is_last_id"), [(1, False), (4, True)])
def test_what_the_calls_reach_is_kept(
    front: Front, store: Store, monkeypatch: pytest.MonkeyPatch, parallel: int, *, cursor_is_last_id: bool
) -> None:
    """Each run goes on; in the end all that was purged is found, and every page was asked for about once."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 2)
    monkeypatch.setattr(comparing, "FIRST", 300)
    monkeypatch.setattr("connectors.hubspot.sweeping._ROWS", 100)
    there = companies(front, cursor_is_last_id=cursor_is_last_id)
    pulled(front, store, there, parallel)
    there.clock.advance(8 * DAY)
    purged = {str(hubspot_id("companies", n)) for n in (3, 400, 777, 1111, MOST)}
    for record_id in purged:
        there.purge("companies", int(record_id))
    quiet = 45
    there.settings.daily_requests = 2 * (quiet + 9)
    runs, asked = 0, 0
    while runs < 8:
        runs += 1
        receipt = pulled(front, store, there, parallel)
        asked += pages(front)
        if not receipt.is_partial:
            break
    assert (receipt.is_partial, gone(store)) == (False, purged)
    assert runs > 1
    assert asked < 3 * MOST // 100
    pulled(front, store, there, parallel)
    assert pages(front) == 0


@pytest.fixture
def hidden(front: Front, store: Store, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """600 companies that were read, and a fifth of them, spread over all parts, that is not shown any more."""
    monkeypatch.setattr(comparing, "FIRST", 100)
    monkeypatch.setattr("connectors.hubspot.sweeping._ROWS", 100)
    there = companies(front, 600)
    pulled(front, store, there)
    for n in range(5, 601, 5):
        there.purge("companies", hubspot_id("companies", n))
    there.clock.advance(8 * DAY)
    return there


def test_what_is_hidden_is_not_marked_part_by_part(front: Front, store: Store, hidden: Portal) -> None:
    """No night marks one of them, until everything is asked for."""
    for _ in range(2):
        with pytest.raises(PermissionMissing, match=r"accounts: at least \d+ of 600 records .* nothing was marked"):
            pulled(front, store, hidden)
        assert gone(store) == set()
    pulled(front, store, hidden, full=True)
    assert len(gone(store)) == 120


def test_what_is_hidden_is_not_marked_where_the_calls_end_between_two_parts(
    front: Front, store: Store, hidden: Portal
) -> None:
    """What vanished in the parts of one night counts in those of the next."""
    refused = r"accounts: at least \d+ of 600 records .* nothing was marked"
    with pytest.raises(PermissionMissing, match=refused):
        pulled(front, store, hidden)
    hidden.settings.daily_requests = 2 * (len(front.faults.log) - pages(front) + 2)
    assert pulled(front, store, hidden).is_partial
    assert pages(front) > 0
    with pytest.raises(PermissionMissing, match=refused):
        pulled(front, store, hidden)
    assert gone(store) == set()


def test_what_came_back_before_the_end_is_not_marked(
    front: Front, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison takes several nights: what it missed in the first is looked at once more in the last."""
    monkeypatch.setattr("connectors.hubspot.sweeping._ROWS", 100)
    there = companies(front, 600)
    pulled(front, store, there)
    there.clock.advance(8 * DAY)
    kind = there.known("companies")
    away = {str(hubspot_id("companies", n)): there.existing(kind, hubspot_id("companies", n)) for n in (3, 4, 599)}
    for record_id in away:
        there.purge("companies", record_id)
    there.settings.daily_requests = 2 * 45
    assert pulled(front, store, there).is_partial
    assert pages(front) > 0
    there.settings.daily_requests = 1000
    back = min(away)
    there.add(away.pop(back))
    assert not pulled(front, store, there).is_partial
    assert gone(store) == set(away)


def test_a_place_that_cannot_be_read_begins_anew(front: Front) -> None:
    """It is told as a place that is gone."""
    companies(front, 5)
    with connected(front) as connector:
        accounts = stream_of(connector, "accounts")
        with pytest.raises(SliceLost):
            next(connector.sweeps.existing_from(accounts, "of another version"))
        seen = pl.concat(list(connector.sweeps.existing(accounts)))
    assert seen.len() == 5


def found(*ids: str, left: tuple[tuple[int, int | None], ...]) -> Existing:
    return Existing(pl.Series(ids, dtype=pl.String), left, f"after {ids[-1:]}" if left else None)


def test_parts_say_what_they_have_all_ids_of() -> None:
    """Whatever ended them; each is twice as large as the one before, up to the most."""
    looks = [
        found(left=((0, None),)),
        found("1", "2", left=((3, 50), (70, None))),
        found("70", left=((3, 50), (71, None))),
        found("3", "4", left=((5, 50), (71, None))),
        found("5", left=()),
    ]
    parts = Parts(iter(looks), 2)
    ids, ranges_of = [], []
    while not parts.is_over:
        ids.append(pl.concat(list(parts.ids())).to_list())
        ranges_of.append(parts.looked_at())
    assert ids == [["1", "2"], ["70", "3", "4"], ["5"]]
    assert ranges_of == [[(0, 3), (50, 70)], [(3, 5), (70, 71)], [(5, 50), (71, None)]]


@pytest.mark.parametrize("fault", [QuotaSpent("no calls left"), TryAgainLater("later")])
def test_a_fault_ends_a_part_and_is_kept(fault: Exception) -> None:
    """What came before it is compared."""

    def looks() -> Iterator[Existing]:
        yield found(left=((0, None),))
        yield found("1", left=((2, None),))
        raise fault

    parts = Parts(looks(), 10)
    assert pl.concat(list(parts.ids())).to_list() == ["1"]
    assert (parts.is_over, parts.fault, parts.looked_at(), parts.place) == (True, fault, [(0, 2)], "after ('1',)")


def test_how_far_a_comparison_has_come_is_kept() -> None:
    """Its end is told apart from its beginning; a place of a version that marked part by part begins it anew."""
    looked = Looked().after("here", pl.Series(["1", "2"])).after(None, pl.Series(["3"]))
    kept = Looked.parse(looked.marked(1).text())
    assert (kept.place, kept.is_listed, kept.vanished.to_list()) == (None, True, ["2", "3"])
    assert (Looked().is_listed, Looked.parse(Looked().after("here", pl.Series(["1"])).text()).place) == (False, "here")
    with pytest.raises(SliceLost):
        Looked.parse('[["500",null,501]]')


def test_ranges_less_others() -> None:
    """Ends are kept where nothing is taken away; all of a range may be."""
    assert less([(0, 10), (20, None)], []) == [(0, 10), (20, None)]
    assert less([(0, 10), (20, None)], [(0, 10), (30, 40)]) == [(20, 30), (40, None)]
    assert less([(0, None)], [(0, None)]) == []
    assert less([(5, 9)], [(0, 3), (6, 7), (20, None)]) == [(5, 6), (7, 9)]

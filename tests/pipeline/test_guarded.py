"""What goes wrong before a plan is made does not get into the CRM: the guard stops it until a person approves it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.sandbox.hubspot.kinds import DEALS
from connectors.sandbox.salesforce.setup import use_rates
from flows.pipeline import apply, plan, pull, score
from flows.pipeline.gating import NeedsApproval, approve
from flows.results import PlanReceipt
from kammodel.entities import Account
from kammodel.entities.types import to_micros
from kammodel.errors import KamError
from kammodel.publish.fields import OURS
from kammodel.publish.rules import load_rules
from kammodel.scoring import ScoringConfig
from kammodel.store import Store, approving
from tests.contract import hubspot_world, salesforce_connected
from tests.pipeline.hubspot_script import ScriptedHubSpot
from tests.pipeline.salesforce_script import ScriptedSalesforce
from tests.pipeline.steps import DAY, HOUR, Desk

CRMS = ("salesforce", "hubspot")
_PAGES = {"salesforce": "/query", "hubspot": "/crm/v3/objects/"}
_RATES = frozenset({"CurrencyType", "DatedConversionRate"})
_TRIPPED = "the guard stopped it"


@dataclass
class Published:
    """A CRM, and the file of a store, in which everything was written once. `hash`: of the next day's plan."""

    crm: Any
    there: Any
    file: Path
    hash: str = ""


def config(desk: Desk[Any]) -> ScoringConfig:
    """Most deals are in euros, so that a report in dollars needs the rates."""
    return replace(desk._config(), reporting_currency="USD")


def planned(desk: Desk[Any]) -> PlanReceipt:
    score(desk.store, config(desk), desk.there.clock.now)
    return plan(desk.connector, desk.store, config(desk), desk.there.clock.now)


def replanned(desk: Desk[Any]) -> PlanReceipt:
    """A plan from the scores that are there."""
    return plan(desk.connector, desk.store, config(desk), desk.there.clock.now)


def written(desk: Desk[Any]) -> int:
    return apply(desk.connector, desk.store, None, desk.there.clock.now).written


def pull_all(desk: Desk[Any], *streams: str) -> None:
    desk.connector.only = streams
    pull(desk.connector, desk.store, desk.there.clock.now, full=True)
    desk.connector.only = ()


@pytest.fixture(scope="module", params=CRMS)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("published")
    with ExitStack() as stack:
        if request.param == "salesforce":
            crm: Any = ScriptedSalesforce(stack.enter_context(salesforce_connected.open_front()))
        else:
            crm = ScriptedHubSpot(stack.enter_context(hubspot_world.open_front()), folder / "state")
        there = crm.first()
        with Store(f"sqlite:///{folder / 'kam.db'}") as store:
            desk: Desk[Any] = Desk(crm, there, store)
            crm.show(there)
            desk.provision()
            desk.hang_up()
            desk.pull()
            assert planned(desk).cells_to_write == written(desk) > 100
            desk.hang_up()
        made = Published(crm, there, folder / "kam.db")
        with next_day(made, folder / "undisturbed") as desk:
            made.hash = planned(desk).hash
        yield made


@pytest.fixture
def desk(published: Published, tmp_path: Path) -> Iterator[Desk[Any]]:
    with next_day(published, tmp_path) as opened:
        yield opened


@contextmanager
def next_day(published: Published, folder: Path) -> Iterator[Desk[Any]]:
    """The same CRM and store, a day later, until the block ends."""
    folder.mkdir(exist_ok=True)
    shutil.copy(published.file, folder / "kam.db")
    there = published.crm.copied(published.there)
    published.crm.show(there)
    there.clock.advance(DAY)
    with Store(f"sqlite:///{folder / 'kam.db'}") as store:
        desk: Desk[Any] = Desk(published.crm, there, store)
        yield desk
        desk.hang_up()


def no_page_of(stream: str) -> Callable[[Desk[Any]], None]:
    """Each page of a stream is empty, and served as if that were all there is."""

    def happens(desk: Desk[Any]) -> None:
        desk.sign_in()
        desk.crm.faults.on_path(_PAGES[desk.crm.name], "empty_page", times=1_000)
        pull_all(desk, stream)
        assert any(call.fault == "empty_page" for call in desk.crm.faults.log)
        desk.crm.faults.clear()

    return happens


def amounts_are_hidden(desk: Desk[Any]) -> None:
    """The permission to see an input field is lost."""
    if desk.crm.name == "salesforce":
        desk.there.settings.hidden_fields = frozenset({"Opportunity.Amount"})
    else:
        desk.there.catalog.remove(DEALS, "amount")
    pull_all(desk, "opportunities")


def rates_are_gone(desk: Desk[Any]) -> None:
    """The CRM knows no currency but its own."""
    if desk.crm.name == "salesforce":
        use_rates(desk.there, {"EUR": (("2020-01-01", 1.0),)})
    else:
        desk.there.rates.clear()
    pull_all(desk, "exchange_rates", "opportunities")


def rates_are_hidden(desk: Desk[Any]) -> None:
    """The permission to see them is lost."""
    if desk.crm.name == "salesforce":
        desk.there.settings.hidden_objects = _RATES
    else:
        desk.there.settings.scopes -= {"settings.currencies.read"}
    pull_all(desk, "exchange_rates", "opportunities")


def rates_are_gone_and_so_is_the_store(desk: Desk[Any]) -> None:
    """Nobody knows them any more, nor what the last plan was made of."""
    with desk.store.transaction() as tx:
        for table in ("exchange_rate", "publish_plan", "planned_cell", "written_cell"):
            tx.run(f"DELETE FROM {table}", [{}])
    rates_are_gone(desk)


def rates_are_not_there_at_first(desk: Desk[Any]) -> None:
    """The first run into a CRM, whose accounts have no value of ours yet."""
    rates_are_gone_and_so_is_the_store(desk)
    with desk.store.transaction() as tx:
        tx.run("DELETE FROM score_snapshot", [{}])


def half_the_deals_are_gone(desk: Desk[Any]) -> None:
    """Deleted in the CRM."""
    if desk.crm.name == "salesforce":
        for record in [r for r in desk.there.records("Opportunity") if not r["IsDeleted"]][::2]:
            desk.there.delete("Opportunity", record["Id"])
    else:
        for deal in [r for r in desk.there.shelf(DEALS).records.values() if r.archived_at is None][::2]:
            desk.there.archive("deals", deal.id)
    pull_all(desk, "opportunities")


def held(desk: Desk[Any]) -> list[tuple[Any, ...]]:
    """Our fields of all accounts in the CRM."""
    known = desk.store.read(Account, ["source", "source_id"]).filter(source=desk.crm.name)["source_id"]
    return pl.concat(desk.connector.read_fields(OURS, known.to_list())).sort("source_id").rows()


NO_CHANGE = "no change"


@pytest.mark.parametrize(
    ("happens", "in_salesforce", "in_hubspot"),
    [
        # HubSpot is asked for each row by its id before that is taken for gone.
        (no_page_of("accounts"), "account: 0 rows where there were", NO_CHANGE),
        (no_page_of("opportunities"), "opportunity: 0 rows where there were", NO_CHANGE),
        (amounts_are_hidden, *["opportunity amount: without a value in 100% of the rows"] * 2),
        # What they were is kept, and goes on being used.
        (rates_are_gone, NO_CHANGE, NO_CHANGE),
        (rates_are_hidden, NO_CHANGE, NO_CHANGE),
        (rates_are_gone_and_so_is_the_store, *["filled cells would be cleared"] * 2),
        (rates_are_not_there_at_first, *["have no exchange rate"] * 2),
        (half_the_deals_are_gone, *["rows where there were"] * 2),
    ],
)
def test_the_guard_stops_it(
    desk: Desk[Any], published: Published, happens: Callable[[Desk[Any]], None], in_salesforce: str, in_hubspot: str
) -> None:
    """The plan is that of a usual day, or is not written until its own hash is approved."""
    words, before = in_salesforce if desk.crm.name == "salesforce" else in_hubspot, held(desk)
    happens(desk)
    made = planned(desk)
    if words == NO_CHANGE:
        assert (made.tripped, made.hash) == ((), published.hash)
        return
    assert any(words in told for told in made.tripped), made.tripped
    with pytest.raises(NeedsApproval, match=_TRIPPED):
        written(desk)
    assert held(desk) == before
    approve(desk.store, made.hash, "Ana Ruiz", desk.there.clock.now)
    assert written(desk) == made.cells_to_write


def test_only_the_hash_of_the_newest_plan_is_approved(desk: Desk[Any]) -> None:
    """Not that of a plan that was written, none that nobody has, and it says nothing of a plan that does otherwise."""
    with desk.store.transaction() as tx:
        (last,) = approving.recent_plans(tx, 1)
    half_the_deals_are_gone(desk)
    first, before = planned(desk), held(desk)
    with pytest.raises(KamError, match="a newer plan has taken the place"):
        approve(desk.store, last.hash, "Ana Ruiz", desk.there.clock.now)
    with pytest.raises(KamError, match="no plan has a hash"):
        approve(desk.store, "0123456789abcdef", "Ana Ruiz", desk.there.clock.now)
    with pytest.raises(NeedsApproval, match=_TRIPPED):
        written(desk)
    approve(desk.store, first.hash, "Ana Ruiz", desk.there.clock.now)
    desk.there.clock.advance(20 * HOUR)
    assert planned(desk).hash != first.hash
    with pytest.raises(NeedsApproval, match=_TRIPPED):
        written(desk)
    assert held(desk) == before


def test_an_approval_is_good_for_an_equal_plan_until_it_expires(desk: Desk[Any]) -> None:
    """Whoever runs again, and comes to the very same, is not asked again; once it expires they are."""
    half_the_deals_are_gone(desk)
    first = planned(desk)
    approve(desk.store, first.hash, "Ana Ruiz", desk.there.clock.now)
    again = replanned(desk)
    assert (again.hash, again.tripped, again.cells_to_write) == (first.hash, (), first.cells_to_write)
    with desk.store.transaction() as tx:
        tx.run("UPDATE publish_plan SET expires_at=:at", [{"at": to_micros(desk.there.clock.now() - HOUR)}])
    late = replanned(desk)
    assert (late.hash, late.tripped) == (first.hash, first.tripped)
    with pytest.raises(NeedsApproval, match=_TRIPPED):
        written(desk)


def test_a_plan_of_yesterday_is_refused(desk: Desk[Any]) -> None:
    """Approved or not: after 25 hours people have worked since."""
    half_the_deals_are_gone(desk)
    made, before = planned(desk), held(desk)
    approve(desk.store, made.hash, "Ana Ruiz", desk.there.clock.now)
    desk.there.clock.advance(25 * HOUR)
    with pytest.raises(KamError, match="too old to be written"):
        written(desk)
    with pytest.raises(KamError, match="too old to be written"):
        approve(desk.store, made.hash, "Ana Ruiz", desk.there.clock.now)
    assert held(desk) == before


def test_cells_that_wait_for_review_in_a_plan_of_yesterday_are_not_approved(desk: Desk[Any], tmp_path: Path) -> None:
    """Although all else of it was written in time: no name is put under what no apply would write."""
    rules, now = tmp_path / "publish.toml", desk.there.clock.now
    rules.write_text('[fields]\nscore = "review"\n', "utf-8")
    score(desk.store, config(desk), now)
    made = plan(desk.connector, desk.store, config(desk), now, rules=load_rules(rules))
    assert made.tripped == ()
    assert written(desk) == made.cells_to_write > 0
    desk.there.clock.advance(25 * HOUR)
    with pytest.raises(KamError, match="too old to be written"):
        approve(desk.store, made.hash, "Ana Ruiz", now)
    with desk.store.transaction() as tx:
        (kept,) = approving.recent_plans(tx, 1)
        assert approving.to_review(tx, made.plan_id) == made.cells_to_review > 0
    assert kept.approved_by is None


def test_what_is_approved_while_the_rest_is_written_grows_old_as_well(desk: Desk[Any], tmp_path: Path) -> None:
    """The next apply writes it; after a day it is not written any more, and the plan is not through."""
    rules, now = tmp_path / "publish.toml", desk.there.clock.now
    rules.write_text('[fields]\nscore = "review"\n', "utf-8")
    score(desk.store, config(desk), now)
    made = plan(desk.connector, desk.store, config(desk), now, rules=load_rules(rules))
    freed = []

    def approve_once(_step: str, _done: int, _total: int | None) -> None:
        if not freed:
            freed.append(approve(desk.store, made.hash, "Ana Ruiz", now).freed)

    assert apply(desk.connector, desk.store, made.plan_id, now, progress=approve_once).written == made.cells_to_write
    before = held(desk)
    assert freed == [made.cells_to_review]
    desk.there.clock.advance(25 * HOUR)
    with pytest.raises(KamError, match="too old to be written"):
        apply(desk.connector, desk.store, made.plan_id, now)
    assert held(desk) == before

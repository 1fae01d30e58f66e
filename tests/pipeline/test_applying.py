"""A stored plan is written portion by portion: what each cell ends in, what is told, and when the run stops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.errors import TryAgainLater
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import ValidationRule
from flows.pipeline import apply
from flows.pipeline.planning import plan_of
from flows.pipeline.undoing import keep_undo, undo_of
from flows.report.markdown import applied_page
from flows.results import ApplyReceipt, Overwritten
from kammodel.entities import PublishPlan
from kammodel.publish.fields import FIELDS
from kammodel.publish.plan import Terms
from kammodel.store import Store, plans
from tests.contract.meanwhile import meanwhile
from tests.contract.salesforce_connected import Front, connected, open_front, provisioned

ALPHA, IBERIA, BETA = (salesforce_id("001", n) for n in (1, 2, 4))
COMPOSITE = "/composite"
AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
Cell = tuple[str, str, str | None, str | None]


@dataclass
class Desk:
    """An org with our fields, in which three accounts hold the score 1, a store beside it, and who is signed in."""

    front: Front
    org: Org
    store: Store
    connector: SalesforceConnector

    def plan(self, *cells: Cell) -> None:
        """Stores a plan of cells: account, field, before, after."""
        of = self.connector.identify()
        made = PublishPlan(plan_id="p", source=of.source, source_instance=of.instance, planned_at=AT, as_of=AT.date())
        frame = pl.DataFrame(cells, schema=["source_id", "field", "before", "after"], orient="row")
        with self.store.transaction() as tx:
            plans.save_plan(tx, made, frame.with_columns(decision=pl.lit("write"), reason=pl.lit("empty")))
        self.front.faults.clear()

    def apply(self, sizes: Sizes | None = None) -> ApplyReceipt:
        if sizes is None:
            return apply(self.connector, self.store, None, lambda: AT)
        with connected(self.front, sizes=sizes) as connector:
            return apply(connector, self.store, None, lambda: AT)

    def cells(self) -> dict[tuple[str, str], tuple[str | None, str | None, str | None]]:
        """Outcome, kind and code of each cell."""
        with self.store.transaction() as tx:
            rows = plans.cells_of(tx, "p").select("source_id", "field", "outcome", "kind", "code").iter_rows()
            return {(i, f): (o, k, c) for i, f, o, k, c in rows}

    def ledger(self) -> set[tuple[Any, ...]]:
        of = self.connector.identify()
        with self.store.transaction() as tx:
            return set(plans.ledger(tx, of.source, of.instance).rows())

    def score(self, account: str) -> Any:
        return (self.org.record("Account", account) or {})["KAM_Score__c"]

    def asked(self, part: str) -> int:
        return sum(f"{call.method} {call.path}".endswith(part) for call in self.front.faults.log)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def desk(front: Front, tmp_path: Path) -> Iterator[Desk]:
    org = provisioned(front)
    for account in (ALPHA, IBERIA, BETA):
        org.update("Account", account, {"KAM_Score__c": 1})
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store, connected(front) as connector:
        yield Desk(front, org, store, connector)


def scores(*accounts: str) -> list[Cell]:
    return [(account, "score", "1", "2") for account in accounts]


def test_what_was_written_over_is_told_and_put_back(desk: Desk) -> None:
    """The cell is held, and nothing in it is taken for ours; the account is looked at by the next plan."""
    desk.plan(*scores(ALPHA, IBERIA), (ALPHA, "tier", None, "key"))
    meanwhile(desk.front, COMPOSITE, lambda: desk.org.update("Account", ALPHA, {"KAM_Score__c": 7.5}))
    receipt = desk.apply()
    assert (receipt.written, receipt.edited, receipt.overwritten, receipt.is_complete) == (2, 1, 1, True)
    assert receipt.overwrites == (Overwritten(ALPHA, ("score",), is_back=True),)
    assert desk.score(ALPHA) == 7.5
    assert desk.cells()[ALPHA, "score"] == ("held", None, "EDITED")
    assert desk.ledger() == {(ALPHA, "tier", "key"), (IBERIA, "score", "2")}
    of = desk.connector.identify()
    with desk.store.transaction() as tx:
        assert plans.to_compare(tx, of.source, of.instance).to_list() == [ALPHA]
    page = applied_page([receipt])
    assert f"{ALPHA} | score" in page
    assert "7.5" not in page


def gone_over_unheard(desk: Desk) -> None:
    """A batch goes over 7.5, its answer is lost, and so are the looks after it: the run ends without knowing."""

    def edited() -> None:
        desk.org.update("Account", ALPHA, {"KAM_Score__c": 7.5})
        desk.front.faults.on_path("/query", "503", times=60)

    desk.plan(*scores(ALPHA))
    meanwhile(desk.front, COMPOSITE, edited)
    desk.front.faults.on_path(COMPOSITE, "dropped_after")
    assert desk.apply().retry == 1
    desk.front.faults.clear()


def test_what_an_earlier_run_went_over_unheard_is_put_back(desk: Desk) -> None:
    gone_over_unheard(desk)
    receipt = desk.apply()
    assert (receipt.written, receipt.edited, receipt.overwritten, desk.score(ALPHA)) == (0, 1, 1, 7.5)
    assert desk.ledger() == set()


def test_where_a_new_plan_comes_first_it_tells_of_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    gone_over_unheard(desk)
    terms = Terms(FIELDS, AT.date(), {})
    nothing = {f: pl.lit(None, pl.String) for f in terms.wanted_keys if f != "score"}
    wanted = pl.DataFrame({"source_id": [ALPHA], "score": ["2"]}).with_columns(**nothing)
    plan_of(desk.connector, desk.store, wanted, terms, lambda: AT)
    assert f"went over what people had entered in 1 accounts, as their history shows: {ALPHA}" in caplog.text


def test_what_an_undo_gives_back_to_a_person_is_not_ours(desk: Desk) -> None:
    """Our rule had gone over their value: whatever rule comes next, it is theirs again."""
    of = desk.connector.identify()
    made = PublishPlan(plan_id="p", source=of.source, source_instance=of.instance, planned_at=AT, as_of=AT.date())
    cell = {"source_id": ALPHA, "field": "score", "before": "1", "after": "2", "decision": "write", "reason": "rule"}
    with desk.store.transaction() as tx:
        plans.save_plan(tx, made, pl.DataFrame([cell]))
    desk.apply()
    assert desk.ledger() == {(ALPHA, "score", "2")}
    with desk.store.transaction() as tx:
        newest = plans.latest_plan(tx, of.source, of.instance)
        assert newest is not None
        done = PublishPlan(**newest.model_dump())
    undo = undo_of(desk.connector, desk.store, done, lambda: AT)
    keep_undo(desk.connector, desk.store, undo, lambda: AT)
    desk.apply()
    assert (desk.score(ALPHA), desk.ledger()) == (1, set())


def test_what_was_written_by_a_plan_that_was_overtaken_counts_as_written(desk: Desk) -> None:
    """So that an undo of it takes it back."""
    desk.plan(*scores(ALPHA))
    of = desk.connector.identify()

    def another_plan() -> None:
        with desk.store.transaction() as tx:
            plans.supersede_pending(tx, of.source, of.instance, "q")

    meanwhile(desk.front, COMPOSITE, another_plan)
    assert desk.apply().written == 1
    assert desk.cells()[ALPHA, "score"] == ("written", None, None)


def test_a_value_is_put_back_though_our_calls_are_spent(desk: Desk) -> None:
    """Then the run stops; what is left to others is drawn upon for that alone."""
    ids = many(desk, 200)
    desk.plan(*scores(*sorted(ids), ALPHA))

    def edited_and_spent() -> None:
        desk.org.update("Account", ALPHA, {"KAM_Score__c": 7.5})
        desk.org.settings.calls_of_others = 90_000

    meanwhile(desk.front, COMPOSITE, edited_and_spent)
    receipt = desk.apply()
    assert (receipt.written, receipt.edited, receipt.pending) == (199, 1, 1)
    assert receipt.overwrites == (Overwritten(ALPHA, ("score",), is_back=True),)
    assert (desk.score(ALPHA), receipt.stopped is None) == (7.5, False)


def test_a_value_that_is_lost_is_told_before_the_run_stops(desk: Desk) -> None:
    """Salesforce itself takes no more calls: its cell is ours, and the receipt says whose value that cost."""
    desk.plan(*scores(ALPHA))
    meanwhile(desk.front, COMPOSITE, lambda: desk.org.update("Account", ALPHA, {"KAM_Score__c": 7.5}))

    def spent() -> None:
        desk.org.settings.calls_of_others = 100_000

    meanwhile(desk.front, "/query", lambda: None, spent)
    receipt = desk.apply()
    assert (receipt.written, receipt.pending, receipt.overwritten) == (1, 0, 1)
    assert receipt.overwrites == (Overwritten(ALPHA, ("score",), is_back=False),)
    assert receipt.stopped is not None
    assert "could not be put back" in applied_page([receipt])


def test_each_cell_ends_in_an_outcome_of_its_own(desk: Desk) -> None:
    """One stands there already and one is refused, of the same account; one is gone, one edited."""
    desk.org.update("Account", ALPHA, {"KAM_Tier__c": "key"})
    desk.org.update("Account", BETA, {"KAM_Score__c": 9})
    desk.org.settings.validation_rules.append(ValidationRule("Account", lambda row: row["Id"] == ALPHA))
    desk.org.delete("Account", IBERIA)
    desk.plan(*scores(ALPHA, IBERIA, BETA), (ALPHA, "tier", None, "key"))
    receipt = desk.apply()
    assert desk.cells() == {
        (ALPHA, "score"): ("rejected", "validation", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        (ALPHA, "tier"): ("written", None, None),
        (IBERIA, "score"): ("rejected", "gone", "NOT_FOUND"),
        (BETA, "score"): ("held", None, "EDITED"),
    }
    assert (receipt.written, receipt.rejected, receipt.gone, receipt.edited, receipt.retry) == (1, 1, 1, 1, 0)
    assert receipt.faults == {"FIELD_CUSTOM_VALIDATION_EXCEPTION": 1}


def many(desk: Desk, accounts: int) -> list[str]:
    """New accounts that hold the score 1."""
    return desk.org.bulk_insert("Account", [{"Name": f"A{n}", "KAM_Score__c": 1} for n in range(accounts)])


def test_a_batch_is_looked_at_and_written_before_the_next_one(desk: Desk) -> None:
    """What is entered in an account of the third while the first is written is seen before it is written."""
    ids = sorted(many(desk, 401))
    desk.plan(*scores(*ids))
    met = meanwhile(desk.front, COMPOSITE, lambda: desk.org.update("Account", ids[-1], {"KAM_Score__c": 7}))
    receipt = desk.apply()
    assert (receipt.written, receipt.edited, receipt.overwritten) == (400, 1, 0)
    # Of the third one nothing is left to be sent.
    assert (len(met), desk.asked("/query"), desk.score(ids[-1])) == (2, 3, 7)


def test_a_portion_that_fails_for_now_waits_for_the_next_run(desk: Desk) -> None:
    """The others are written; what that costs was known before."""
    ids = many(desk, 601)
    desk.plan(*scores(*ids))
    desk.front.faults.on_path(COMPOSITE, "429", times=6)
    receipt = desk.apply()
    assert (receipt.retry, receipt.written, receipt.is_complete) == (200, 401, False)
    again = desk.apply()
    assert (again.written, set(desk.cells().values())) == (200, {("written", None, None)})
    assert again.calls == desk.connector.write_calls(200)


def test_three_portions_that_fail_for_now_stop_the_run(desk: Desk) -> None:
    """Then it is no matter of the accounts; what was not sent stays to be written."""
    ids = many(desk, 601)
    desk.plan(*scores(*ids))
    desk.front.faults.on_path(COMPOSITE, "429", times=99)
    with pytest.raises(TryAgainLater, match="REQUEST_LIMIT_EXCEEDED"):
        desk.apply()
    assert desk.asked(COMPOSITE) == 18
    desk.front.faults.clear()
    assert desk.apply().written == 601


def test_locked_accounts_do_not_stop_the_run(desk: Desk) -> None:
    """They are a matter of these accounts, however many portions they make."""
    ids = many(desk, 401)
    desk.org.settings.locked_rows = dict.fromkeys(ids, 99)
    desk.plan(*scores(*ids))
    receipt = desk.apply()
    assert (receipt.retry, receipt.faults) == (401, {"UNABLE_TO_LOCK_ROW": 401})


def test_a_job_that_stops_half_way_is_finished(desk: Desk) -> None:
    """What it did is seen in the org; only the rest is sent."""
    desk.plan(*scores(ALPHA, IBERIA, BETA))
    desk.org.settings.bulk.ingest_failures.append((1, "Timeout: too slow"))
    receipt = desk.apply(Sizes(ingest_from=2, ingest_rows=100))
    assert (receipt.written, receipt.is_complete) == (3, True)
    assert (desk.asked("POST /services/data/v66.0/jobs/ingest"), desk.asked(COMPOSITE)) == (1, 1)


def test_where_jobs_are_closed_accounts_are_written_in_batches(desk: Desk) -> None:
    """From then on in portions of a batch."""
    ids = sorted(many(desk, 450))
    desk.org.settings.bulk.daily_batches = 0
    desk.plan(*scores(*ids))
    receipt = desk.apply(Sizes(ingest_from=100, ingest_rows=210))
    assert (receipt.written, receipt.is_complete) == (450, True)
    assert desk.asked("POST /services/data/v66.0/jobs/ingest") == 1

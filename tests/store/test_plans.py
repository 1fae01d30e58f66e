"""Plans and the ledger: what is pending, how cells end, and what counts as written by us."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.entities import PublishPlan
from kammodel.store import Store
from kammodel.store.plans import (
    add_to_compare,
    adopt,
    cells_of,
    compared,
    finish_plan,
    latest_plan,
    ledger,
    pending_accounts,
    record_cells,
    save_plan,
    supersede_pending,
    to_compare,
    written_since,
)

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
OF = ("hubspot", "portal")


def plan(plan_id: str, hours: int = 0, source: str = "hubspot") -> PublishPlan:
    at, day = AT + hours * HOUR, dt.date(2026, 6, 30)
    return PublishPlan(plan_id=plan_id, source=source, source_instance="portal", planned_at=at, as_of=day)


def save(store: Store, made: PublishPlan, *cells: tuple[str, str, str | None, str | None, str]) -> None:
    names = ["source_id", "field", "before", "after", "decision"]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")
    with store.transaction() as tx:
        save_plan(tx, made, frame.with_columns(reason=pl.lit("empty")))


def end(store: Store, plan_id: str, *outcomes: tuple[str, str], at: dt.datetime = AT) -> None:
    """Ends all cells of these accounts."""
    schema = dict.fromkeys(["source_id", "outcome", "kind", "code", "message"], pl.String)
    told = pl.DataFrame([(i, o, None, o.upper(), None) for i, o in outcomes], schema=schema, orient="row")
    with store.transaction() as tx:
        cells = cells_of(tx, plan_id).select("source_id", "field").join(told, on="source_id")
        record_cells(tx, plan(plan_id), cells, at)


def ours(store: Store) -> set[tuple[Any, ...]]:
    with store.transaction() as tx:
        return set(ledger(tx, *OF).rows())


def outcomes(store: Store, plan_id: str) -> dict[tuple[str, str], str | None]:
    with store.transaction() as tx:
        return {(i, f): o for i, f, o in cells_of(tx, plan_id).select("source_id", "field", "outcome").iter_rows()}


def test_a_plan_is_kept_cell_by_cell(store: Store) -> None:
    """Sorted by account and field; only what is to be written is pending."""
    save(store, plan("p"), ("2", "tier", None, "key", "write"), ("1", "tier", "x", "key", "held"))
    with store.transaction() as tx:
        assert cells_of(tx, "p").select("source_id", "before", "after", "decision").rows() == [
            ("1", "x", "key", "held"),
            ("2", None, "key", "write"),
        ]
        assert cells_of(tx, "p", pending_only=True)["source_id"].to_list() == ["2"]
        assert pending_accounts(tx, *OF).to_list() == ["2"]
        assert cells_of(tx, "nosuch").is_empty()


def test_the_latest_plan_of_a_crm(store: Store) -> None:
    """By its number, whatever the clock said; another CRM's plans do not count."""
    for made in (plan("first", 5), plan("second", 1), plan("theirs", 9, source="salesforce")):
        save(store, made)
    with store.transaction() as tx:
        found = latest_plan(tx, *OF)
        assert found is not None
        assert found.plan_id == "second"
        assert latest_plan(tx, "hubspot", "other") is None


def test_each_outcome_ends_its_cells(store: Store) -> None:
    """All pending cells of the account, and only those: held ones ended at once, `retry` leaves them waiting."""
    cells = [(i, f, None, "x", "write") for i in ("1", "2", "3", "4") for f in ("rfm", "tier")]
    save(store, plan("p"), *cells, ("1", "reason", "p", "x", "held"))
    save(store, plan("other", 1), ("1", "tier", None, "y", "write"))
    end(store, "p", ("1", "written"), ("2", "rejected"), ("3", "gone"), ("4", "retry"))
    assert outcomes(store, "p") == {
        ("1", "reason"): "held",
        ("1", "rfm"): "written",
        ("1", "tier"): "written",
        ("2", "rfm"): "rejected",
        ("2", "tier"): "rejected",
        ("3", "rfm"): "rejected",
        ("3", "tier"): "rejected",
        ("4", "rfm"): "waiting",
        ("4", "tier"): "waiting",
    }
    assert outcomes(store, "other") == {("1", "tier"): None}


def test_an_outcome_is_final(store: Store) -> None:
    """What has ended is not ended again by a late answer."""
    save(store, plan("p"), ("1", "tier", None, "key", "write"))
    end(store, "p", ("1", "rejected"))
    end(store, "p", ("1", "written"))
    assert outcomes(store, "p") == {("1", "tier"): "rejected"}
    assert ours(store) == set()


def test_pending_values_may_be_ours_and_written_ones_are(store: Store) -> None:
    """Both are in the ledger while the outcome is unknown; then only what was written, cleared fields too."""
    with store.transaction() as tx:
        old = pl.DataFrame({"source_id": ["1"], "field": ["tier"], "value": ["growth"]})
        adopt(tx, old, source="hubspot", instance="portal", plan_id="old", at=AT)
    save(store, plan("p"), ("1", "tier", "growth", "key", "write"), ("1", "rfm", "545", None, "write"))
    assert ours(store) == {("1", "tier", "growth"), ("1", "tier", "key"), ("1", "rfm", None)}
    end(store, "p", ("1", "written"))
    assert ours(store) == {("1", "tier", "key"), ("1", "rfm", None)}


def test_a_rejected_write_leaves_the_ledger_as_it_was(store: Store) -> None:
    """We wrote nothing, so nothing new is ours; nor are held values."""
    save(store, plan("p"), ("1", "tier", None, "key", "write"), ("1", "rfm", "111", "545", "held"))
    end(store, "p", ("1", "rejected"))
    assert ours(store) == set()


def test_our_own_echo_is_known_by_its_time(store: Store) -> None:
    """Every write counts, also that of a value which we had written before; adopting a value does not."""
    for hours, plan_id in ((0, "a"), (5, "b")):
        save(store, plan(plan_id, hours), ("1", "tier", None, "key", "write"))
        end(store, plan_id, ("1", "written"), at=AT + hours * HOUR)
    one = pl.Series(["1"])
    with store.transaction() as tx:
        assert written_since(tx, pl.Series(["1", "2"]), *OF, at=AT + 5 * HOUR).to_list() == ["1"]
        assert written_since(tx, pl.Series(["2"]), *OF, at=AT).is_empty()
        same = pl.DataFrame({"source_id": ["1"], "field": ["tier"], "value": ["key"]})
        adopt(tx, same, source="hubspot", instance="portal", plan_id="c", at=AT + 9 * HOUR)
        adopt(tx, same.clear(), source="hubspot", instance="portal", plan_id="c", at=AT + 9 * HOUR)
        assert written_since(tx, one, *OF, at=AT + 6 * HOUR).is_empty()
        assert written_since(tx, one, "hubspot", "other", at=AT).is_empty()


def test_what_was_given_back_is_ours_once_its_owner_wants_what_we_do(store: Store) -> None:
    """And is no write of ours of that hour."""
    save(store, plan("p"), ("1", "tier", "key", "growth", "write"))
    end(store, "p", ("1", "written"))
    with store.transaction() as tx:
        tx.run("UPDATE written_cell SET is_returned=TRUE", [{}])
    assert ours(store) == set()
    with store.transaction() as tx:
        same = pl.DataFrame({"source_id": ["1"], "field": ["tier"], "value": ["growth"]})
        adopt(tx, same, source="hubspot", instance="portal", plan_id="q", at=AT + 9 * HOUR)
        assert written_since(tx, pl.Series(["1"]), *OF, at=AT + 6 * HOUR).is_empty()
    assert ours(store) == {("1", "tier", "growth")}


def test_a_newer_plan_closes_what_an_older_one_left(store: Store) -> None:
    """Pending cells of the same CRM end as superseded, ended and held ones and other CRMs' stay."""
    save(store, plan("old"), ("1", "tier", None, "key", "write"), ("2", "tier", None, "key", "write"))
    save(store, plan("sf", source="salesforce"), ("1", "tier", None, "key", "write"))
    end(store, "old", ("2", "written"))
    save(store, plan("new", 1), ("1", "tier", None, "growth", "write"))
    with store.transaction() as tx:
        assert supersede_pending(tx, *OF, plan_id="new") == 1
    assert outcomes(store, "old") == {("1", "tier"): "superseded", ("2", "tier"): "written"}
    assert outcomes(store, "new") == {("1", "tier"): None}
    assert outcomes(store, "sf") == {("1", "tier"): None}


def test_outcomes_and_ledger_stand_or_fall_together(store: Store) -> None:
    """A kill while outcomes are recorded leaves the cells pending and the ledger without them."""
    save(store, plan("p"), ("1", "tier", None, "key", "write"))
    names = ("source_id", "field", "outcome", "kind", "code", "message")
    done = pl.DataFrame(
        [("1", "tier", "written", None, None, None)], schema=dict.fromkeys(names, pl.String), orient="row"
    )

    def killed() -> None:
        with store.transaction() as tx:
            record_cells(tx, plan("p"), done, AT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert outcomes(store, "p") == {("1", "tier"): None}
    with store.transaction() as tx:
        assert written_since(tx, pl.Series(["1"]), *OF, at=AT).is_empty()


def test_a_plan_is_stamped_as_applied(store: Store) -> None:
    """To the microsecond, and readable after the transaction."""
    save(store, plan("p"))
    with store.transaction() as tx:
        finish_plan(tx, "p", AT + HOUR)
    with store.transaction() as tx:
        found = latest_plan(tx, *OF)
    assert found is not None
    assert found.applied_at == AT + HOUR


def test_accounts_to_look_at(store: Store) -> None:
    """Each stands on the list once, by CRM, until it has been compared."""
    with store.transaction() as tx:
        add_to_compare(tx, pl.Series(["1", "2", "1"]), *OF)
        add_to_compare(tx, pl.Series(["2"]), *OF)
        add_to_compare(tx, pl.Series(["9"]), "salesforce", "org")
    with store.transaction() as tx:
        assert sorted(to_compare(tx, *OF)) == ["1", "2"]
        compared(tx, pl.Series(["1", "9"]), *OF)
        assert to_compare(tx, *OF).to_list() == ["2"]
        assert to_compare(tx, "salesforce", "org").to_list() == ["9"]

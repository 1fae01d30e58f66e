"""Versions of rows: what is remembered of a change, what costs nothing, and the store as it was known once."""

import datetime as dt
import string
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kammodel.entities import ENTITIES, KEY, Account, Opportunity, Sourced, User, polars_schema
from kammodel.store import Store
from kammodel.store.versions import VERSION, as_known, scored_columns, versions_after
from tests.seed import SEED

Row = dict[str, Any]
STORES_OWN = {"source", "source_instance", "synced_at", "content_changed_at"}
OF = {"source": "hubspot", "instance": "portal"}


def at(day: int, hour: int = 0) -> dt.datetime:
    """An instant of January 2026."""
    return dt.datetime(2026, 1, day, hour, tzinfo=dt.UTC)


def frame(entity: type[Sourced], *rows: Row) -> pl.DataFrame:
    schema = {n: t for n, t in polars_schema(entity).items() if n not in STORES_OWN}
    return pl.DataFrame([dict.fromkeys(schema) | {"deleted": False} | row for row in rows], schema=schema, orient="row")


def put(
    store: Store,
    entity: type[Sourced],
    *rows: Row,
    on: dt.datetime,
    corrects: bool = False,
    instance: str = "portal",
) -> None:
    with store.transaction() as tx:
        tx.upsert(entity, frame(entity, *rows), source="hubspot", instance=instance, at=on, corrects=corrects)


def end(store: Store, entity: type[Sourced], source_id: str, on: dt.datetime, into: str | None = None) -> None:
    with store.transaction() as tx:
        gone = pl.DataFrame({"source_id": [source_id], "merged_into_id": [into]})
        tx.mark_gone(entity, gone, **OF, at=on)


def versions(store: Store) -> pl.DataFrame:
    with store.transaction() as tx:
        return versions_after(tx)


def known(store: Store, entity: type[Sourced], on: dt.datetime) -> pl.DataFrame:
    with store.transaction() as tx:
        later = versions_after(tx, on)
    return as_known(entity, store.read(entity), later, on)


def account(amount: int, stamp: dt.datetime | None, **given: Any) -> Row:
    return {"source_id": "1", "annual_revenue": amount, "updated_at": stamp, "created_at": at(1), **given}


def test_a_first_load_writes_no_version(store: Store) -> None:
    """Nor does a row that comes again, or a new stamp on the same content."""
    put(store, Account, account(1, at(1)), on=at(2))
    put(store, Account, account(1, at(3)), on=at(4))
    assert versions(store).is_empty()


def test_a_change_leaves_what_was(store: Store) -> None:
    """Valid by the CRM's stamps, recorded by our time, in the order of changes."""
    put(store, Account, account(1, at(1)), on=at(2))
    put(store, Account, account(2, at(3)), on=at(4))
    put(store, Account, account(3, at(5)), on=at(6))
    kept = versions(store)
    assert kept.select("entity", *KEY).unique().rows() == [("account", "hubspot", "portal", "1")]
    assert kept.select("valid_from", "valid_until").rows() == [(at(1), at(3)), (at(3), at(5))]
    assert kept["content"].str.json_path_match("$.annual_revenue").to_list() == ["1", "2"]
    amounts = {day: known(store, Account, at(day))["annual_revenue"].item() for day in (1, 2, 3, 4, 5, 9)}
    assert amounts == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 9: 3}


def test_a_version_and_its_row_stand_or_fall_together(store: Store) -> None:
    """A kill between them leaves neither."""
    put(store, Account, account(1, at(1)), on=at(2))

    def killed() -> None:
        with store.transaction() as tx:
            tx.upsert(Account, frame(Account, account(2, at(3))), **OF, at=at(4))
            raise SystemExit

    with pytest.raises(SystemExit):
        killed()
    assert versions(store).is_empty()
    assert store.read(Account)["annual_revenue"].to_list() == [1]


def test_a_change_without_a_stamp_counts_from_when_we_saw_it(store: Store) -> None:
    """A link moves no stamp; a row may have none at all."""
    put(store, Account, account(1, at(1)), {"source_id": "2"}, on=at(2))
    put(store, Account, account(1, at(1), parent_id="9"), {"source_id": "2", "name": "x"}, on=at(7))
    assert versions(store)["valid_until"].to_list() == [at(7), at(7)]
    assert known(store, Account, at(6))["parent_id"].to_list() == [None, None]
    assert known(store, Account, at(7))["parent_id"].to_list() == ["9", None]


def test_another_mapping_is_no_change(store: Store) -> None:
    """What is read otherwise was always so, unless the CRM moved the stamp besides."""
    put(store, Account, account(1, at(1)), account(1, at(1), source_id="2"), on=at(2))
    put(store, Account, account(5, at(1)), account(5, at(3), source_id="2"), on=at(4), corrects=True)
    assert versions(store)["source_id"].to_list() == ["2"]
    assert known(store, Account, at(2))["annual_revenue"].to_list() == [5, 1]


def test_deletion_undeletion_and_merge_are_versions(store: Store) -> None:
    """From when we saw them go, which is all there is, to the stamp with which they came back."""
    put(store, Account, account(1, at(1)), on=at(2))
    end(store, Account, "1", at(4), into="7")
    end(store, Account, "1", at(5), into="7")
    put(store, Account, account(1, at(6)), on=at(7))
    assert versions(store).height == 2
    lives = [known(store, Account, at(day)).select("deleted", "merged_into_id").row(0) for day in (3, 4, 6)]
    assert lives == [(False, None), (True, "7"), (False, None)]


def test_a_row_that_goes_a_second_time_or_was_never_known(store: Store) -> None:
    """Nothing changes, so nothing is remembered; other entities have no survivors."""
    end(store, Account, "1", at(2), into="7")
    put(store, User, {"source_id": "u", "is_active": True}, on=at(2))
    end(store, User, "u", at(3))
    end(store, User, "u", at(4))
    assert versions(store)["entity"].to_list() == ["crm_user"]


def test_what_was_created_later_was_not_there(store: Store) -> None:
    """Whatever it says of itself; a row without a time of creation was."""
    put(store, Account, account(1, at(1)), account(1, at(9), created_at=at(9), source_id="2"), on=at(10))
    put(store, Account, account(1, None, created_at=None, source_id="3"), on=at(10))
    assert known(store, Account, at(8))["source_id"].to_list() == ["1", "3"]


def test_a_row_seen_too_late_is_reconstructed(store: Store) -> None:
    """Its earliest known version stands in, also when it is edited again; from its stamp on it is known."""
    put(store, Account, account(5, at(5)), on=at(6))
    before = known(store, Account, at(3))
    put(store, Account, account(8, at(8)), on=at(9))
    after = known(store, Account, at(3))
    assert before["is_reconstructed"].to_list() == after["is_reconstructed"].to_list() == [True]
    assert_frame_equal(before.drop("synced_at"), after.drop("synced_at"))
    assert known(store, Account, at(5)).select("annual_revenue", "is_reconstructed").row(0) == (5, False)


def test_a_column_that_came_later_keeps_its_value(store: Store) -> None:
    """A version that an older program wrote knows nothing of it; a null that it wrote is one."""
    put(store, Account, account(1, at(1), country=None, industry="Steel"), on=at(2))
    put(store, Account, account(2, at(3), country="ES", industry="Iron"), on=at(4))
    with store.transaction() as tx:
        tx.run("UPDATE entity_version SET content=:c", [{"c": '{"annual_revenue":1,"country":null}'}])
    row = known(store, Account, at(2)).row(0, named=True)
    assert (row["annual_revenue"], row["country"], row["industry"]) == (1, None, "Iron")


def test_names_are_no_part_of_a_score(store: Store) -> None:
    """Those of accounts are: they say which of them are the same in two CRMs."""
    assert "name" in scored_columns(Account)
    assert not {"name", "loss_reason"} & set(scored_columns(Opportunity))
    put(store, Opportunity, {"source_id": "d", "name": "a", "amount": 1, "updated_at": at(1)}, on=at(2))
    put(store, Opportunity, {"source_id": "d", "name": "b", "amount": 1, "updated_at": at(3)}, on=at(4))
    assert '"name"' not in versions(store)["content"].item()
    assert known(store, Opportunity, at(2)).select("updated_at", "is_reconstructed").row(0) == (at(1), False)


def test_every_kind_of_row_is_restored_to_the_bit(store: Store) -> None:
    """Floats, money, days, instants and hostile texts come back as they were."""
    kinds = {
        pl.String(): '"\\x":\u202e\n',
        pl.Float64(): 0.1 + 0.2,
        pl.Int64(): 2**63 - 1,
        pl.Date(): dt.date(2024, 2, 29),
        pl.Boolean(): True,
    }
    for entity in ENTITIES:
        full = {n: kinds.get(t, at(1)) for n, t in polars_schema(entity).items() if n not in STORES_OWN}
        full |= {"source_id": "1", "created_at": at(1), "updated_at": at(1), "deleted": False}
        must = {n: v for n, v in full.items() if n in {"source_id", "created_at", "is_calendar", "is_counted"}}
        put(store, entity, full, on=at(2))
        before = store.read(entity)
        put(store, entity, {**must, "updated_at": at(3), "deleted": True}, on=at(4))
        scored = [*KEY, *scored_columns(entity), "updated_at", "content_changed_at"]
        assert_frame_equal(known(store, entity, at(2)).select(scored), before.select(scored))


texts = st.text(string.ascii_letters + '":\\ñ\n', max_size=4)


@pytest.fixture(scope="module")
def lasting() -> Iterator[Store]:
    """One store for all examples: each works in a portal of its own."""
    with Store("sqlite://") as opened:
        yield opened


def accounts(store: Store, instance: str) -> pl.DataFrame:
    return store.read(Account).filter(pl.col("source_instance") == instance)


edits = st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 5), texts, st.booleans()), min_size=1, max_size=12)


@seed(SEED)
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits)
def test_as_known_is_what_was_read_then(lasting: Store, edits: list[tuple[int, int, str, bool]]) -> None:
    """After any history, the store as of each instant is what it held at that instant: nothing later shows."""
    ours, held = f"portal {uuid4()}", []
    for place, (source_id, amount, text, deleted) in enumerate(edits):
        now = at(1) + place * dt.timedelta(hours=1)
        row = {"source_id": str(source_id), "annual_revenue": amount, "domain": text, "deleted": deleted}
        put(lasting, Account, {**row, "created_at": at(1), "updated_at": now}, on=now, instance=ours)
        held.append((now, accounts(lasting, ours).drop("synced_at")))
    kept, rows = versions(lasting).filter(pl.col("source_instance") == ours), accounts(lasting, ours)
    for now, then in held:
        # Rows that were first seen later are there, and said to be reconstructed.
        seen = as_known(Account, rows, kept, now).filter(~pl.col("is_reconstructed"))
        assert_frame_equal(seen.drop("is_reconstructed", "synced_at"), then)


def test_versions_have_a_schema_when_there_are_none(store: Store) -> None:
    """Empty frames are joined like others."""
    assert versions(store).schema == VERSION
    assert known(store, Account, at(1)).is_empty()

"""Rows in and out: what an upsert touches, what it leaves alone, and that every value survives."""

import datetime as dt
import json
import math
import threading
from typing import Any

import polars as pl
import pytest

from kammodel.entities import ENTITIES, Account, Activity, Opportunity, Sourced, User, polars_schema
from kammodel.store import Store, UpsertCount

FIRST = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 1, 2, 12, 0, 0, 1, tzinfo=dt.UTC)
STORES_OWN = {"source", "source_instance", "synced_at", "content_changed_at"}
Row = dict[str, Any]


def frame(entity: type[Sourced], *rows: Row) -> pl.DataFrame:
    """Rows as the mapping gives them; what a row does not say is null, `deleted` False."""
    schema = {n: t for n, t in polars_schema(entity).items() if n not in STORES_OWN}
    given = {"deleted": False} | ({"is_counted": True, "is_calendar": False} if "is_counted" in schema else {})
    return pl.DataFrame([dict.fromkeys(schema) | given | row for row in rows], schema=schema, orient="row")


def put(
    store: Store, entity: type[Sourced], *rows: Row, at: dt.datetime = FIRST, instance: str = "portal"
) -> UpsertCount:
    with store.transaction() as tx:
        return tx.upsert(entity, frame(entity, *rows), source="hubspot", instance=instance, at=at)


def only(store: Store, entity: type[Sourced], source_id: str) -> Row:
    return store.read(entity).filter(pl.col("source_id") == source_id).row(0, named=True)


def test_new_changed_and_unchanged_rows(store: Store) -> None:
    """Each row counts once, and only what changed gets new stamps."""
    first = put(store, Account, {"source_id": "1", "name": "A"}, {"source_id": "2", "name": "B"})
    assert (first.inserted, first.changed, first.unchanged) == (2, 0, 0)
    second = put(
        store,
        Account,
        {"source_id": "1", "name": "A", "updated_at": LATER},
        {"source_id": "2", "name": "B2"},
        {"source_id": "3", "name": "C"},
        at=LATER,
    )
    assert (second.inserted, second.changed, second.unchanged) == (1, 1, 1)
    assert second.unchanged_rows.rows() == [("1", LATER, None)]
    rows = store.read(Account)
    assert rows["name"].to_list() == ["A", "B2", "C"]
    assert rows["synced_at"].to_list() == rows["content_changed_at"].to_list() == [FIRST, LATER, LATER]
    assert rows["source"].unique().to_list() == ["hubspot"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"name": "A"}, {"name": None}),
        ({"name": None}, {"name": "A"}),
        ({"name": "A"}, {"name": "a"}),
        ({"name": "A"}, {"name": "A "}),
        ({"name": None}, {"name": ""}),
        ({"annual_revenue": 1}, {"annual_revenue": 2}),
        ({"annual_revenue": 0}, {"annual_revenue": None}),
        ({"strategic_value": 1.0}, {"strategic_value": 1.0000000001}),
        ({"tier_override_until": dt.date(2026, 1, 1)}, {"tier_override_until": dt.date(2026, 1, 2)}),
        ({"created_at": FIRST}, {"created_at": FIRST + dt.timedelta(microseconds=1)}),
        ({"deleted": False}, {"deleted": True}),
        ({"merged_into_id": None}, {"merged_into_id": "9"}),
    ],
)
def test_the_smallest_change_is_news(store: Store, before: Row, after: Row) -> None:
    """Null against value, case, one microsecond, one ten-thousandth: all move `content_changed_at`."""
    put(store, Account, {"source_id": "1", **before})
    assert put(store, Account, {"source_id": "1", **before}, at=LATER).unchanged == 1
    assert only(store, Account, "1")["content_changed_at"] == FIRST
    assert put(store, Account, {"source_id": "1", **after}, at=LATER).changed == 1
    row = only(store, Account, "1")
    assert row["content_changed_at"] == LATER
    assert {name: row[name] for name in after} == after


def test_a_new_change_stamp_alone_is_no_news(store: Store) -> None:
    """The CRM re-stamps rows for reasons of its own: nothing is written, not even the stamp."""
    put(store, Account, {"source_id": "1", "name": "A", "updated_at": FIRST})
    assert put(store, Account, {"source_id": "1", "name": "A", "updated_at": LATER}, at=LATER).unchanged == 1
    assert only(store, Account, "1")["updated_at"] == FIRST


def test_keys_are_source_instance_and_id(store: Store) -> None:
    """Equal ids in two portals, or of two entities, are different rows."""
    put(store, Account, {"source_id": "1", "name": "A"})
    assert put(store, Account, {"source_id": "1", "name": "B"}, instance="other").inserted == 1
    assert put(store, User, {"source_id": "1", "name": "U"}).inserted == 1
    assert store.read(Account).select("source_instance", "name").rows() == [("other", "B"), ("portal", "A")]


def test_of_two_rows_with_one_id_the_last_counts(store: Store) -> None:
    """Pages put together may hold a record twice; it is one row, counted once."""
    count = put(
        store, Account, {"source_id": "1", "name": "old"}, {"source_id": "2"}, {"source_id": "1", "name": "new"}
    )
    assert (count.inserted, count.changed, count.unchanged) == (2, 0, 0)
    assert only(store, Account, "1")["name"] == "new"


def test_no_rows_are_no_work(store: Store) -> None:
    """An empty page is saved like any other."""
    count = put(store, Account)
    assert (count.inserted, count.changed, count.unchanged) == (0, 0, 0)
    stamp = pl.Datetime("us", "UTC")
    assert count.unchanged_rows.schema == {"source_id": pl.String, "updated_at": stamp, "known_at": stamp}


def test_an_empty_table_reads_as_its_schema(store: Store) -> None:
    """Types come from the table, never from rows."""
    assert {e.__name__: store.read(e).schema for e in ENTITIES} == {e.__name__: polars_schema(e) for e in ENTITIES}


def test_zero_bytes_are_left_out(store: Store) -> None:
    """PostgreSQL has none in a text; so that both databases hold the same, neither has."""
    put(store, Account, {"source_id": "a", "name": "a\x00b"})
    assert store.read(Account, ["name"]).rows() == [("ab",)]


def test_texts_survive_as_they_are(store: Store) -> None:
    """Line ends, quotes, emoji, right-to-left and 100,000 characters, as value and as key."""
    texts = [
        "\\N",
        "line\r\nend\u2028",
        "'; DROP TABLE account;--",
        '"',
        "\U0001f9d1\u200d\U0001f680",
        "שלום",
        "x" * 10**5,
    ]
    rows = [{"source_id": t, "name": t} for t in texts]
    assert put(store, Account, *rows).inserted == len(texts)
    assert put(store, Account, *rows, at=LATER).unchanged == len(texts)
    read = store.read(Account, ["source_id", "name"])
    assert set(read["name"]) == set(texts)
    assert read.filter(pl.col("source_id") != pl.col("name")).is_empty()


def test_numbers_survive_exactly(store: Store) -> None:
    """Money to the last ten-thousandth at both ends of Int64, floats to the last bit."""
    money = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), None]
    floats = [0.1 + 0.2, 1e-300, -0.0, 5e-324, 1.7976931348623157e308, math.pi, None]
    rows = [
        {"source_id": str(n), "amount": amount, "probability": share}
        for n, (amount, share) in enumerate(zip(money, floats, strict=True))
    ]
    put(store, Opportunity, *rows)
    read = store.read(Opportunity)
    assert read["amount"].to_list() == money
    assert read["probability"].to_list() == floats


def test_moments_days_and_truth_survive(store: Store) -> None:
    """Microseconds on both sides of 1970, the first and last day of the calendar, true, false and null."""
    moments = [
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
        LATER,
    ]
    days = [dt.date(1, 1, 1), dt.date(9999, 12, 31), None]
    rows = [
        {"source_id": str(n), "starts_at": m, "occurred_on": d, "is_counted": n == 1, "deleted": n == 2}
        for n, (m, d) in enumerate(zip(moments, days, strict=True))
    ]
    put(store, Activity, *rows)
    read = store.read(Activity)
    assert read["starts_at"].to_list() == moments
    assert read["occurred_on"].to_list() == days
    assert read["is_counted"].to_list() == [False, True, False]
    assert read["deleted"].to_list() == [False, False, True]
    put(store, User, {"source_id": "1", "is_active": None}, {"source_id": "2", "is_active": False})
    assert store.read(User)["is_active"].to_list() == [None, False]


def test_rows_come_in_key_order_and_columns_as_asked(store: Store) -> None:
    """By source, instance and id as text; only the columns that were asked for."""
    put(store, Account, *({"source_id": i} for i in ("10", "9", "1", "b", "B")))
    assert store.read(Account, ["source_id"]).to_dict(as_series=False) == {"source_id": ["1", "10", "9", "B", "b"]}


def test_what_is_gone_is_marked_once(store: Store) -> None:
    """Deleted, with its survivor if merged; saying so again changes nothing; ids never seen are ignored."""
    put(store, Account, *({"source_id": i} for i in ("1", "2", "3")))
    gone = pl.DataFrame({"source_id": ["1", "2", "77"], "merged_into_id": [None, "3", None]})
    for at, marked in ((LATER, 2), (LATER + dt.timedelta(days=1), 0)):
        with store.transaction() as tx:
            assert tx.mark_gone(Account, gone, source="hubspot", instance="portal", at=at) == marked
    rows = store.read(Account)
    assert rows["deleted"].to_list() == [True, True, False]
    assert rows["merged_into_id"].to_list() == [None, "3", None]
    assert rows["content_changed_at"].to_list() == [LATER, LATER, FIRST]


def test_a_known_survivor_is_not_forgotten(store: Store) -> None:
    """An id that is merely said to be gone keeps the survivor that we know; a survivor learned later is added."""
    put(store, Account, {"source_id": "1"}, {"source_id": "2"}, {"source_id": "3", "merged_into_id": "9"})
    steps = (
        ({"source_id": ["1", "2", "3"], "merged_into_id": ["9", None, None]}, 3),
        ({"source_id": ["1", "2", "3"], "merged_into_id": [None, "9", None]}, 1),
    )
    for gone, marked in steps:
        with store.transaction() as tx:
            assert tx.mark_gone(Account, pl.DataFrame(gone), source="hubspot", instance="portal", at=LATER) == marked
    assert store.read(Account)["merged_into_id"].to_list() == ["9", "9", "9"]


def test_gone_in_one_portal_only(store: Store) -> None:
    """The same id elsewhere lives on; entities without mergers are marked too; no ids are no work."""
    put(store, Account, {"source_id": "1"}, instance="other")
    put(store, User, {"source_id": "1"})
    gone = pl.DataFrame({"source_id": ["1"], "merged_into_id": [None]}, schema_overrides={"merged_into_id": pl.String})
    with store.transaction() as tx:
        assert tx.mark_gone(Account, gone, source="hubspot", instance="portal", at=LATER) == 0
        assert tx.mark_gone(User, gone, source="hubspot", instance="portal", at=LATER) == 1
        assert tx.mark_gone(User, gone.clear(), source="hubspot", instance="portal", at=LATER) == 0
    assert only(store, User, "1")["deleted"] is True


def test_a_row_that_comes_back_lives(store: Store) -> None:
    """Restored from the bin in the CRM: the next reading of it brings it back."""
    put(store, Account, {"source_id": "1", "name": "A"})
    gone = pl.DataFrame({"source_id": ["1"], "merged_into_id": ["9"]})
    with store.transaction() as tx:
        tx.mark_gone(Account, gone, source="hubspot", instance="portal", at=LATER)
    assert put(store, Account, {"source_id": "1", "name": "A"}, at=LATER).changed == 1
    row = only(store, Account, "1")
    assert (row["deleted"], row["merged_into_id"]) == (False, None)


def test_a_fault_in_the_middle_leaves_nothing(store: Store) -> None:
    """Rows of two entities and what came before the fault are undone together, and the store goes on."""
    put(store, Account, {"source_id": "1", "name": "A"})
    of: dict[str, Any] = {"source": "hubspot", "instance": "portal", "at": LATER}

    def killed() -> None:
        with store.transaction() as tx:
            tx.upsert(Account, frame(Account, {"source_id": "1", "name": "B"}), **of)
            tx.upsert(User, frame(User, {"source_id": "5"}), **of)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert only(store, Account, "1")["name"] == "A"
    assert store.read(User).is_empty()
    assert put(store, User, {"source_id": "5"}).inserted == 1


def test_readers_see_the_state_before_an_open_transaction(store: Store) -> None:
    """A reader neither waits for a writer nor sees half of its work."""
    put(store, Account, {"source_id": "1"})
    with store.transaction() as tx:
        tx.upsert(Account, frame(Account, {"source_id": "2"}), source="hubspot", instance="portal", at=LATER)
        assert store.read(Account, ["source_id"])["source_id"].to_list() == ["1"]
    assert store.read(Account, ["source_id"])["source_id"].to_list() == ["1", "2"]


def test_two_writers_queue(url: str) -> None:
    """Writers that start at once, over two connections each reading before it writes, all get through."""
    barrier = threading.Barrier(4)
    faults: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with Store(url) as mine:
                barrier.wait()
                for n in range(5):
                    with mine.transaction() as tx:
                        seen = tx.frame('SELECT count(*) AS n FROM "account"', {"n": pl.Int64()}).item()
                        row = frame(Account, {"source_id": f"{name}{n}", "employees": seen})
                        tx.upsert(Account, row, source="hubspot", instance="portal", at=FIRST)
        except BaseException as fault:  # noqa: BLE001  to be shown by the test, not lost in a thread
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with Store(url) as store:
        assert sorted(store.read(Account)["employees"]) == list(range(20))


def test_json_like_text_is_text(store: Store) -> None:
    """Numbers in text columns stay text: nothing on the way guesses a type."""
    values = ["007", "1e5", "1.0", "true", json.dumps({"a": 1}), "2026-01-01"]
    put(store, Account, *({"source_id": v, "name": v} for v in values))
    assert set(store.read(Account)["name"]) == set(values)


def test_an_account_merged_before_we_saw_it_leads_to_its_survivor(store: Store) -> None:
    """What refers to it, such as the other CRM's cross-reference, would find nothing otherwise."""
    gone = pl.DataFrame({"source_id": ["11", "12"], "merged_into_id": ["22", None]})
    with store.transaction() as tx:
        assert tx.mark_gone(Account, gone, source="hubspot", instance="portal", at=FIRST) == 1
        assert tx.mark_gone(Account, gone, source="hubspot", instance="portal", at=FIRST) == 0
    assert store.read(Account, ["source_id", "deleted", "merged_into_id"]).rows() == [("11", True, "22")]

"""Score snapshots: appended on change only, never altered, printed again byte for byte."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.store import Store
from kammodel.store.snapshots import (
    SNAPSHOT,
    append_snapshots,
    days_stored,
    in_force_mark,
    latest_snapshots,
    recorded_since,
    snapshots_of,
    stored_snapshot,
)

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
JUNE, MAY = dt.date(2026, 6, 30), dt.date(2026, 5, 31)


def snapshot(group: str = "g", **given: Any) -> dict[str, Any]:
    """One group's row; every column that may differ between runs has a value."""
    fixed = {"run_id": "r1", "as_of": JUNE, "recorded_at": AT, "group_id": group, "config_hash": "c", "release": "0.1"}
    scored = {"inputs_fingerprint": "i", "score": 71.3, "coverage": 0.1 + 0.2, "provisional": False, "rfm": "545"}
    tiers = {"in_population": True, "tier_computed": "key", "tier_effective": "key", "quadrant": None}
    return (
        fixed | scored | tiers | {"kpis": '{"a":1}', "criteria": "{}", "reasons": "[]", "reconstructed": "[]"} | given
    )


def append(store: Store, *rows: dict[str, Any]) -> int:
    with store.transaction() as tx:
        return append_snapshots(tx, pl.DataFrame(rows, schema=SNAPSHOT, orient="row"))


def latest(store: Store, until: dt.date | None = None) -> list[dict[str, Any]]:
    with store.transaction() as tx:
        return latest_snapshots(tx, until=until).to_dicts()


def test_a_run_that_finds_the_same_appends_nothing(store: Store) -> None:
    """Another run, time, release or fingerprint of the inputs is no change of the score."""
    assert append(store, snapshot("g"), snapshot("h")) == 2
    again = {"run_id": "r2", "recorded_at": AT + dt.timedelta(days=1), "release": "0.2", "inputs_fingerprint": "j"}
    assert append(store, snapshot("g", **again), snapshot("h", **again)) == 0
    assert [row["run_id"] for row in latest(store)] == ["r1", "r1"]


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": dt.date(2026, 7, 1)},
        {"score": 71.4},
        {"score": None},
        {"coverage": 0.3},
        {"provisional": True},
        {"in_population": False},
        {"tier_computed": None},
        {"tier_effective": "growth"},
        {"quadrant": "key"},
        {"rfm": None},
        {"kpis": '{"a":2}'},
        {"criteria": "[]"},
        {"reasons": "[1]"},
        {"reconstructed": '["revenue_ttm"]'},
        {"config_hash": "d"},
    ],
    ids=lambda c: next(iter(c)),
)
def test_any_change_is_appended(store: Store, change: dict[str, Any]) -> None:
    """One column is enough; the old row stays, and the new one is in force."""
    append(store, snapshot())
    assert append(store, snapshot(run_id="r2", **change)) == 1
    (found,) = latest(store)
    assert {name: found[name] for name in change} == change
    with store.transaction() as tx:
        assert snapshots_of(tx, "g")["run_id"].to_list() == ["r1", "r2"]


def test_going_back_is_a_change_too(store: Store) -> None:
    """The row in force decides, not any row there ever was."""
    assert [append(store, snapshot(score=s)) for s in (1.0, 2.0, 1.0, 1.0)] == [1, 1, 1, 0]


def test_a_past_day_that_is_computed_again_is_compared_with_itself(store: Store) -> None:
    """Recomputing May after June appends nothing if May is the same, and never counts as the newest."""
    append(store, snapshot(as_of=MAY, score=50.0))
    append(store, snapshot(as_of=JUNE))
    assert append(store, snapshot(as_of=MAY, score=50.0, run_id="r9")) == 0
    assert append(store, snapshot(as_of=MAY, score=51.0, run_id="r9")) == 1
    assert append(store, snapshot(as_of=MAY, score=51.0, run_id="r10")) == 0
    assert [row["as_of"] for row in latest(store)] == [JUNE]
    assert [row["score"] for row in latest(store, until=MAY)] == [51.0]
    assert latest(store, until=dt.date(2026, 5, 30)) == []


def test_printing_again_is_byte_identical(store: Store) -> None:
    """Floats to the last bit, JSON as it was written, before and after other runs."""
    kpis = '{"a":0.1,"b":"\U0001f600\\u0000","c":null}'
    append(store, snapshot(kpis=kpis, coverage=0.1 + 0.2))
    with store.transaction() as tx:
        first = snapshots_of(tx, "g").write_json()
    append(store, snapshot(as_of=dt.date(2026, 7, 1)))
    with store.transaction() as tx:
        rows = snapshots_of(tx, "g")
    assert rows.filter(pl.col("as_of") == JUNE).write_json() == first
    assert rows["kpis"][0] == kpis
    assert rows["coverage"][0] == 0.1 + 0.2


HOUR = dt.timedelta(hours=1)


def test_what_was_said_of_a_day_at_an_instant(store: Store) -> None:
    """The record in force then, byte for byte, whatever was recorded later or of other days."""
    append(store, snapshot(kpis="first"))
    append(store, snapshot(kpis="second", recorded_at=AT + HOUR), snapshot("h", recorded_at=AT + HOUR))
    append(store, snapshot(kpis="later", as_of=dt.date(2026, 7, 1), recorded_at=AT + 2 * HOUR))
    with store.transaction() as tx:
        told = [
            (stored_snapshot(tx, "g", day=JUNE, recorded_until=AT + n * HOUR) or {}).get("kpis") for n in (-1, 0, 1, 9)
        ]
        assert told == [None, "first", "second", "second"]
        assert (stored_snapshot(tx, "g") or {})["kpis"] == "later"
        assert stored_snapshot(tx, "nobody") is stored_snapshot(tx, "h", day=MAY) is None
        assert latest_snapshots(tx, recorded_until=AT)["kpis"].to_list() == ["first"]
        assert latest_snapshots(tx, until=JUNE, recorded_until=AT + 2 * HOUR).height == 2
        assert days_stored(tx, "g") == [JUNE, dt.date(2026, 7, 1)]


def test_the_mark_of_what_is_in_force(store: Store) -> None:
    """It moves with every record that comes into force up to the day, and with no other."""

    def mark() -> str:
        with store.transaction() as tx:
            return in_force_mark(tx, until=JUNE)

    marks = [mark()]
    append(store, snapshot("g"))
    marks.append(mark())
    append(store, snapshot("g", as_of=dt.date(2026, 7, 1)), snapshot("g", as_of=MAY))
    assert mark() == marks[-1]
    append(store, snapshot("g", score=1.0))
    marks.append(mark())
    assert len(set(marks)) == 3


def test_no_groups_are_no_work(store: Store) -> None:
    """An empty book is scored too."""
    assert append(store) == 0
    assert latest(store) == []


def test_counted_since_a_moment(store: Store) -> None:
    """From that very microsecond on."""
    append(store, snapshot("g"), snapshot("h", recorded_at=AT + dt.timedelta(microseconds=1)))
    with store.transaction() as tx:
        assert recorded_since(tx, AT) == 2
        assert recorded_since(tx, AT + dt.timedelta(microseconds=1)) == 1
        assert recorded_since(tx, AT + dt.timedelta(seconds=1)) == 0

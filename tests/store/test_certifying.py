"""Our side of a certificate, on both databases: live rows and amounts by window, and the newest certificates."""

from __future__ import annotations

import datetime as dt

import pytest

from kammodel.entities import Activity, Certificate, Opportunity
from kammodel.store import Store
from kammodel.store.certifying import (
    Rows,
    certificates,
    cuts,
    failed_certificates,
    ids_within,
    save_certificates,
    tallied,
)

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SECOND = 1_000_000
DEALS = (
    "INSERT INTO opportunity (source, source_instance, source_id, created_at, deleted, synced_at, content_changed_at, "
    "amount, currency) VALUES ('s', 'i', :id, :at, :gone, 1, 1, :amount, :currency)"
)
CALLS = (
    "INSERT INTO activity (source, source_instance, source_id, created_at, deleted, synced_at, content_changed_at, "
    "is_calendar, is_counted) VALUES ('s', 'i', :id, 1, FALSE, 1, 1, FALSE, TRUE)"
)


@pytest.fixture
def filled(store: Store) -> Store:
    """Deals of ids 1 to 12, one a second, 9 of them deleted; calls of ids 8 to 11, and a note."""
    amounts = {2: (90_000_000_000_000_000, "EUR"), 3: (15_000, "USD"), 5: (-5_000, "EUR"), 12: (1, "EUR")}
    rows = [
        {"id": str(n), "at": n * SECOND, "gone": n == 9, "amount": amounts.get(n, (None, None))[0]}
        | {"currency": amounts.get(n, (None, None))[1]}
        for n in range(1, 13)
    ]
    with store.transaction() as tx:
        tx.run(DEALS, rows)
        tx.run(CALLS, [{"id": i} for i in ("call:8", "call:9", "call:10", "call:11", "note:9")])
    return store


def by_time(before: int = 100) -> Rows:
    return Rows(Opportunity, "s", "i", before, by_id=False)


def calls() -> Rows:
    return Rows(Activity, "s", "i", 100, by_id=True, id_prefix="call:")


def test_windows_of_creation_hold_what_was_created_in_them(filled: Store) -> None:
    """[low, high), deleted rows left out, and none from `before` on."""
    with filled.transaction() as tx:
        found = tallied(tx, by_time(before=12), [(None, 3), (3, 9), (9, None)], sums=False)
    assert [rows for rows, _ in found] == [2, 6, 2]


def test_sums_are_exact_and_by_currency(filled: Store) -> None:
    with filled.transaction() as tx:
        [(rows, sums)] = tallied(tx, by_time(), [(None, None)], sums=True)
    assert rows == 11
    assert {k: v for k, v in sums.items() if k} == {"EUR": 89_999_999_999_995_001, "USD": 15_000}


def test_windows_of_ids_go_by_their_number(filled: Store) -> None:
    """10 comes after 9, whatever texts say, and the ids of other kinds are not looked at."""
    with filled.transaction() as tx:
        found = tallied(tx, calls(), [(None, 9), (9, 10), (10, None)], sums=False)
        ids = ids_within(tx, calls(), (9, 11))
    assert [rows for rows, _ in found] == [1, 1, 2]
    assert sorted(ids) == ["call:10", "call:9"]


def test_a_window_is_cut_where_its_rows_are(filled: Store) -> None:
    with filled.transaction() as tx:
        assert cuts(tx, by_time(), (None, None), 2, 11) == [(None, 5), (5, None)]
        assert cuts(tx, calls(), (None, None), 2, 4) == [(None, 9), (9, None)]


def test_a_window_without_rows_is_cut_in_its_middle_if_at_all(filled: Store) -> None:
    with filled.transaction() as tx:
        assert cuts(tx, by_time(), (40, 50), 2, 0) == [(40, 45), (45, 50)]
        assert cuts(tx, by_time(), (40, 41), 2, 0) == [(40, 41)]
        assert cuts(tx, by_time(), (40, None), 2, 0) == [(40, None)]


def certificate(stream: str, place: int, verdict: str) -> Certificate:
    return Certificate(
        source="s",
        source_instance="i",
        stream=stream,
        place=place,
        cut_by="id",
        crm_rows=2,
        our_rows=1,
        wrong_rows=1,
        sums={"EUR": [2, 1]},
        verdict=verdict,
        counted_at=AT,
    )


def test_the_newest_certificates_of_a_stream_take_the_place_of_the_others(store: Store) -> None:
    """All of them, also where there are fewer; those of other streams stay."""
    with store.transaction() as tx:
        save_certificates(tx, "s", "i", "deals", [certificate("deals", n, "differs") for n in range(3)])
        save_certificates(tx, "s", "i", "calls", [certificate("calls", 0, "differs")])
        save_certificates(tx, "s", "i", "deals", [certificate("deals", 0, "ok")])
    with store.transaction() as tx:
        assert [(one.stream, one.place) for one in failed_certificates(tx, "s")] == [("calls", 0)]
        assert [(one.stream, one.verdict) for one in certificates(tx, "s", "i")] == [
            ("calls", "differs"),
            ("deals", "ok"),
        ]
        assert certificates(tx, "s", "i")[0].sums == {"EUR": [2, 1]}
        assert failed_certificates(tx, "other") == []


def window(low: int | None, high: int | None, verdict: str, *, place: int = 0) -> Certificate:
    return Certificate(**certificate("deals", place, verdict).model_dump() | {"window_low": low, "window_high": high})


def kept(store: Store, *made: Certificate) -> list[tuple[int, int | None, int | None, str]]:
    """What a stream has after these took the place of what it had."""
    with store.transaction() as tx:
        given = save_certificates(tx, "s", "i", "deals", made)
    with store.transaction() as tx:
        assert certificates(tx, "s", "i") == given
    return [(one.place, one.window_low, one.window_high, one.verdict) for one in given]


def test_a_count_that_proves_nothing_lifts_no_accusation(store: Store) -> None:
    """However often it fails; the count that proves the window does."""
    kept(store, window(None, None, "differs"))
    for _ in range(2):
        assert kept(store, window(None, None, "unproven")) == [(0, None, None, "differs"), (1, None, None, "unproven")]
    with store.transaction() as tx:
        assert len(failed_certificates(tx, "s")) == 1
    assert kept(store, window(None, None, "ok")) == [(0, None, None, "ok")]


def test_an_accusation_is_lifted_where_its_window_was_counted(store: Store) -> None:
    """Windows are cut otherwise each time, and their ends are open: high belongs to the next."""
    kept(store, window(None, 5, "differs"), window(5, None, "differs", place=1))
    now = kept(store, window(None, 5, "ok"), window(5, 9, "ok", place=1), window(9, None, "unproven", place=2))
    assert now == [(0, 5, None, "differs"), (1, None, 5, "ok"), (2, 5, 9, "ok"), (3, 9, None, "unproven")]
    assert kept(store, window(None, 9, "unproven"), window(9, None, "ok", place=1))[0] == (0, 5, None, "differs")
    assert [row[3] for row in kept(store, window(None, 5, "unproven"), window(5, None, "ok", place=1))] == [
        "unproven",
        "ok",
    ]

"""Bookmarks, set-aside rows and runs."""

import datetime as dt

import polars as pl
import pytest

from kammodel.entities import Account, Bookmark, Run, polars_schema
from kammodel.store import Store, Transaction
from kammodel.store.control import (
    end_run,
    last_run,
    load_bookmark,
    open_rejects,
    resolve_rejects,
    save_bookmark,
    save_rejects,
    start_run,
)

AT = dt.datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PLACE = {"source": "hubspot", "instance": "portal", "stream": "accounts"}


def bookmark(**given: object) -> Bookmark:
    return Bookmark(source="hubspot", source_instance="portal", stream="accounts", fingerprint="f", **given)


def test_a_stream_never_read_has_no_bookmark(store: Store) -> None:
    """None is the start of everything."""
    with store.transaction() as tx:
        assert load_bookmark(tx, "hubspot", "portal", "accounts") is None


def test_a_bookmark_survives_to_the_microsecond(store: Store) -> None:
    """All its parts, nulls too, are there for the next program, which may use them after the transaction."""
    with store.transaction() as tx:
        types = {"amount": "number", "closedate": "datetime"}
        save_bookmark(tx, bookmark(watermark=AT, resume_point='{"after":"7"}', rows_read=2**40, types=types))
    with store.transaction() as tx:
        found = load_bookmark(tx, "hubspot", "portal", "accounts")
    assert found is not None
    assert (found.watermark, found.slice_since, found.resume_point) == (AT, None, '{"after":"7"}')
    assert (found.rows_read, found.rows_rejected, found.fingerprint, found.types) == (2**40, 0, "f", types)


def test_a_bookmark_moves(store: Store) -> None:
    """Saving again replaces it, and only that of its stream."""
    with store.transaction() as tx:
        save_bookmark(tx, bookmark(resume_point="1"))
        save_bookmark(tx, Bookmark(source="hubspot", source_instance="portal", stream="deals", fingerprint="g"))
    with store.transaction() as tx:
        save_bookmark(tx, bookmark(watermark=AT))
    with store.transaction() as tx:
        found, other = (load_bookmark(tx, "hubspot", "portal", s) for s in ("accounts", "deals"))
        assert found is not None
        assert other is not None
        assert (found.watermark, found.resume_point, other.fingerprint) == (AT, None, "g")


def test_a_bookmark_moves_with_its_rows_or_not_at_all(store: Store) -> None:
    """A kill between rows and bookmark loses both: none is ahead of the other."""
    schema = {n: t for n, t in polars_schema(Account).items() if n not in {"source", "source_instance"}}
    rows = pl.DataFrame([{"source_id": "1", "deleted": False}], schema=schema).drop("synced_at", "content_changed_at")

    def page(tx: Transaction) -> None:
        tx.upsert(Account, rows, source="hubspot", instance="portal", at=AT)
        save_bookmark(tx, bookmark(resume_point="after 1"))

    def killed() -> None:
        with store.transaction() as tx:
            page(tx)
            raise SystemExit

    with pytest.raises(SystemExit):
        killed()
    with store.transaction() as tx:
        assert load_bookmark(tx, "hubspot", "portal", "accounts") is None
    assert store.read(Account).is_empty()
    with store.transaction() as tx:
        page(tx)
    with store.transaction() as tx:
        assert load_bookmark(tx, "hubspot", "portal", "accounts") is not None
    assert store.read(Account).height == 1


def rejects(*ids: str, reason: str = "not readable as money", raw: str = "{}") -> pl.DataFrame:
    return pl.DataFrame({"source_id": ids, "field": ["amount"] * len(ids), "reason": reason, "raw": raw})


def keep(store: Store, frame: pl.DataFrame, entity: str = "account", stream: str = "accounts") -> None:
    with store.transaction() as tx:
        save_rejects(tx, frame, source="hubspot", instance="portal", stream=stream, entity=entity, at=AT)


def still_open(store: Store, stream: str = "accounts") -> pl.DataFrame:
    with store.transaction() as tx:
        return open_rejects(tx, "hubspot", "portal", stream)


def test_set_aside_rows_are_kept_with_reason_and_raw_text(store: Store) -> None:
    """Whatever stands in them; by entity and id, for their own stream only."""
    raw = '{"name":"\U0001f600\\u0000\\n"}'
    keep(store, rejects("2", "1", raw=raw))
    keep(store, rejects("3"), stream="deals")
    keep(store, rejects())
    assert still_open(store).rows() == [
        ("account", "1", "amount", "not readable as money", raw),
        ("account", "2", "amount", "not readable as money", raw),
    ]


def test_a_row_set_aside_again_is_renewed(store: Store) -> None:
    """The newest reason and text count, and there is one row still; one that was closed is open again."""
    keep(store, rejects("1"))
    with store.transaction() as tx:
        assert resolve_rejects(tx, pl.Series(["1"]), **PLACE, entity="account", at=AT) == 1
    assert still_open(store).is_empty()
    keep(store, rejects("1", reason="not readable as date", raw="[]"))
    assert still_open(store).rows() == [("account", "1", "amount", "not readable as date", "[]")]


def test_rows_that_could_be_read_are_closed(store: Store) -> None:
    """Counted once; ids never set aside, and those of another entity, are not."""
    keep(store, rejects("1", "2"))
    keep(store, rejects("1"), entity="opportunity")
    with store.transaction() as tx:
        assert resolve_rejects(tx, pl.Series(["1", "9"]), **PLACE, entity="account", at=AT) == 1
        assert resolve_rejects(tx, pl.Series(["1"]), **PLACE, entity="account", at=AT + HOUR) == 0
        assert resolve_rejects(tx, pl.Series([], dtype=pl.String), **PLACE, entity="account", at=AT) == 0
    assert still_open(store).select("entity", "source_id").rows() == [("account", "2"), ("opportunity", "1")]


def run(run_id: str, hours: int, kind: str = "pull") -> Run:
    return Run(run_id=run_id, kind=kind, started_at=AT + hours * HOUR, as_of=dt.date(2026, 1, 1))


def test_a_run_is_written_down_from_start_to_end(store: Store) -> None:
    """State, time and result as JSON, readable after the transaction."""
    with store.transaction() as tx:
        start_run(tx, run("a", 0))
    with store.transaction() as tx:
        end_run(tx, "a", "done", {"rows": {"accounts": 3}, "name": "Ñandú"}, AT + HOUR)
    with store.transaction() as tx:
        found = last_run(tx, "pull")
    assert found is not None
    assert (found.state, found.ended_at, found.as_of) == ("done", AT + HOUR, dt.date(2026, 1, 1))
    assert found.result == {"rows": {"accounts": 3}, "name": "Ñandú"}


def test_the_last_run_is_the_newest_that_ended_well(store: Store) -> None:
    """Failed, partial and running ones do not count, nor those of another kind."""
    with store.transaction() as tx:
        assert last_run(tx, "pull") is None
        for run_id, hours, state in (("a", 3, "done"), ("b", 5, "done"), ("c", 7, "failed"), ("d", 8, "partial")):
            start_run(tx, run(run_id, hours))
            end_run(tx, run_id, state, {}, AT)
        start_run(tx, run("e", 9))
        start_run(tx, run("f", 10, kind="score"))
        end_run(tx, "f", "done", {}, AT)
    with store.transaction() as tx:
        found = last_run(tx, "pull")
        assert found is not None
        assert found.run_id == "b"

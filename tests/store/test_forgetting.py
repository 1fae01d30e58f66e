"""Erasing: every table that can speak of somebody does no more, on both databases; what is kept for a time only."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kammodel.entities import (
    KEY,
    Account,
    Activity,
    Bookmark,
    Opportunity,
    OpportunityStageEvent,
    Person,
    Run,
    Sourced,
    Sweep,
    polars_schema,
)
from kammodel.entities.schema import table_of
from kammodel.errors import KamError, NotConfigured
from kammodel.privacy.hashing import HashKey
from kammodel.store import Store, mentions
from kammodel.store.control import end_run, save_bookmark, save_rejects, save_sweep, start_run
from kammodel.store.erased import Erased, Org
from kammodel.store.finding import records_with_id
from kammodel.store.foreign_files import replace_in_sqlite
from kammodel.store.forgetting import erase
from kammodel.store.retention import drop_old_cells, drop_old_rejects
from kammodel.store.suppressing import add_suppressed, entries_of, lift_suppression, load_suppressed, suppressions

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
ORG = Org("hubspot", "146")
HASH_KEY = HashKey("sixteen or more characters")
NAME = "Säge & Söhne"


def put(store: Store, entity: type[Sourced], *given: dict[str, Any], at: dt.datetime = AT, org: Org = ORG) -> None:
    schema = {c: t for c, t in polars_schema(entity).items() if c not in {"source", "source_instance"}}
    filled = {"deleted": False, "is_counted": True, "is_calendar": False}
    plain = [{c: row.get(c, filled.get(c)) for c in schema} for row in given]
    with store.transaction() as tx:
        rows = pl.DataFrame(plain, schema=schema, orient="row")
        tx.upsert(entity, rows, source=org.source, instance=org.instance, at=at)


def gone(store: Store, roots: dict[type[Sourced], list[str]], org: Org = ORG) -> Erased:
    with store.transaction() as tx:
        return erase(tx, org, roots)


def texts(store: Store) -> str:
    """Every value of every table, as one text."""
    with store.transaction() as tx:
        tables = table_of(Account).metadata.sorted_tables
        return "\n".join(str(tuple(row)) for table in tables for row in tx.connection.execute(table.select()))


def ids(store: Store, entity: type[Sourced]) -> list[str]:
    return store.read(entity)["source_id"].to_list()


@pytest.fixture
def filled(store: Store) -> Store:
    """Two accounts, one with a deal, a contact and calls; everything was something else before."""
    for name, title, at in (("Old name", "CEO", AT), (NAME, "CFO", AT + dt.timedelta(days=1))):
        put(store, Account, {"source_id": "a1", "name": name}, {"source_id": "b1", "name": "Another"}, at=at)
        person = {"source_id": "p1", "account_id": "a1", "title": title, "email_hash": "h" * 64}
        put(store, Person, person, {"source_id": "p2", "account_id": "b1", "reports_to_id": "p1"}, at=at)
        put(
            store,
            Opportunity,
            {"source_id": "o1", "account_id": "a1", "status": title},
            {"source_id": "o2", "account_id": "b1"},
            at=at,
        )
        put(
            store,
            OpportunityStageEvent,
            {"source_id": "o1:1", "opportunity_id": "o1"},
            {"source_id": "o2:1", "opportunity_id": "o2"},
            at=at,
        )
        calls = [
            {"source_id": "call:1", "account_ids": "a1", "person_ids": "p1", "status": title},
            {"source_id": "call:2", "account_ids": "a1;b1", "person_ids": "p1;p2", "status": title},
            {"source_id": "call:3", "opportunity_id": "o1", "status": title},
            {"source_id": "call:4", "account_ids": "b1", "person_ids": "p1", "status": title},
        ]
        put(store, Activity, *calls, at=at)
    return store


def test_an_account_of_many_persons_goes_with_them_all(store: Store) -> None:
    """Out of calls that name several, too; whoever is named alike stays."""
    put(store, Account, {"source_id": "a1"}, {"source_id": "b1"})
    persons = [f"p{n}" for n in range(30)]
    put(
        store,
        Person,
        *({"source_id": p, "account_id": "a1"} for p in persons),
        {"source_id": "p1x", "account_id": "b1"},
    )
    several = {p: f"{p};p1x" if n % 3 else f"p1x;{p};q" for n, p in enumerate(persons)} | {"others": "p1x;q;p300"}
    put(store, Activity, *({"source_id": c, "account_ids": "b1", "person_ids": named} for c, named in several.items()))
    gone(store, {Account: ["a1"]})
    assert ids(store, Person) == ["p1x"]
    left = dict(store.read(Activity).select("source_id", "person_ids").iter_rows())
    assert left == {p: "p1x" if n % 3 else "p1x;q" for n, p in enumerate(persons)} | {"others": "p1x;q;p300"}


def test_an_account_goes_with_its_parts(filled: Store) -> None:
    """And what it has a part in stays without it, in the past as well."""
    done = gone(filled, {Account: ["a1"]})
    assert (ids(filled, Account), ids(filled, Person), ids(filled, Opportunity)) == (["b1"], ["p2"], ["o2"])
    assert ids(filled, OpportunityStageEvent) == ["o2:1"]
    calls = filled.read(Activity).select("source_id", "account_ids", "person_ids")
    assert calls.rows() == [("call:2", "b1", "p2"), ("call:4", "b1", None)]
    assert done.counts["account"] == 1
    assert done.counts["activity"] == 2
    assert (done.emptied["activity"], done.emptied["entity_version"], done.emptied["person"]) == (2, 2, 1)
    said = texts(filled)
    assert [text for text in ("'a1'", "p1", "o1", NAME, "Old name", "a1;", "h" * 64) if text in said] == []


def test_a_person_goes_and_the_account_stays(filled: Store) -> None:
    """Calls stay, with whoever else took part."""
    done = gone(filled, {Person: ["p1"]})
    assert ids(filled, Account) == ["a1", "b1"]
    calls = filled.read(Activity).select("source_id", "person_ids")
    assert calls.rows() == [("call:1", None), ("call:2", "p2"), ("call:3", None), ("call:4", None)]
    assert (done.counts["person"], done.counts["entity_version"]) == (1, 1)
    assert "p1" not in texts(filled)


def test_another_orgs_record_of_the_same_id_stays(filled: Store) -> None:
    """An id is somebody's within its org only; but an account is named across by its id alone."""
    other = Org("salesforce", "00D")
    for at in (AT, AT + dt.timedelta(days=1)):
        named = {"source_id": "x1", "cross_reference": "a1", "name": f"X {at.day}"}
        put(filled, Account, {"source_id": "a1", "name": "Same id"}, named, at=at, org=other)
    gone(filled, {Account: ["a1"]})
    left = filled.read(Account).select(*KEY, "cross_reference")
    assert left.rows() == [
        ("hubspot", "146", "b1", None),
        (*other.key.values(), "a1", None),
        (*other.key.values(), "x1", None),
    ]
    assert '"cross_reference":"a1"' not in texts(filled)


def test_rows_that_could_not_be_read_go_where_they_name_it(filled: Store) -> None:
    """Its own, and others in whose raw row its id stands; not those with an id that only begins so."""
    raws = {"p1": '{"id":"p1"}', "p7": '{"id":"p7","boss":"p1"}', "p8": '{"id":"p8","boss":"p11"}'}
    rejects = pl.DataFrame({"source_id": list(raws), "field": "f", "reason": "r", "raw": list(raws.values())})
    with filled.transaction() as tx:
        save_rejects(tx, rejects, **ORG.key, stream="contacts", entity="person", at=AT)
        assert records_with_id(tx, Person, "p7").height == 1
    assert gone(filled, {Person: ["p1"]}).counts["rejected_record"] == 2
    with filled.transaction() as tx:
        assert tx.frame("SELECT source_id FROM rejected_record", {"source_id": pl.String()})["source_id"].to_list() == [
            "p8"
        ]


def test_what_other_tables_say_of_an_account_goes(filled: Store) -> None:
    """Places to go on from, results of runs, snapshots: by id, by the name of its group, by its own name."""
    mark = Bookmark(
        source="hubspot", source_instance="146", stream="s", fingerprint="f", columns="name", resume_point="after:a1"
    )
    sweep = Sweep(source="hubspot", source_instance="146", stream="s", linked_after="a1", compared_after="after:a1")
    told = {"moved": [NAME, "hubspot:146:a1", "hubspot:146:a11"], "n": 3}
    with filled.transaction() as tx:
        save_bookmark(tx, mark)
        save_sweep(tx, sweep)
        start_run(tx, Run(run_id="r", kind="score", started_at=AT))
        end_run(tx, "r", "done", told, AT)
        for group, reason in (("hubspot:146:a1", "x"), ("hubspot:146:b1", f"with {NAME}")):
            tx.connection.execute(table_of_snapshots().insert().values(snapshot(group, reason)))
    done = gone(filled, {Account: ["a1"]})
    assert (done.counts["score_snapshot"], done.emptied["run"], done.emptied["bookmark"]) == (1, 1, 1)
    said = texts(filled)
    assert [text for text in (NAME, "hubspot:146:a1'", "after:a1") if text in said] == []
    assert all(text in said for text in ("hubspot:146:a11", "with forgotten", "hubspot:146:b1", "'name'"))


def table_of_snapshots() -> Any:
    return table_of(Account).metadata.tables["score_snapshot"]


def snapshot(group: str, reason: str) -> dict[str, Any]:
    fixed = dict.fromkeys(("run_id", "config_hash", "release", "inputs_fingerprint", "kpis", "criteria"), "-")
    times = {"as_of": AT.date(), "recorded_at": AT}
    return fixed | times | {"group_id": group, "reasons": reason, "provisional": False, "in_population": True}


def test_every_table_with_accounts_is_seen_to() -> None:
    """One that is added later names them by the account's key, or by the plan's."""
    for table in mentions.other_tables():
        if "source_id" in table.c:
            assert {"source", "source_instance"} <= set(table.c.keys()) or "plan_id" in table.c, table.name


def test_an_entry_is_remembered_listed_and_lifted(url: str) -> None:
    """With all that came under it; by the beginning of its hash."""
    with Store(url, HASH_KEY) as store, store.transaction() as tx:
        top = HASH_KEY.of_record("account", "hubspot", "146", "a1")
        entries = entries_of(
            HASH_KEY, ORG, {Account: {"a1"}, Person: {"p1", "p2"}, OpportunityStageEvent: {"o1:1"}}, top=top
        )
        assert add_suppressed(tx, entries, AT) == 4
        assert add_suppressed(tx, entries, AT) == 0
        assert [(one.hash, under) for one, under in suppressions(tx)] == [(top, 3)]
        known = load_suppressed(tx, "hubspot", "146")
        assert known is not None
        assert (known.hits("person", ["p1", "p3"]), known.hits("account_elsewhere", ["a1"])) == (
            {"p1": top},
            {"a1": top},
        )
        with pytest.raises(KamError, match="no entry begins so"):
            lift_suppression(tx, "0123456789")
        assert lift_suppression(tx, top[:10].upper()).kind == "account"
        assert (suppressions(tx), load_suppressed(tx, "hubspot", "146")) == ([], None)


def test_entries_of_another_key_are_not_passed_over(url: str) -> None:
    """Nobody could be told from those who were forgotten."""
    with Store(url, HASH_KEY) as store, store.transaction() as tx:
        add_suppressed(tx, entries_of(HASH_KEY, ORG, {Person: {"p1"}}), AT)
    for key in (None, HashKey("another one of that length")):
        with Store(url, key) as store, store.transaction() as tx, pytest.raises(NotConfigured, match="KAM_HASH_KEY"):
            load_suppressed(tx, "hubspot", "146")


def test_a_rehearsal_leaves_no_trace(filled: Store) -> None:
    """Whatever was done in it."""
    before = texts(filled)
    with filled.rehearsal() as tx:
        erase(tx, ORG, {Account: ["a1"]})
    assert texts(filled) == before


def test_what_was_deleted_is_in_no_file(sqlite_url: str, tmp_path: Path) -> None:
    """Not in free pages of the database, nor in its log; a reader that is at it keeps the last from being done."""
    with Store(sqlite_url) as store:
        put(store, Account, *({"source_id": f"a{n}", "name": f"{NAME} {n}"} for n in range(200)))
        with store.transaction() as tx:
            tx.run("DELETE FROM account", [{}])
        assert NAME.encode() in b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert store.wipe(["account"])
        assert NAME.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_wiped_table_is_whole(filled: Store) -> None:
    """On either database."""
    before = texts(filled)
    assert filled.wipe(["account", "person"])
    assert texts(filled) == before


def test_words_are_taken_out_of_another_database(tmp_path: Path) -> None:
    """Whatever its tables; where it is no database it is told so."""
    import re

    file, wanted = tmp_path / "other.db", re.compile("Acme")
    db = sqlite3.connect(file)
    db.execute('CREATE TABLE "a b" (x TEXT, "c ""d" JSON, n INTEGER)')
    db.execute('INSERT INTO "a b" VALUES (?, ?, 1)', ("of Acme", '{"k": "Acme"}'))
    db.commit()
    db.close()
    assert replace_in_sqlite(file, wanted, "somebody")
    assert b"Acme" not in file.read_bytes()
    assert b'{"k": "somebody"}' in file.read_bytes()
    (tmp_path / "text").write_text("Acme")
    assert not replace_in_sqlite(tmp_path / "text", wanted, "somebody")


def plan(store: Store, plan_id: str, at: dt.datetime, number: int, *cells: tuple[str, str, str | None]) -> None:
    tables = table_of(Account).metadata.tables
    made = {"plan_id": plan_id, "number": number, "source": "hubspot", "source_instance": "146", "planned_at": at}
    with store.transaction() as tx:
        rest = {"as_of": at.date(), "measures": {}, "tripped": [], "kind": "publish", "hash": "", "write_calls": 0}
        tx.connection.execute(
            tables["publish_plan"].insert().values({**made, **rest, "cells_equal": 0, "cells_held": 0})
        )
        for source_id, field, outcome in cells:
            cell = {"plan_id": plan_id, "source_id": source_id, "field": field, "decision": "write", "outcome": outcome}
            tx.connection.execute(tables["planned_cell"].insert().values(cell))


def cells(store: Store) -> list[tuple[str, str]]:
    with store.transaction() as tx:
        sql = "SELECT plan_id, field FROM planned_cell ORDER BY 1, 2"
        return tx.frame(sql, dict.fromkeys(("plan_id", "field"), pl.String())).rows()


def test_old_cells_go_and_what_is_needed_stays(store: Store) -> None:
    """Tiers that people have seen, plans with something left to do, and the last one."""
    old, new = AT - dt.timedelta(days=500), AT
    plan(store, "done", old, 1, ("a1", "tier", "written"), ("a1", "score", "written"), ("a2", "tier", "rejected"))
    plan(store, "open", old, 2, ("a1", "score", "waiting"), ("a1", "rfm", "written"))
    plan(store, "pending", old, 3, ("a1", "score", None))
    plan(store, "empty", old, 4, ("a1", "score", "superseded"))
    plan(store, "last", old, 5, ("a1", "score", "written"))
    with store.transaction() as tx:
        assert drop_old_cells(tx, new - dt.timedelta(days=400)) == 3
    kept = [("done", "tier"), ("last", "score"), ("open", "rfm"), ("open", "score"), ("pending", "score")]
    assert cells(store) == kept
    with store.transaction() as tx:
        left = tx.frame("SELECT plan_id FROM publish_plan ORDER BY number", {"plan_id": pl.String()})
        assert left["plan_id"].to_list() == ["done", "open", "pending", "last"]
        assert drop_old_cells(tx, new - dt.timedelta(days=400)) == 0


def test_old_rejects_lose_what_came(store: Store) -> None:
    """One that could be read since goes; one that could not keeps field and reason; newer ones stay as they are."""

    def reject(name: str, at: dt.datetime) -> None:
        frame = pl.DataFrame({"source_id": [name], "field": "f", "reason": "r", "raw": '{"id":"1"}'})
        with store.transaction() as tx:
            save_rejects(tx, frame, **ORG.key, stream="s", entity="person", at=at)

    for name, at in (("old", AT - dt.timedelta(days=100)), ("healed", AT - dt.timedelta(days=100)), ("new", AT)):
        reject(name, at)
    with store.transaction() as tx:
        tx.run("UPDATE rejected_record SET resolved_at=rejected_at WHERE source_id='healed'", [{}])
        assert drop_old_rejects(tx, AT - dt.timedelta(days=90)) == 2
        left = tx.frame(
            "SELECT source_id, field, raw FROM rejected_record ORDER BY 1",
            dict.fromkeys(("i", "f", "raw"), pl.String()),
        )
        assert left.rows() == [("new", "f", '{"id":"1"}'), ("old", "f", "")]
        assert drop_old_rejects(tx, AT - dt.timedelta(days=90)) == 0

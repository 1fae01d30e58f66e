"""Takes out what tables beside the model say of an account: ledger, plans, snapshots, resume points, texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import orjson
import polars as pl
from sqlalchemy import JSON, String, Table, or_, select

from kammodel.entities import ENTITIES, Account
from kammodel.entities.schema import table_of
from kammodel.store.erased import Erased, Org
from kammodel.store.store import Transaction

WORD = "forgotten"
"""Stands where a name stood."""
SHORTEST_NAME = 4
"""Characters. A shorter name is part of too many other words to be looked for; one that is spelled like our own codes
(`win_rate`) is not to be told from them."""
_LIKE_OURS = re.compile(r"[a-z0-9_]+")
_OF_ROWS = frozenset({"entity_version", "rejected_record", "restamp", "suppression"})
"""Tables that `forgetting` sees to, row by row."""
_VALUES = frozenset({"planned_cell", "written_cell"})
"""What other accounts hold in the CRM, word for word: nothing but our own words and numbers enters there."""


def names_of(tx: Transaction, org: Org, ids: Iterable[str]) -> list[str]:
    """The names by which texts may speak of accounts, the longest first: as the CRM has them, and as groups do."""
    listed = tx.backend.listed(pl.Series(sorted(ids), dtype=pl.String))
    sql = (
        "SELECT source_id, name FROM account WHERE source=:source AND source_instance=:instance "  # noqa: S608
        f"AND {tx.backend.among('source_id', 'ids')}"
    )
    known = tx.frame(sql, {"source_id": pl.String(), "name": pl.String()}, **org.key, ids=listed)
    named = {n for n in known["name"].drop_nulls() if len(n) >= SHORTEST_NAME and not _LIKE_OURS.fullmatch(n)}
    return sorted(named | {org.account_name(id_) for id_ in known["source_id"]}, key=lambda n: (-len(n), n))


def clean(tx: Transaction, org: Org, done: Erased, names: list[str]) -> None:
    """All of it. `names` as `names_of` gave them before the rows were gone."""
    accounts = done.ids.get(Account, set())
    if accounts:
        for table in other_tables():
            _take_out_cells(tx, org, table, accounts, done)
        _take_out_snapshots(tx, org, accounts, done)
    _forget_places(tx, org, {id_ for ids in done.ids.values() for id_ in ids}, done)
    for table in other_tables() if names else ():
        if table.name not in _VALUES:
            _replace(tx, table, names, done)


def other_tables() -> Iterator[Table]:
    """Every table that is not filled from a CRM, but for those of single rows; what is added later is among them."""
    entities = {table_of(entity).name for entity in ENTITIES}
    for table in table_of(Account).metadata.sorted_tables:
        if table.name not in entities | _OF_ROWS:
            yield table


def _take_out_cells(tx: Transaction, org: Org, table: Table, accounts: set[str], done: Erased) -> None:
    """Rows of accounts, in whatever table has any: by the account's key, or by that of the plan that they belong to."""
    if "source_id" not in table.c:
        return
    mine = "source=:source AND source_instance=:instance"
    if "source" not in table.c:
        mine = f"plan_id IN (SELECT plan_id FROM publish_plan WHERE {mine})"  # noqa: S608
    sql = f'DELETE FROM "{table.name}" WHERE {mine} AND {tx.backend.among("source_id", "ids")}'  # noqa: S608
    ids = tx.backend.listed(pl.Series(sorted(accounts), dtype=pl.String))
    done.counts[table.name] += tx.run(sql, [{**org.key, "ids": ids}])


def _take_out_snapshots(tx: Transaction, org: Org, accounts: set[str], done: Erased) -> None:
    groups = pl.Series(sorted(org.account_name(id_) for id_ in accounts), dtype=pl.String)
    sql = f"DELETE FROM score_snapshot WHERE {tx.backend.among('group_id', 'groups')}"  # noqa: S608
    done.counts["score_snapshot"] += tx.run(sql, [{"groups": tx.backend.listed(groups)}])


def _forget_places(tx: Transaction, org: Org, ids: set[str], done: Erased) -> None:
    """A place to go on from may be an id. Without it a slice under way begins again, and so does a look at links."""
    mine = "source=:source AND source_instance=:instance"
    schema = dict.fromkeys(("stream", "place"), pl.String())
    places = (
        ("bookmark", "resume_point", "resume_point=NULL, slice_since=NULL, slice_until=NULL"),
        ("backfill_window", "resume_point", "resume_point=NULL"),
        ("sweep", "linked_after", "linked_after=NULL"),
        ("sweep", "compared_after", "compared_after=NULL"),
    )
    for table, column, sets in places:
        sql = f"SELECT stream, {column} AS place FROM {table} WHERE {mine} AND {column} IS NOT NULL"  # noqa: S608
        found = tx.frame(sql, schema, **org.key).iter_rows()
        streams = [stream for stream, place in found if not ids.isdisjoint(_words(place))]
        sql = f"UPDATE {table} SET {sets} WHERE {mine} AND stream=:stream"  # noqa: S608
        if streams:
            done.emptied[table] += tx.run(sql, [org.key | {"stream": stream} for stream in streams])


def _words(place: str) -> set[str]:
    """Ids may have a colon in them, or stand behind one."""
    return {*re.split(r"[^\w:]+", place), *re.split(r"\W+", place)}


def _replace(tx: Transaction, table: Table, names: list[str], done: Erased) -> None:
    """Puts another word where a text of the table has one of the names."""
    # SQLModel's own text type is made of one of SQLAlchemy's.
    texts = [c for c in table.c if isinstance(getattr(c.type, "impl", c.type), String | JSON) and not c.primary_key]
    keys, wanted = list(table.primary_key.columns), re.compile("|".join(by_itself(n) for n in _forms(names)))
    for column in texts:
        query = select(*keys, column)
        if not isinstance(column.type, JSON):
            query = query.where(or_(*(column.contains(form, autoescape=True) for form in _forms(names))))
        for *key, value in tx.connection.execute(query).all():
            clean_value = _without(value, wanted)
            if clean_value != value:
                own = (c == k for c, k in zip(keys, key, strict=True))
                tx.connection.execute(table.update().where(*own).values({column.name: clean_value}))
                done.emptied[table.name] += 1


def by_itself(name: str) -> str:
    """A pattern of a name that is no part of a longer word."""
    before, after = (r"(?<!\w)" if name[0].isalnum() else "", r"(?!\w)" if name[-1].isalnum() else "")
    return f"{before}{re.escape(name)}{after}"


def _without(value: object, wanted: re.Pattern[str]) -> object:
    if isinstance(value, str):
        return wanted.sub(WORD, value)
    if isinstance(value, dict):
        return {_without(k, wanted): _without(v, wanted) for k, v in value.items()}
    return [_without(v, wanted) for v in value] if isinstance(value, list) else value


def _forms(names: list[str]) -> list[str]:
    """As they stand in a text, and within a JSON text; the longest first."""
    forms = {form for name in names for form in (name, orjson.dumps(name).decode()[1:-1])}
    return sorted(forms, key=lambda form: (-len(form), form))

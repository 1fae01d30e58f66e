"""Erases persons and accounts from a store: their rows, and whatever else in any table speaks of them.

What goes with whom is declared in `privacy.references`. Forgetting an account takes its deals, cases, contracts, plans
and the contacts that work there: they were kept for the business with it and for nothing else (GDPR, Article 5(1)(e)
and 17(1)(a): no longer necessary for the purpose). What other accounts have a part in, such as a meeting with two of
them, stays with them and loses the link. Figures that were summed over several accounts stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
import polars as pl

from kammodel.entities import ENTITIES, Account, Sourced
from kammodel.entities.activities import SEPARATOR
from kammodel.privacy.references import ELSEWHERE, Hits, Reference, kind_of, references_of, sifted
from kammodel.privacy.suppression import texts_of
from kammodel.store import mentions
from kammodel.store.erased import Erased, Ids, Org
from kammodel.store.store import Transaction

_FEW = 10
"""Ids that are looked for one by one where a column names several; for more, all rows in which it does are read: the
database would compare each of the ids with each of the rows."""
_KEY = "source=:source AND source_instance=:instance"
_ID = {"source_id": pl.String()}


def erase(tx: Transaction, org: Org, roots: Mapping[type[Sourced], Iterable[str]]) -> Erased:
    """Takes records out of every table, with all that belongs to them. Rows of `roots` need not be there: what came
    for one that was forgotten before goes likewise."""
    done = Erased(_closure(tx, org, {entity: set(ids) for entity, ids in roots.items()}))
    names = mentions.names_of(tx, org, done.ids.get(Account, ()))
    for entity in ENTITIES:
        ids = done.ids.get(entity)
        if ids:
            _take_out(tx, org, entity, ids, done)
        _empty_links(tx, org, entity, done)
        _clean_versions(tx, org, entity, done)
        _drop_rejects(tx, org, entity, done)
    mentions.clean(tx, org, done, names)
    return done


def _closure(tx: Transaction, org: Org, ids: Ids) -> Ids:
    """The roots, and everything that is a part of them, and of that, until nothing more is."""
    grows = True
    while grows:
        grows = False
        for entity in ENTITIES:
            rows = _naming(tx, org, entity, ids)
            dropped = sifted(entity, rows, _hits(entity, ids)).dropped["source_id"] if rows.height else ()
            new = set(dropped) - ids.get(entity, set())
            if new:
                ids.setdefault(entity, set()).update(new)
                grows = True
    return ids


def _hits(entity: type[Sourced], ids: Ids) -> Hits:
    """What of `ids` stands in which column of an entity."""
    by_kind = {kind_of(one): dict.fromkeys(sorted(of), "") for one, of in ids.items()}
    return {one.column: by_kind[one.kind] for one in _within(entity) if one.kind in by_kind}


def _within(entity: type[Sourced]) -> list[Reference]:
    """The columns that name records of the same CRM."""
    return [one for one in references_of(entity) if one.kind != ELSEWHERE]


def _naming(tx: Transaction, org: Org, entity: type[Sourced], ids: Ids) -> pl.DataFrame:
    """The rows of an entity that name any of the ids, or may (`sifted` looks closer): source_id, and the columns that
    name records."""
    hits = _hits(entity, ids)
    schema = _ID | {one.column: pl.String() for one in _within(entity)}
    found = [pl.DataFrame(schema=schema)]
    for one in _within(entity):
        if hits.get(one.column):
            condition, lists = _names_any(tx, one, sorted(hits[one.column]))
            sql = f'SELECT {",".join(schema)} FROM "{kind_of(entity)}" WHERE {_KEY} AND ({condition})'  # noqa: S608
            found.append(tx.frame(sql, schema, **org.key, **lists))
    return pl.concat(found).unique(maintain_order=True)


def _names_any(tx: Transaction, one: Reference, ids: list[str]) -> tuple[str, dict[str, object]]:
    """A condition that holds where a column names one of the ids, and its parameters."""
    condition, lists = tx.backend.among(one.column, "ids"), {"ids": _listed(tx, ids)}
    if not one.many:
        return condition, lists
    s = SEPARATOR
    patterns = [pattern for i in ids for pattern in (f"{i}{s}%", f"%{s}{i}", f"%{s}{i}{s}%")]
    if len(ids) > _FEW:
        patterns = [f"%{s}%"]
    return f"{condition} OR {tx.backend.like_any(one.column, 'patterns')}", lists | {"patterns": _listed(tx, patterns)}


def _take_out(tx: Transaction, org: Org, entity: type[Sourced], ids: set[str], done: Erased) -> None:
    """The rows themselves, what they were, what of them could not be read, and when they came again."""
    table, among = kind_of(entity), tx.backend.among("source_id", "ids")
    of = {**org.key, "ids": _listed(tx, ids)}
    done.counts[table] += tx.run(f'DELETE FROM "{table}" WHERE {_KEY} AND {among}', [of])  # noqa: S608
    for beside in ("entity_version", "rejected_record", "restamp"):
        sql = f"DELETE FROM {beside} WHERE entity=:entity AND {_KEY} AND {among}"  # noqa: S608
        done.counts[beside] += tx.run(sql, [{"entity": table, **of}])


def _empty_links(tx: Transaction, org: Org, entity: type[Sourced], done: Erased) -> None:
    """Rows that stay lose what names those that go. Their stamps stay too: in the CRM nothing has changed."""
    table = kind_of(entity)
    found = sifted(entity, _naming(tx, org, entity, done.ids), _hits(entity, done.ids))
    cleaned = found.kept.join(found.cleaned.to_frame(), on="source_id", how="semi")
    columns = [one.column for one in _within(entity) if not one.is_part]
    if cleaned.height:
        sets = ",".join(f"{column}=:{column}" for column in columns)
        sql = f'UPDATE "{table}" SET {sets} WHERE {_KEY} AND source_id=:source_id'  # noqa: S608
        done.emptied[table] += tx.run(sql, [org.key | row for row in cleaned.iter_rows(named=True)])
    elsewhere = [one.column for one in references_of(entity) if one.kind == ELSEWHERE]
    for column in elsewhere if done.ids.get(Account) else ():
        sql = f'UPDATE "{table}" SET {column}=NULL WHERE source<>:source AND {tx.backend.among(column, "ids")}'  # noqa: S608
        done.emptied[table] += tx.run(sql, [{"source": org.source, "ids": _listed(tx, done.ids[Account])}])


def _clean_versions(tx: Transaction, org: Org, entity: type[Sourced], done: Erased) -> None:
    """What rows that stay once were may name what goes."""
    hits = dict(_hits(entity, done.ids))
    _clean_contents(tx, entity, hits, done, where=_KEY, of=org.key)
    theirs = dict.fromkeys(done.ids.get(Account, ()), "")
    elsewhere = {one.column: theirs for one in references_of(entity) if one.kind == ELSEWHERE and theirs}
    _clean_contents(tx, entity, elsewhere, done, where="source<>:source", of={"source": org.source})


def _clean_contents(
    tx: Transaction, entity: type[Sourced], hits: Hits, done: Erased, *, where: str, of: dict[str, str]
) -> None:
    ids = {id_ for known in hits.values() for id_ in known}
    if not ids:
        return
    like = tx.backend.like_any("content", "patterns")
    sql = f"SELECT version_id, content FROM entity_version WHERE entity=:entity AND {where} AND {like}"  # noqa: S608
    schema = {"version_id": pl.Int64(), "content": pl.String()}
    found = tx.frame(sql, schema, entity=kind_of(entity), **of, patterns=_listed(tx, _in_json(ids)))
    cleaned = [
        {"id": number, "content": orjson.dumps(emptied).decode()}
        for number, content in found.iter_rows()
        for emptied in [_emptied(orjson.loads(content), hits)]
        if emptied is not None
    ]
    if cleaned:
        sql = "UPDATE entity_version SET content=:content WHERE version_id=:id"
        done.emptied["entity_version"] += tx.run(sql, cleaned)


def _emptied(content: dict[str, object], hits: Hits) -> dict[str, object] | None:
    """A version's columns without the ids; None where none of them is in it."""
    changed = False
    for column, known in hits.items():
        value = content.get(column)
        if isinstance(value, str) and not known.keys().isdisjoint(ids := value.split(SEPARATOR)):
            content[column] = SEPARATOR.join(id_ for id_ in ids if id_ not in known) or None
            changed = True
    return content if changed else None


def _drop_rejects(tx: Transaction, org: Org, entity: type[Sourced], done: Erased) -> None:
    """Rows that could not be read and name what goes: nobody can tell what else of it stands in them. One that stays in
    the CRM is found missing when ids are compared, and is read again."""
    ids = {id_ for known in _hits(entity, done.ids).values() for id_ in known}
    if not ids:
        return
    of = {"entity": kind_of(entity), **org.key}
    sql = (
        f"SELECT stream, source_id, raw FROM rejected_record WHERE entity=:entity AND {_KEY} "  # noqa: S608
        f"AND {tx.backend.like_any('raw', 'patterns')}"
    )
    schema = dict.fromkeys(("stream", "source_id", "raw"), pl.String())
    found = tx.frame(sql, schema, **of, patterns=_listed(tx, _in_json(ids)))
    named = [of | {"stream": s, "id": i} for s, i, raw in found.iter_rows() if not ids.isdisjoint(texts_of(raw))]
    if named:
        sql = f"DELETE FROM rejected_record WHERE entity=:entity AND {_KEY} AND stream=:stream AND source_id=:id"  # noqa: S608
        done.counts["rejected_record"] += tx.run(sql, named)


def _in_json(ids: Iterable[str]) -> list[str]:
    """Patterns of a JSON text that has one of the ids as a value, or among several in a value."""
    s = SEPARATOR
    return [p for i in sorted(ids) for p in (f'%"{i}"%', f'%"{i}{s}%', f'%{s}{i}"%', f"%{s}{i}{s}%")]


def _listed(tx: Transaction, texts: Iterable[str]) -> object:
    return tx.backend.listed(pl.Series(sorted(texts), dtype=pl.String))

"""Finds the records that a person asks to forget: by id, or a person by address."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from kammodel.entities import Person, Sourced
from kammodel.privacy.hashing import HashKey, bare_address
from kammodel.privacy.references import kind_of
from kammodel.privacy.suppression import texts_of
from kammodel.store.erased import Org
from kammodel.store.store import Transaction

_KEY = dict.fromkeys(("source", "source_instance", "source_id"), pl.String())
_NAMES = ",".join(_KEY)


def records_with_id(tx: Transaction, entity: type[Sourced], given: str) -> pl.DataFrame:
    """source, source_instance, source_id of the records with an id, be they read or set aside. `given`: as the CRM has
    it (Salesforce's short form too), or `source:instance:id`."""
    same = "(source_id=:id OR substr(source_id, 1, 15)=:id OR source || ':' || source_instance || ':' || source_id=:id)"
    sql = (
        f'SELECT {_NAMES} FROM "{kind_of(entity)}" WHERE {same} UNION '  # noqa: S608
        f"SELECT {_NAMES} FROM rejected_record WHERE entity=:entity AND {same}"
    )
    return tx.frame(sql, _KEY, id=given, entity=kind_of(entity)).sort(list(_KEY))


def persons_with_address(tx: Transaction, address_hash: str, address: str) -> pl.DataFrame:
    """source, source_instance, source_id of every person with an address, kept as a hash or as it is; of rows that were
    set aside too. `address`: empty where only its hash is known."""
    sql = f"SELECT {_NAMES} FROM person WHERE email_hash=:hash OR email=:address"  # noqa: S608
    read = tx.frame(sql, _KEY, hash=address_hash, address=address)
    wanted = {text for text in (address_hash, address) if text}
    return pl.concat([read, _set_aside_with(tx, wanted)]).unique().sort(list(_KEY))


def _set_aside_with(tx: Transaction, wanted: set[str]) -> pl.DataFrame:
    """Persons that could not be read, with one of the texts as a value. An address stands there as the CRM has it."""
    like = tx.backend.like_any("lower(raw)", "patterns")
    sql = f"SELECT {_NAMES}, raw FROM rejected_record WHERE entity=:entity AND {like}"  # noqa: S608
    patterns = tx.backend.listed(pl.Series([f"%{text}%" for text in sorted(wanted)], dtype=pl.String))
    found = tx.frame(sql, _KEY | {"raw": pl.String()}, entity=kind_of(Person), patterns=patterns)
    has = [not wanted.isdisjoint(map(bare_address, texts_of(raw))) for raw in found["raw"]]
    return found.filter(pl.Series(has, dtype=pl.Boolean)).select(list(_KEY))


def ended_persons(tx: Transaction, org: Org, ids: Iterable[str]) -> set[str]:
    """Those of the ids that the CRM deleted, or merged into others."""
    listed = tx.backend.listed(pl.Series(sorted(ids), dtype=pl.String))
    sql = (
        "SELECT source_id FROM person WHERE source=:source AND source_instance=:instance "  # noqa: S608
        f"AND (deleted OR merged_into_id IS NOT NULL) AND {tx.backend.among('source_id', 'ids')}"
    )
    return set(tx.frame(sql, {"source_id": pl.String()}, **org.key, ids=listed)["source_id"])


def addresses_of(tx: Transaction, org: Org, ids: Iterable[str], key: HashKey) -> dict[str, tuple[str, str]]:
    """Of persons whose address is known, by source_id: its hash, and itself where it is kept, else an empty text."""
    listed = tx.backend.listed(pl.Series(sorted(ids), dtype=pl.String))
    sql = (
        "SELECT source_id, email_hash, email FROM person WHERE source=:source AND source_instance=:instance "  # noqa: S608
        f"AND {tx.backend.among('source_id', 'ids')}"
    )
    schema = dict.fromkeys(("source_id", "email_hash", "email"), pl.String())
    found = tx.frame(sql, schema, **org.key, ids=listed).iter_rows()
    told = {id_: (key.of_address(address) if address else hash_, address or "") for id_, hash_, address in found}
    return {id_: (hash_, address) for id_, (hash_, address) in told.items() if hash_}

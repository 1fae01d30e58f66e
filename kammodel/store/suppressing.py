"""The entries of what was forgotten: written with the erasure, read before anything of a CRM is stored."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlmodel import col, select

from kammodel.digest import digest
from kammodel.entities import Account, Suppression
from kammodel.entities.types import to_micros
from kammodel.errors import KamError, NotConfigured
from kammodel.privacy.hashing import HashKey
from kammodel.privacy.references import ELSEWHERE, kind_of
from kammodel.privacy.suppression import ENTRIES, Suppressed, is_remembered, record_hash, suppressed
from kammodel.store.erased import Ids, Org
from kammodel.store.store import Transaction

SHORTEST_PREFIX = 8
"""Hexadecimal digits with which an entry may be named."""


def load_suppressed(tx: Transaction, source: str, instance: str) -> Suppressed | None:
    """What was forgotten, as an org or portal recognises it; None where nothing was. Raises NotConfigured without the
    key that it was hashed with: nobody could be told from it, and all of them would come back."""
    entries = tx.frame(f"SELECT {','.join(ENTRIES)} FROM suppression", ENTRIES)  # noqa: S608
    if entries.is_empty():
        return None
    key = tx.hash_key
    if key is None or (entries["key_mark"] != key.mark).any():
        missing = "is missing" if key is None else "is another one than before"
        raise NotConfigured(
            f"KAM_HASH_KEY {missing}: {entries.height:,} entries of what was forgotten were made with it, and without "
            "it they would be read again. Set it as it was, or let them in: kam forget --list, kam forget --allow HASH"
        )
    return suppressed(entries, key, source, instance)


def entries_of(key: HashKey, org: Org, ids: Ids, *, top: str | None = None) -> pl.DataFrame:
    """ENTRIES of records that go, of the kinds that other rows name, and of accounts as the other CRM names them; all
    under the entry `top`, but for that itself."""
    kinds = [(kind_of(entity), of) for entity, of in ids.items() if is_remembered(kind_of(entity))]
    kinds += [(ELSEWHERE, ids[Account])] if Account in ids else []
    hashes = [(record_hash(key, kind, org.source, org.instance, i), kind) for kind, of in kinds for i in sorted(of)]
    rows = [(hash_, kind, None if hash_ == top else top, None, key.mark) for hash_, kind in hashes]
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


def add_suppressed(tx: Transaction, entries: pl.DataFrame, at: dt.datetime) -> int:
    """Remembers entries (ENTRIES); one that is there stays as it is. How many were new."""
    sql = (
        "INSERT INTO suppression (hash, kind, under, address_hash, key_mark, forgotten_at) "
        "VALUES (:hash, :kind, :under, :address_hash, :key_mark, :at) ON CONFLICT (hash) DO NOTHING"
    )
    rows = [row | {"at": to_micros(at)} for row in entries.iter_rows(named=True)]
    return tx.run(sql, rows) if rows else 0


def forgotten_mark(tx: Transaction) -> str:
    """Changes whenever somebody is forgotten, or let in again; for whoever computes from rows read before."""
    sql = "SELECT count(*) AS n, CAST(coalesce(max(forgotten_at), 0) AS BIGINT) AS last FROM suppression"
    return digest(tx.frame(sql, {"n": pl.Int64(), "last": pl.Int64()}).row(0))


def suppressions(tx: Transaction) -> list[tuple[Suppression, int]]:
    """What people asked to forget, oldest first, each with how many entries came under it."""
    every = list(tx.session.exec(select(Suppression).order_by(col(Suppression.forgotten_at), col(Suppression.hash))))
    under = [one.under for one in every]
    return [(one, under.count(one.hash)) for one in every if one.under is None]


def lift_suppression(tx: Transaction, prefix: str) -> Suppression:
    """Lets in again what was forgotten under an entry, named by the beginning of its hash. Raises KamError where none
    or several begin so."""
    if len(prefix) < SHORTEST_PREFIX:
        raise KamError(f"name an entry by at least the first {SHORTEST_PREFIX} digits of its hash: kam forget --list")
    found = [one for one, _ in suppressions(tx) if one.hash.startswith(prefix.lower())]
    if len(found) != 1:
        told = "no entry begins so" if not found else f"{len(found)} entries begin so: name more digits"
        raise KamError(f"{told}; kam forget --list shows them")
    tx.run("DELETE FROM suppression WHERE hash=:hash OR under=:hash", [{"hash": found[0].hash}])
    return Suppression(**found[0].model_dump())

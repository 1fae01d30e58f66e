"""Tells rows of a CRM that are forgotten: by the keyed hash of their own id, of what they belong to, or of the address.

What was forgotten is known by hashes alone, so that each id that comes has to be hashed to be looked up; of a kind of
which nothing was forgotten none is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import orjson
import polars as pl

from kammodel.entities import Person, Sourced
from kammodel.entities.activities import SEPARATOR
from kammodel.privacy.hashing import HashKey
from kammodel.privacy.references import ELSEWHERE, KINDS, Sifted, kind_of, references_of, sifted

ENTRIES = {
    "hash": pl.String(),
    "kind": pl.String(),
    "under": pl.String(),
    "address_hash": pl.String(),
    "key_mark": pl.String(),
}
"""What of an entry is needed to recognise what was forgotten."""


@dataclass(frozen=True)
class Suppressed:
    """Everything that was forgotten, as one key and one org or portal recognise it.

    `hashes`: by kind, each with the entry that it came under. `addresses`: of persons, likewise.
    """

    key: HashKey
    source: str
    instance: str
    hashes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    def hits(self, kind: str, ids: Iterable[str]) -> dict[str, str]:
        """Those of the ids that are forgotten, each with the entry behind it."""
        known = self.hashes.get(kind)
        if not known:
            return {}
        hashed = ((id_, self.hash_of(kind, id_)) for id_ in ids)
        return {id_: known[hash_] for id_, hash_ in hashed if hash_ in known}

    def hash_of(self, kind: str, source_id: str) -> str:
        """Under which a record of this org or portal is remembered."""
        return record_hash(self.key, kind, self.source, self.instance, source_id)

    def sift(self, entity: type[Sourced], rows: pl.DataFrame) -> Sifted:
        """The rows that may be stored, and those that may not, each with the entry that says so."""
        hits = {"source_id": self.hits(kind_of(entity), rows["source_id"])}
        for one in references_of(entity):
            if one.column in rows.columns:
                hits[one.column] = self.hits(one.kind, _ids(rows[one.column], many=one.many))
        if entity is Person:
            hits["source_id"] |= self._by_address(rows)
        return sifted(entity, rows, hits)

    def sift_rejects(self, entity: type[Sourced], rejects: pl.DataFrame) -> pl.DataFrame:
        """Less the rows that could not be read and are forgotten, or name anybody who is: there is no telling what
        else of theirs stands in such a row."""
        if rejects.is_empty() or not (self.hashes or self.addresses):
            return rejects
        kinds = {kind_of(entity), *(one.kind for one in references_of(entity))}
        named = [
            any(self.hits(kind, {id_, *texts_of(raw)}) for kind in kinds) or not self.addresses.keys().isdisjoint(texts)
            for id_, raw in rejects.select("source_id", "raw").iter_rows()
            for texts in [set(texts_of(raw))]
        ]
        return rejects.filter(~pl.Series(named, dtype=pl.Boolean))

    def _by_address(self, rows: pl.DataFrame) -> dict[str, str]:
        """source_id of the persons whose address is that of somebody forgotten."""
        if not self.addresses or "email_hash" not in rows.columns:
            return {}
        known = dict(rows.select("source_id", "email_hash").drop_nulls().iter_rows())
        plain = rows.select("source_id", "email").drop_nulls().iter_rows()
        known |= {id_: self.key.of_address(address) for id_, address in plain}
        return {id_: self.addresses[hash_] for id_, hash_ in known.items() if hash_ in self.addresses}


def suppressed(entries: pl.DataFrame, key: HashKey, source: str, instance: str) -> Suppressed:
    """From the entries of a store (ENTRIES) that were made with this key."""
    own = entries.filter(pl.col("key_mark") == key.mark).with_columns(top=pl.coalesce("under", "hash"))
    hashes = {str(kind): dict(of_kind.select("hash", "top").iter_rows()) for (kind,), of_kind in own.group_by("kind")}
    addresses = own.drop_nulls("address_hash").select("address_hash", "top")
    return Suppressed(key, source, instance, hashes, dict(addresses.iter_rows()))


def record_hash(key: HashKey, kind: str, source: str, instance: str, source_id: str) -> str:
    """Of a record; of an account as the other CRM names it, which tells its id alone."""
    of = ("", "") if kind == ELSEWHERE else (source, instance)
    return key.of_record(kind, *of, source_id)


def is_remembered(kind: str) -> bool:
    """Whether other rows name records of this kind, so that it has to be known which are forgotten."""
    return kind in KINDS


def texts_of(raw: str) -> Iterator[str]:
    """Every value of a raw row, those of a list one by one."""
    for value in orjson.loads(raw or "{}").values():
        if isinstance(value, str):
            yield from (part.strip() for part in value.split(SEPARATOR))


def _ids(column: pl.Series, *, many: bool) -> pl.Series:
    filled = column.drop_nulls()
    return (filled.str.split(SEPARATOR).explode() if many else filled).unique()

"""Keeps out what was forgotten: rows of a CRM that are theirs, or belong to them, are not stored."""

from __future__ import annotations

import datetime as dt

import polars as pl

from connectors.contract import Identity
from connectors.mapping import Normalized
from kammodel.entities import Sourced
from kammodel.privacy.references import kind_of
from kammodel.privacy.suppression import Suppressed, is_remembered
from kammodel.store import Transaction
from kammodel.store.erased import Org
from kammodel.store.forgetting import erase
from kammodel.store.suppressing import add_suppressed, entries_of, load_suppressed


class KeptOut:
    """Stands before the rows of one transaction: what is forgotten meanwhile holds from the next one on. Raises
    NotConfigured where KAM_HASH_KEY is not the one that what was forgotten is known by."""

    def __init__(self, tx: Transaction, identity: Identity, at: dt.datetime) -> None:
        self._tx, self._at = tx, at
        self._org = Org(identity.source, identity.instance)
        self._known = load_suppressed(tx, identity.source, identity.instance)

    def let_in(self, entity: type[Sourced], came: Normalized) -> Normalized:
        """What may be stored of a page, or kept for another try."""
        if self._known is None:
            return came
        return Normalized(self.rows(entity, came.rows), self._known.sift_rejects(entity, came.rejects))

    def rows(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.DataFrame:
        """Less what is forgotten, and without the cells that name it. Works on what tells of merges as on rows."""
        if self._known is None or rows.is_empty():
            return rows
        found = self._known.sift(entity, rows)
        if found.dropped.height:
            self._keep_out(self._known, entity, found.dropped)
        return found.kept

    def _keep_out(self, known: Suppressed, entity: type[Sourced], dropped: pl.DataFrame) -> None:
        """What belongs to somebody forgotten, and was not known to, goes from the store as well, and is remembered if
        other rows may name it: a deal that was opened since, a person who came again under another id."""
        kind = kind_of(entity)
        there = known.hits(kind, dropped["source_id"])
        for (why,), new in dropped.filter(~pl.col("source_id").is_in(list(there))).group_by("why", maintain_order=True):
            gone = erase(self._tx, self._org, {entity: new["source_id"].to_list()}).ids
            if is_remembered(kind):
                add_suppressed(self._tx, entries_of(known.key, self._org, gone, top=str(why)), self._at)

"""E-mail addresses of contacts: not asked of a CRM at all, or read as keyed hashes, or, where switched on, kept."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.codecs import Codec, filled
from connectors.mapping import Line
from kammodel.privacy.hashing import HashKey, hashed_addresses


@dataclass(frozen=True)
class Emails:
    """What becomes of addresses. `key`: they are hashed with it (KAM_HASH_KEY). `kept`: they are stored as they are too
    (KAM_KEEP_EMAILS). With neither, the CRM is not asked for them."""

    key: HashKey | None = None
    kept: bool = False

    def lines(self, theirs: str) -> tuple[Line, ...]:
        """How their field of a contact's address becomes ours."""
        hashed = (Line("email_hash", theirs, _hash_of(self.key, kept=self.kept), optional=True),) if self.key else ()
        return (*hashed, *((Line("email", theirs, _ADDRESS, optional=True),) if self.kept else ()))


NO_EMAILS = Emails()


def _hash_of(key: HashKey, *, kept: bool) -> Codec:
    """The mark of the key in its name: with another one everything is read again. What could not be read for another
    reason is set aside with the hash in place of the address, unless addresses are kept."""

    def decode(column: pl.Expr) -> pl.Expr:
        return filled(column).map_batches(lambda given: hashed_addresses(given, key), return_dtype=pl.String)

    return Codec(f"keyed_hash({key.mark})", decode, total=True, seals=not kept)


_ADDRESS = Codec("email_address", lambda column: filled(column).str.strip_chars().str.to_lowercase(), total=True)

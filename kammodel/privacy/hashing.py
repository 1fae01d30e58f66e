"""Keyed hashes: of e-mail addresses, and of the ids of records that were forgotten.

HMAC-SHA256 (RFC 2104), as 64 hexadecimal digits: equal texts stay equal, and without the key nobody can try out which
text it was. A plain hash of an address or an id is found by trying all of them.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SHORTEST_KEY = 16
"""Characters of KAM_HASH_KEY. A key that can be guessed protects nothing."""
HEX_DIGITS = 64
_MARK = "kam: which key is it"


class HashKey:
    """KAM_HASH_KEY. It shows itself in no text."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        if len(secret.strip()) < SHORTEST_KEY:
            raise ValueError(f"a key for hashes needs at least {SHORTEST_KEY} characters")
        self._secret = secret.strip().encode()

    def __repr__(self) -> str:
        return "HashKey(********)"

    @property
    def mark(self) -> str:
        """Eight hexadecimal digits that differ between keys: with another key, nothing that was hashed is found."""
        return self._hash(_MARK)[:8]

    def of_address(self, address: str) -> str:
        """Of an e-mail address, trimmed and in lower case."""
        return self._hash(bare_address(address))

    def of_record(self, kind: str, source: str, instance: str, source_id: str) -> str:
        """Of a record's key. No address has a zero byte, so that the two never meet."""
        return self._hash("\x00".join(("record", kind, source, instance, source_id)))

    def _hash(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


def bare_address(address: str) -> str:
    """As it is hashed: trimmed, in lower case."""
    return address.strip().lower()


def hashed_addresses(addresses: pl.Series, key: HashKey) -> pl.Series:
    """Each address of a column as its keyed hash. What is a hash already stays as it is: a row that was set aside
    keeps the hash in place of the address, and is read again later."""
    # Settings need the rest of this file, and Polars takes long to import.
    import polars as pl

    distinct = addresses.drop_nulls().unique()
    # No expression of Polars knows a keyed hash.
    known = {text: text if _is_hash(text) else key.of_address(text) for text in distinct}
    return addresses.replace_strict(known, default=None, return_dtype=pl.String)


def _is_hash(text: str) -> bool:
    return len(text) == HEX_DIGITS and all(digit in "0123456789abcdef" for digit in text)

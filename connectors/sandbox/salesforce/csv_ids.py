"""Gives the rows of an export ids that Salesforce could have given, and finds what they refer to."""

from __future__ import annotations

import hashlib

from connectors.sandbox.salesforce.ids import salesforce_id, widened

# The upper part of the numbers is left to records that are made later: ids grow.
_NUMBERS = 62**8


class Ids:
    """The ids of one object's rows: real ones as they are (widened), any other text under one made from it.

    The same text gives the same id in every load, whatever other rows there are.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._of: dict[str, str] = {}
        self._given: set[str] = set()

    def give(self, text: str) -> str | None:
        """The id for a row's own key; None where a row has that key already."""
        full = self._own(text)
        if full in self._given:
            return None
        self._given.add(full)
        self._of[self._key(text)] = full
        return full

    def find(self, text: str) -> str | None:
        """The id of the row that a reference means; None where there is no such row."""
        return self._of.get(self._key(text))

    def withdraw(self, text: str) -> None:
        """The row with this key is not held after all: what refers to it refers to nothing."""
        self._given.discard(self._of.pop(self._key(text), ""))

    def _key(self, text: str) -> str:
        return self._real(text) or text

    def _real(self, text: str) -> str | None:
        full = widened(text)
        return full if full and full.startswith(self.prefix) else None

    def _own(self, text: str) -> str:
        real = self._real(text)
        if real is not None:
            return real
        digest = hashlib.blake2b(f"{self.prefix}:{text}".encode(), digest_size=8).digest()
        return salesforce_id(self.prefix, 1 + int.from_bytes(digest, "big") % (_NUMBERS - 1))

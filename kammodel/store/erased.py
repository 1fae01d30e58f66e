"""What is erased: of which org, which records, and how many rows of which tables that took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kammodel.entities import Sourced

Ids = dict[type[Sourced], set[str]]
"""source_id by entity."""


@dataclass(frozen=True)
class Org:
    """The org or portal whose records are erased."""

    source: str
    instance: str

    @property
    def key(self) -> dict[str, str]:
        """As parameters of a query."""
        return {"source": self.source, "instance": self.instance}

    def account_name(self, source_id: str) -> str:
        """As groups and files name an account."""
        return f"{self.source}:{self.instance}:{source_id}"


@dataclass(frozen=True)
class Erased:
    """`ids`: of the records that are gone, by entity. `counts`: rows taken out, by table; `emptied`: rows that stay and
    lost a link or a word."""

    ids: Ids
    counts: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)

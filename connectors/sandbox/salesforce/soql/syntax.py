"""What a SOQL statement is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

Kind = OneOf["string", "number", "boolean", "null", "date", "datetime", "period"]


@dataclass(frozen=True)
class Path:
    """A field, by way of lookups: `Account.Owner.Name`. `at` is its place in the statement."""

    parts: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        """As it was written."""
        return ".".join(self.parts)


@dataclass(frozen=True)
class Call:
    """An aggregate; `path` is None for COUNT()."""

    function: str
    path: Path | None
    alias: str | None
    at: int


@dataclass(frozen=True)
class Literal:
    """A value. A string keeps its escapes in `raw`, which LIKE needs; a period is `LAST_N_DAYS` with its number."""

    kind: Kind
    value: str | float | bool | None
    at: int
    raw: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; the operator in capitals."""

    path: Path
    operator: str
    value: Literal


@dataclass(frozen=True)
class Membership:
    """IN, NOT IN, INCLUDES, EXCLUDES: a list of values, or another query."""

    path: Path
    operator: str
    values: tuple[Literal, ...] | Select


@dataclass(frozen=True)
class Negation:
    """NOT."""

    inner: Condition


@dataclass(frozen=True)
class Junction:
    """AND or OR of two or more."""

    operator: OneOf["AND", "OR"]
    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Negation | Junction


@dataclass(frozen=True)
class Order:
    """One term of ORDER BY."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Select:
    """A whole statement. `count_only` is SELECT COUNT() without GROUP BY."""

    text: str
    items: tuple[Path | Call, ...]
    sobject: str
    sobject_at: int
    where: Condition | None = None
    group_by: tuple[Path, ...] = ()
    order_by: tuple[Order, ...] = field(default=())
    limit: int | None = None
    offset: int = 0
    all_fields: str | None = None

    @property
    def count_only(self) -> bool:
        """Whether only a number is asked for."""
        first = self.items[0] if len(self.items) == 1 else None
        return isinstance(first, Call) and first.path is None and first.alias is None and not self.group_by

    @property
    def aggregate(self) -> bool:
        """Whether rows are folded into groups."""
        return bool(self.group_by) or any(isinstance(item, Call) for item in self.items)

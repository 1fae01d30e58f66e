"""What each operation needs, which kinds of columns it takes, and in what unit the figure comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kammodel.rollups.declaring import Kind, Operation, Unit

Need = Literal["needed", "possible"]

_AMOUNTS: frozenset[Kind] = frozenset({"money", "number", "whole"})
_NUMBERS: frozenset[Kind] = _AMOUNTS | {"ratio"}
_SORTED: frozenset[Kind] = _NUMBERS | {"text", "date", "moment"}
_ALL: frozenset[Kind] = _SORTED | {"flag"}
_WORDS: frozenset[Kind] = frozenset({"text", "whole", "date", "moment", "flag"})

_OF_VALUE: Mapping[Kind, Unit] = {
    "money": "money",
    "number": "number",
    "ratio": "ratio",
    "whole": "count",
    "date": "date",
    "moment": "date",
    "flag": "flag",
    "text": "text",
}


@dataclass(frozen=True)
class Takes:
    """`kinds` of columns; `unit` of the figure, None for that of a value."""

    kinds: frozenset[Kind]
    column: Need = "needed"
    order: Need = "possible"
    unit: Unit | None = None
    top_n: bool = True


TAKES: Mapping[Operation, Takes] = {
    "sum": Takes(_AMOUNTS),
    "count": Takes(_ALL, column="possible", unit="count"),
    "count_distinct": Takes(_ALL, unit="count"),
    "avg": Takes(_NUMBERS),
    "min": Takes(_SORTED),
    "max": Takes(_SORTED),
    "median": Takes(_NUMBERS),
    "percentile": Takes(_NUMBERS),
    "first": Takes(_ALL, order="needed", top_n=False),
    "last": Takes(_ALL, order="needed", top_n=False),
    "most_frequent": Takes(_WORDS),
    "any": Takes(frozenset({"flag"}), column="possible", unit="flag"),
    "all": Takes(frozenset({"flag"}), column="possible", unit="flag"),
    "none": Takes(frozenset({"flag"}), column="possible", unit="flag"),
    "concat": Takes(frozenset({"text", "whole", "date", "moment"}), unit="text"),
}
MATCHING: frozenset[Operation] = frozenset({"any", "all", "none"})
"""Operations that ask something of each row: of a column that is a flag, or by `matches`."""

_BETWEEN: frozenset[Operation] = frozenset({"avg", "median", "percentile"})


def unit_of(operation: Operation, kind: Kind | None) -> Unit:
    """The unit of the figure. What lies between whole numbers is a number."""
    unit = TAKES[operation].unit
    if unit is not None or kind is None:
        return unit or "count"
    return "number" if kind == "whole" and operation in _BETWEEN else _OF_VALUE[kind]

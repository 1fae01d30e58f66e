"""What the figures over one frame have in common is computed once: conditions on rows, and sums of them.

Polars looks for common parts of expressions where it selects, and not where it groups (2.1, as its plans show): a
window of time would be looked at again for every figure, and a sum for every place in which a figure names it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

_Tree = Any
"""An expression as Polars writes it down: a dict of its kind and what is below it, in lists, dicts and plain values."""

_COMPARING = frozenset({"And", "Or", "Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "EqValidity", "NotEqValidity"})
_TESTING = frozenset({"IsBetween", "IsIn", "IsNotNull", "IsNull", "Not"})
_PLAIN = frozenset({"BinaryExpr", "Cast", "Column", "Function", "Literal", "Ternary"})
_MADE_OF = {"BinaryExpr": ("left", "right"), "Cast": ("expr",), "Ternary": ("predicate", "truthy", "falsy")}
_LEAVES = frozenset({"Column", "Literal"})
_FUNCTIONS = frozenset({"Abs", "Clip", "Coalesce", "FillNull", "Pow", "Round", "StringExpr", "TemporalExpr"})
"""Kinds of expressions, and of functions, that tell of a row by that row alone."""


@dataclass(frozen=True)
class Plan:
    """`conditions`: columns to add to the rows; `parts`: aggregates over these; `figures`: over the parts."""

    conditions: list[pl.Expr]
    parts: list[pl.Expr]
    figures: list[pl.Expr]


def planned(figures: Mapping[str, pl.Expr]) -> Plan:
    """The same figures in three steps. One that is more than arithmetic of aggregates is an aggregate as a whole."""
    parts, conditions = _Named("="), _Named("?")
    told = {name: _tree(figure) for name, figure in figures.items()}
    last = {name: _over(tree, parts) if _is_arithmetic(tree) else parts.column(tree) for name, tree in told.items()}
    seen = Counter(orjson.dumps(tree) for part in parts for tree in _conditions(part))
    repeated = {text for text, times in seen.items() if times > 1}
    shared = [_with_conditions(part, repeated, conditions) for part in parts]
    return Plan(
        conditions=[_expression(tree, conditions.name(n)) for n, tree in enumerate(conditions)],
        parts=[_expression(tree, parts.name(n)) for n, tree in enumerate(shared)],
        figures=[_expression(tree, name) for name, tree in last.items()],
    )


class _Named:
    """Trees, each of them once, and the columns that stand for them."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self._numbers: dict[bytes, int] = {}
        self._trees: list[_Tree] = []

    def column(self, tree: _Tree) -> _Tree:
        number = self._numbers.setdefault(orjson.dumps(tree), len(self._trees))
        if number == len(self._trees):
            self._trees.append(tree)
        return {"Column": self.name(number)}

    def name(self, number: int) -> str:
        return f"{self.mark}{number}"

    def __iter__(self) -> Iterator[_Tree]:
        return iter(self._trees)


def _tree(expression: pl.Expr) -> _Tree:
    return orjson.loads(expression.meta.serialize(format="json"))


def _expression(tree: _Tree, name: str) -> pl.Expr:
    return pl.Expr.deserialize(io.BytesIO(orjson.dumps(tree)), format="json").alias(name)


def _mapped(node: _Tree, make: Callable[[_Tree], _Tree]) -> _Tree:
    """The same with `make` of each node right below it."""
    if _is_leaf(node):
        return node
    if isinstance(node, dict):
        return {key: make(below) for key, below in node.items()}
    return [make(below) for below in node]


def _below(node: _Tree) -> Iterator[_Tree]:
    if not _is_leaf(node):
        yield from node.values() if isinstance(node, dict) else node


def _is_leaf(node: _Tree) -> bool:
    """Whether there is no expression below."""
    if isinstance(node, dict):
        return len(node) == 1 and not node.keys().isdisjoint(_LEAVES)
    return not isinstance(node, list)


def _kind(node: _Tree) -> str | None:
    """The kind of an expression; None of a node that is none, or is none that we know."""
    if isinstance(node, dict) and len(node) == 1:
        (kind,) = node
        return kind if kind in _PLAIN else None
    return None


def _function(node: _Tree) -> tuple[str, str]:
    """The name of a function, and that of what it does where there are several by that name."""
    told = node["Function"]["function"]
    if isinstance(told, str):
        return told, ""
    name, more = next(iter(told.items()))
    return name, more if isinstance(more, str) else next(iter(more), "")


def _is_aggregate(node: _Tree) -> bool:
    if _kind(node) == "Function":
        return _function(node) in {("Boolean", "Any"), ("Boolean", "All")} or _function(node)[0] == "Quantile"
    return isinstance(node, dict) and node.keys() == {"Agg"}


def _operands(node: _Tree) -> list[_Tree]:
    """The expressions that a plain one is made of."""
    kind, told = _kind(node), next(iter(node.values()))
    if kind == "Function":
        return list(told["input"])
    return [told[name] for name in _MADE_OF.get(str(kind), ())]


def _is_plain(node: _Tree) -> bool:
    """Whether a node by itself tells of a row by that row alone."""
    kind = _kind(node)
    if kind != "Function":
        return kind is not None
    name, more = _function(node)
    return name in _FUNCTIONS or (name == "Boolean" and more in _TESTING)


def _is_arithmetic(node: _Tree) -> bool:
    """Whether a figure is made of aggregates, row by row of these."""
    if _is_aggregate(node):
        return True
    return _is_plain(node) and _kind(node) != "Column" and all(map(_is_arithmetic, _operands(node)))


def _tells_of_rows(node: _Tree) -> bool:
    return _is_plain(node) and all(map(_tells_of_rows, _operands(node)))


def _is_condition(node: _Tree) -> bool:
    """Whether it is true or false of a row."""
    kind = _kind(node)
    if kind == "BinaryExpr":
        tests = node[kind]["op"] in _COMPARING
    else:
        tests = kind == "Function" and _function(node)[0] == "Boolean"
    return tests and _tells_of_rows(node)


def _over(tree: _Tree, parts: _Named) -> _Tree:
    """The tree over columns of aggregates."""
    return parts.column(tree) if _is_aggregate(tree) else _mapped(tree, lambda node: _over(node, parts))


def _conditions(tree: _Tree) -> Iterator[_Tree]:
    if _is_condition(tree):
        yield tree
    for below in _below(tree):
        yield from _conditions(below)


def _with_conditions(tree: _Tree, repeated: set[bytes], conditions: _Named) -> _Tree:
    """The tree over columns of conditions, in the place of those that come up more than once."""
    if _is_condition(tree) and orjson.dumps(tree) in repeated:
        return conditions.column(tree)
    return _mapped(tree, lambda node: _with_conditions(node, repeated, conditions))

"""Search filters: does a record, as the index sees it, match?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

from connectors.sandbox.hubspot.asking import checked_object
from connectors.sandbox.hubspot.instants import parse_ms
from connectors.sandbox.hubspot.kinds import Kind, kind_of
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import SYSTEM_NAMES, Record
from connectors.sandbox.hubspot.refusals import Refusal, error_body, invalid, unknown_to_sandbox

_ONE = frozenset({"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"})
_MANY = frozenset({"IN", "NOT_IN"})
_NONE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
# Answered with an error 400 by HubSpot when they stand in a filter.
_UNSEARCHABLE = frozenset({"hs_body_preview_html", "hs_email_html"})
_ASSOCIATIONS = "associations."

Comparable = Decimal | int | str


@dataclass(frozen=True)
class Filter:
    """One condition, checked: `values` are lower and upper bound for BETWEEN, all of them for IN, else one."""

    name: str
    operator: str
    values: tuple[str, ...]
    type: str

    @property
    def bounds(self) -> tuple[int | None, int | None] | None:
        """The closed range of whole numbers (ids, milliseconds) that the filter lets through, if it is one."""
        if self.type not in {"number", "datetime"} or self.operator not in _RANGES:
            return None
        numbers = [parse_ms(value) for value in self.values]
        low, high = _RANGES[self.operator](numbers[0], numbers[-1])
        return None if None in numbers else (low, high)


_RANGES: dict[str, Callable[[Any, Any], tuple[int | None, int | None]]] = {
    "EQ": lambda a, _: (a, a),
    "LT": lambda a, _: (None, None if a is None else a - 1),
    "LTE": lambda a, _: (None, a),
    "GT": lambda a, _: (None if a is None else a + 1, None),
    "GTE": lambda a, _: (a, None),
    "BETWEEN": lambda a, b: (a, b),
}


def checked_filter(portal: Portal, kind: Kind, raw: Any) -> Filter:
    """A filter of a request. Raises a Refusal for what HubSpot would refuse."""
    told = checked_object(raw, ("propertyName", "operator", "value", "values", "highValue"), "filters")
    name, operator = str(told.get("propertyName", "")), str(told.get("operator", ""))
    values = _values(told, operator)
    if name.startswith(_ASSOCIATIONS):
        if kind_of(name.removeprefix(_ASSOCIATIONS)) is None:
            raise invalid(f"There was a problem with the request: {name} is no association")
        return Filter(name, operator, values, "association")
    definition = portal.catalog.get(kind, name)
    is_refused = name in _UNSEARCHABLE or f"{kind.name}.{name}" in portal.settings.unsearchable_properties
    if is_refused or (definition is None and name not in SYSTEM_NAMES):
        raise invalid(f"There was a problem with the request: property {name} cannot be searched")
    type_ = definition.type if definition else "datetime"
    if type_ == "datetime" and "0" in values:
        raise Refusal(500, error_body("internal error", "INTERNAL_ERROR"))
    if type_ in {"number", "date", "datetime"} and any(_value(type_, value) is None for value in values):
        raise invalid(f"There was a problem with the request: {name} is compared with what is no {type_}")
    return Filter(name, operator, values, type_)


def matches(portal: Portal, record: Record, condition: Filter) -> bool:
    """Whether a record fulfils one condition. NEQ, NOT_IN and NOT_CONTAINS_TOKEN skip records without a value."""
    if condition.type == "association":
        return _linked(portal, record, condition)
    raw = portal.value(record, condition.name)
    operator = condition.operator
    if operator in _NONE:
        return bool(raw) == (operator == "HAS_PROPERTY")
    if not raw:
        return False
    if operator.endswith("CONTAINS_TOKEN"):
        return _has_tokens(raw, condition.values[0]) == (operator == "CONTAINS_TOKEN")
    have = _value(condition.type, raw)
    if operator in _MANY:
        return _among(condition, raw, have) == (operator == "IN")
    wanted = [_value(condition.type, value) for value in condition.values]
    return _compared(operator, have, wanted)


def _values(told: dict[str, Any], operator: str) -> tuple[str, ...]:
    if operator in _NONE:
        return ()
    if operator in _MANY:
        values = told.get("values")
        if not isinstance(values, list) or not values:
            raise invalid(f"There was a problem with the request: {operator} needs values")
        return tuple(map(str, values))
    if operator == "BETWEEN":
        if told.get("value") is None or told.get("highValue") is None:
            raise invalid("There was a problem with the request: BETWEEN needs value and highValue")
        return str(told["value"]), str(told["highValue"])
    if operator not in _ONE:
        raise unknown_to_sandbox(f"operator {operator} in filters")
    if told.get("value") is None:
        raise invalid(f"There was a problem with the request: {operator} needs a value")
    return (str(told["value"]),)


def _value(type_: str, raw: str) -> Comparable | None:
    if type_ == "number":
        try:
            return Decimal(raw)
        except InvalidOperation:
            return None
    if type_ in {"date", "datetime"}:
        return parse_ms(raw)
    return raw if type_ == "enumeration" else raw.lower()


def _among(condition: Filter, raw: str, have: Comparable | None) -> bool:
    # Text is indexed in lower case, and the values of IN are not brought to it: `Acme` finds nothing.
    if condition.type == "string":
        return have in condition.values
    parts: Collection[str] = raw.split(";") if condition.type == "enumeration" else ()
    wanted = {_value(condition.type, value) for value in condition.values}
    return have in wanted or any(part in wanted for part in parts)


def _compared(operator: str, have: Any, wanted: list[Any]) -> bool:
    first, last = wanted[0], wanted[-1]
    outcomes: dict[str, Callable[[], bool]] = {
        "EQ": lambda: have == first,
        "NEQ": lambda: have != first,
        "LT": lambda: have < first,
        "LTE": lambda: have <= first,
        "GT": lambda: have > first,
        "GTE": lambda: have >= first,
        "BETWEEN": lambda: first <= have <= last,
    }
    return bool(outcomes[operator]())


def _has_tokens(raw: str, wanted: str) -> bool:
    """Every word of `wanted`, in which `*` stands for any letters, is a word of the text."""
    have = re.findall(r"\w+", raw.lower())
    return all(any(fnmatchcase(word, part) for word in have) for part in re.findall(r"[\w*]+", wanted.lower()))


def _linked(portal: Portal, record: Record, condition: Filter) -> bool:
    target = kind_of(condition.name.removeprefix(_ASSOCIATIONS))
    linked = {str(i) for i in portal.linked(record, target)} if target else set()
    if condition.operator in _NONE:
        return bool(linked) == (condition.operator == "HAS_PROPERTY")
    if condition.operator not in {"EQ", "IN"}:
        raise unknown_to_sandbox(f"operator {condition.operator} for {condition.name}")
    return not linked.isdisjoint(condition.values)

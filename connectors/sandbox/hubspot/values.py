"""Checks one written property value, giving the text under which HubSpot keeps it."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from connectors.sandbox.hubspot.definitions import PropertyDefinition
from connectors.sandbox.hubspot.instants import DAY_MS, iso, parse_ms

TEXT_LIMIT = 65_536


class InvalidValue(Exception):
    """A value its property refuses: HubSpot's code, and its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def kept_value(definition: PropertyDefinition, raw: str, current: str, choices: Collection[str] | None) -> str:
    """The text kept for `raw`; `""` clears. `choices` are the options of an enumeration, None for any.

    Raises InvalidValue.
    """
    if raw == "":
        return ""
    if definition.type == "enumeration":
        return _enumeration(definition, raw, current, choices)
    if definition.type == "bool":
        return _bool(raw)
    if definition.type == "number":
        return _number(raw)
    if definition.type in {"date", "datetime"}:
        return _moment(definition.type, raw)
    if len(raw) > TEXT_LIMIT:
        raise InvalidValue("PROPERTY_VALUE_TOO_LONG", f"Property value is longer than {TEXT_LIMIT} characters.")
    return raw


def _enumeration(definition: PropertyDefinition, raw: str, current: str, choices: Collection[str] | None) -> str:
    parts = raw.split(";") if definition.many_valued else [raw]
    if definition.many_valued and raw.startswith(";"):  # a leading ; appends
        parts = [part for part in current.split(";") if part] + parts[1:]
    for part in parts:
        if choices is not None and part not in choices:
            listed = ", ".join(choices)
            raise InvalidValue("INVALID_OPTION", f"{part} was not one of the allowed options: [{listed}]")
    return ";".join(dict.fromkeys(parts))


def _bool(raw: str) -> str:
    if raw.lower() not in {"true", "false"}:
        raise InvalidValue("INVALID_OPTION", f"{raw} was not one of the allowed options: [true, false]")
    return raw.lower()


def _number(raw: str) -> str:
    try:
        number = Decimal(raw)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidValue("INVALID_INTEGER", f"{raw} was not a valid number.")
    return plain(number)


def plain(number: Decimal) -> str:
    """A decimal without exponent and without trailing zeros: HubSpot's way of keeping numbers."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(type_: str, raw: str) -> str:
    ms = parse_ms(raw)
    if ms is None:
        raise InvalidValue("INVALID_LONG", f"{raw} was not a valid long.")
    if type_ == "datetime":
        return iso(ms)
    if ms % DAY_MS:
        raise InvalidValue("INVALID_DATE", f"{raw} is at a time of day, not midnight UTC.")
    return iso(ms)[:10]

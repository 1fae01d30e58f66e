"""Checks a value that is written and brings it into the form in which an org stores it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.sandbox.salesforce.fields import NUMBERS, TEXTS, Field
from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.instants import parsed_day, parsed_stamp, stamp
from connectors.sandbox.salesforce.refusals import RowRefused

Reader = Callable[[Field, Any], Any]


class WrongType(Exception):
    """The value cannot be read as the field's type at all, which refuses the whole call."""


def stored(field: Field, value: Any) -> Any:
    """The value as stored, read by the field's type and not checked against its rules. Raises WrongType."""
    if value is None or value == "":
        return field.default if field.type == "boolean" else None
    return READERS[field.type](field, value)


def checked(field: Field, value: Any) -> Any:
    """The value as stored. Raises RowRefused where a rule of the field forbids it, WrongType where it is no value."""
    if field.type == "boolean" and value is None:
        raise RowRefused(
            "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: null", [field.name]
        )
    kept = stored(field, value)
    if kept is None:
        if not field.nillable:
            raise RowRefused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", [field.name])
    elif field.type in TEXTS:
        _check_text(field, kept)
    elif field.type in NUMBERS:
        _check_number(field, kept)
    return kept


def _check_text(field: Field, kept: str) -> None:
    if field.length and len(kept) > field.length:
        raise RowRefused(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {kept} (max length={field.length})",
            [field.name],
        )
    chosen = kept.split(";") if field.type == "multipicklist" else [kept]
    unknown = [one for one in chosen if one not in field.values]
    if field.restricted and unknown:
        raise RowRefused(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {unknown[0]}",
            [field.name],
        )
    if field.type == "email" and "@" not in kept:
        raise RowRefused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {kept}", [field.name])


def _check_number(field: Field, kept: float) -> None:
    if abs(kept) >= 10 ** (field.precision - field.scale):
        raise RowRefused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {kept}",
            [field.name],
        )


def _text(field: Field, value: Any) -> str | None:
    if isinstance(value, bool | dict | list):
        raise WrongType(f"{field.name}: a text is needed")
    kept = str(value)
    # Salesforce trims what is typed into a line, and stores a blank as null.
    return (kept if field.type == "textarea" else kept.strip()) or None


def _boolean(_: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "1"}:
        return True
    if str(value).lower() in {"false", "0"}:
        return False
    raise WrongType(f"Cannot deserialize instance of boolean from VALUE_STRING value {value}")


def _number(field: Field, value: Any) -> float:
    exact = _decimal(value)
    if exact is None:
        raise WrongType(f"Cannot deserialize instance of double from VALUE_STRING value {value}")
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > field.scale:
        exact = exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    return float(exact)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def _integer(_: Field, value: Any) -> int:
    exact = _decimal(value)
    if exact is None or exact != int(exact):
        raise WrongType(f"Cannot deserialize instance of int from VALUE value {value}")
    return int(exact)


def _day(_: Field, value: Any) -> str:
    kept = (
        value.isoformat()[:10] if isinstance(value, dt.date) else parsed_day(value) if isinstance(value, str) else None
    )
    if kept is None:
        raise WrongType(f"Cannot deserialize instance of date from VALUE_STRING value {value}")
    return kept


def _moment(_: Field, value: Any) -> str:
    kept = stamp(value) if isinstance(value, dt.datetime) else parsed_stamp(value) if isinstance(value, str) else None
    if kept is None:
        raise WrongType(f"Cannot deserialize instance of datetime from VALUE_STRING value {value}")
    return kept


def _id(field: Field, value: Any) -> str:
    kept = widened(value)
    if kept is None:
        raise RowRefused("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return kept


def _any(_: Field, value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, dt.date) else value


def _compound(field: Field, _: Any) -> Any:
    raise WrongType(f"{field.name} is compound: write its parts")


READERS: dict[str, Reader] = {
    **dict.fromkeys(TEXTS, _text),
    "boolean": _boolean,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "int": _integer,
    "date": _day,
    "datetime": _moment,
    "id": _id,
    "reference": _id,
    "address": _compound,
    "anyType": _any,
}

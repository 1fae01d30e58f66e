"""Values as a query job writes them: quoted texts, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.fields import TEXTS, Field

_TEN_MILLION, _ONE_THOUSANDTH = 1e7, 1e-3


def quoted(text: str) -> str:
    """One text between quotes, quotes in it doubled."""
    return f'"{text}"' if '"' not in text else '"' + text.replace('"', '""') + '"'


def cells(field: Field, values: Iterable[Any], knobs: BulkSettings) -> list[str]:
    """A column of CSV. Instants end in Z here, not in +0000 as in REST."""
    null, kind = knobs.null_cell, field.type
    if kind in TEXTS:
        return [null if value is None else quoted(value) for value in values]
    if kind == "boolean":
        return ['"true"' if value else '"false"' for value in values]
    if kind == "datetime":
        return [null if value is None else f'"{value[:-5]}Z"' for value in values]
    if kind == "int":
        end = '.0"' if knobs.whole_numbers_as_doubles else '"'
        return [null if value is None else f'"{value}{end}' for value in values]
    if kind in {"double", "currency", "percent"}:
        e_notation = knobs.e_notation
        return [null if value is None else f'"{_double(float(value), e_notation=e_notation)}"' for value in values]
    return [null if value is None else quoted(str(value)) for value in values]


def _double(value: float, *, e_notation: bool) -> str:
    """As Java writes a double: 100.0, and 9.12260031E8 from ten million on or below a thousandth."""
    size = abs(value)
    if _ONE_THOUSANDTH <= size < _TEN_MILLION or not size:
        return repr(value)
    exact = Decimal(repr(value))
    if not e_notation:
        plain = f"{exact:f}"
        return plain if "." in plain else f"{plain}.0"
    sign, digits, _ = exact.normalize().as_tuple()
    first, *rest = map(str, digits)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{exact.adjusted()}"

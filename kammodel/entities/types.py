"""Column types of the store: exact money and UTC instants, the same bits on every database."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import BigInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

MONEY_SCALE = 10_000
"""Money is a whole number of 1/10,000 units of its currency."""


class Money(TypeDecorator[int]):
    """Int64 of 1/10,000 units. Decimal lives at the edges only, see `to_decimal`."""

    impl = BigInteger
    cache_ok = True


class Instant(TypeDecorator[dt.datetime]):
    """A UTC instant, stored as microseconds since 1970: sorts and compares the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def to_micros(at: dt.datetime) -> int:
    """Microseconds since 1970 of an aware instant. A naive one is refused: it has no place in time."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


def from_micros(micros: int) -> dt.datetime:
    """The UTC instant that lies `micros` microseconds after 1970."""
    return _EPOCH + dt.timedelta(microseconds=micros)


def to_decimal(money: int) -> Decimal:
    """Money as a Decimal with four places, exactly."""
    return (Decimal(money) / MONEY_SCALE).quantize(Decimal("0.0001"))


def to_money(amount: Decimal) -> int:
    """A Decimal as money, half to even beyond the fourth place."""
    return int((amount * MONEY_SCALE).to_integral_value(rounding=ROUND_HALF_EVEN))

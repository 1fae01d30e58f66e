"""Derives the Polars schema of a table from its columns, so that types are stated once."""

from __future__ import annotations

import polars as pl
from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Integer, Table
from sqlmodel import SQLModel

from kammodel.entities.envelope import KEY, OURS
from kammodel.entities.types import Instant

INSTANT = pl.Datetime("us", "UTC")


def table_of(entity: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    table: Table = entity.__table__  # type: ignore[attr-defined]
    return table


def polars_schema(entity: type[SQLModel]) -> dict[str, pl.DataType]:
    """Column name to Polars type, in table order. Instants are microseconds in UTC, money is Int64."""
    return {column.name: _dtype(column) for column in table_of(entity).columns}


def content_columns(entity: type[SQLModel]) -> list[str]:
    """The columns whose change counts as news: all but key, own columns and the CRM's change stamp."""
    left_out = {*KEY, *OURS, "updated_at"}
    return [name for name in polars_schema(entity) if name not in left_out]


def _dtype(column: Column[object]) -> pl.DataType:
    kind = column.type
    if isinstance(kind, Instant):
        return INSTANT
    if isinstance(kind, Boolean):
        return pl.Boolean()
    if isinstance(kind, Float):
        return pl.Float64()
    if isinstance(kind, Date):
        return pl.Date()
    if isinstance(kind, BigInteger | Integer) or isinstance(getattr(kind, "impl", None), BigInteger):
        return pl.Int64()
    return pl.String()

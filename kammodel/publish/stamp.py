"""The stamp that is written with an account's values, and proves later that a value was ours.

A CRM then tells what is ours even where our own ledger was lost. It holds a sign for each cell that we wrote: six
bits times four of the CRC-32 of `key=value`, in base64. A person's value passes for ours by chance once in a million.
"""

from __future__ import annotations

import base64
import zlib

import polars as pl

FIELD = "stamp"
VERSION = "1."
_SIGN = 4
"""Letters of one sign."""
LENGTH = 255
_MOST = (LENGTH - len(VERSION)) // _SIGN
"""Cells that a stamp has room for; what is beyond it cannot be proven."""


def stamps(cells: pl.DataFrame) -> pl.DataFrame:
    """source_id and its `stamp`, of cells (source_id, field, value) as a CRM will hold them; nulls need none."""
    given = cells.drop_nulls("value")
    signed = given.join(_signs(given), on=["field", "value"])
    letters = pl.col("sign").sort().head(_MOST).str.join("")
    return signed.group_by("source_id").agg((pl.lit(VERSION) + letters).alias(FIELD)).sort("source_id")


def proven(cells: pl.DataFrame, stamped: pl.DataFrame) -> pl.DataFrame:
    """Those of the cells (source_id, field, value) whose sign is in the stamp (source_id, `stamp`) of their account,
    and the stamps themselves."""
    usable = stamped.filter(pl.col(FIELD).str.starts_with(VERSION).fill_null(value=False))
    signs = usable.select("source_id", signs=pl.col(FIELD).str.slice(len(VERSION)).str.extract_all(f".{{{_SIGN}}}"))
    given = cells.drop_nulls("value")
    known = given.join(signs, on="source_id").join(_signs(given), on=["field", "value"])
    found = known.filter(pl.col("signs").list.contains(pl.col("sign"))).select("source_id", "field", "value")
    own = usable.select("source_id", field=pl.lit(FIELD), value=FIELD)
    return pl.concat([found, own])


def _signs(cells: pl.DataFrame) -> pl.DataFrame:
    """field, value and `sign`: each pair once, most cells of a plan hold what others hold."""
    pairs = cells.select("field", "value").unique()
    signs = [_sign(field, value) for field, value in pairs.iter_rows()]
    return pairs.with_columns(sign=pl.Series(signs, dtype=pl.String))


def _sign(field: str, value: str) -> str:
    return base64.b64encode(zlib.crc32(f"{field}={value}".encode()).to_bytes(4)[1:]).decode()

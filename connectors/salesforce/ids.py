"""Which texts can be ids of an org: for one that is none, Salesforce refuses the whole query."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from connectors import askable as asking
from connectors.salesforce.codecs import widened

_ID = pl.col("id")
_FITS = _ID.str.contains("^[A-Za-z0-9]{15}$") | (
    _ID.str.contains("^[A-Za-z0-9]{18}$") & (widened(_ID.str.slice(0, 15)) == _ID)
)
"""15 letters and digits, or 18 of which the last three say which of the others are capitals."""


def askable(ids: Iterable[str], what: str) -> pl.Series:
    """Those that can be ids, without the others; `what`: the records that they are said to be."""
    return asking.askable(ids, _FITS, crm="salesforce", what=what)

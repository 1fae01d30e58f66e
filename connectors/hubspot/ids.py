"""Which texts can be ids of a portal's records: numbers, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from connectors import askable as asking

_FITS = pl.col("id").str.contains("^[0-9]{1,19}$")


def askable(ids: Iterable[str], what: str) -> list[str]:
    """Those that can be ids, without the others; `what`: the records that they are said to be."""
    return asking.askable(ids, _FITS, crm="hubspot", what=what).to_list()

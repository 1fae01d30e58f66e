"""Leaves out the ids that a CRM cannot be asked about: for one that is none of its own it may refuse a whole batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import polars as pl

_MOST_NAMED = 5
_log = logging.getLogger(__name__)


def askable(ids: Iterable[str], fits: pl.Expr, *, crm: str, what: str) -> pl.Series:
    """Those of which `fits` (of a column `id`) says that they can be ids. `what`: the records that they are said to be.

    The others name no record, and are left out, as ids are of records that the CRM does not have; a line of the log
    names them, and what to do.
    """
    told = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String}).with_columns(fits=fits)
    odd = told.filter(~pl.col("fits"))["id"]
    if odd.len():
        named = ", ".join(map(repr, odd.head(_MOST_NAMED))) + (", ..." if odd.len() > _MOST_NAMED else "")
        text = (
            "%s %s: %d ids in the store are none that this CRM gives (%s): they count as no longer there; "
            "kam sweep --of deletions --crm %s marks them so"
        )
        _log.warning(text, crm, what, odd.len(), named, crm)
    return told.filter("fits")["id"]

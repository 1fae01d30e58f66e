"""Finds the account group that a person means."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from kammodel.errors import KamError
from kammodel.identity import reference_key


class Grouped(Protocol):
    """A scored day, or the account groups themselves."""

    @property
    def groups(self) -> pl.DataFrame: ...

    @property
    def members(self) -> pl.DataFrame: ...

    @property
    def accounts(self) -> pl.DataFrame: ...


def find_group(day: Grouped, sought: str) -> str:
    """The group_id that a person means: a group_id, an account's id in any CRM (a Salesforce id of 15 or 18
    characters, a merged one too), or the exact name of a group or account, capitals aside if need be.

    KamError where nothing or more than one group fits.
    """
    text = sought.strip()
    if not day.groups.filter(pl.col("group_id") == text).is_empty():
        return text
    by_id = reference_key(pl.col("source_id")) == reference_key(pl.lit(text))
    names = pl.concat([frame.select("group", "name") for frame in (day.members, day.groups)])
    name = pl.col("name").str.strip_chars()
    for found in (
        day.accounts.filter(by_id),
        names.filter(name == text),
        names.filter(name.str.to_lowercase() == text.lower()),
    ):
        ids = day.groups.join(found, on="group", how="semi")["group_id"].to_list()
        if len(ids) == 1:
            return str(ids[0])
        if ids:
            shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise KamError(f"{len(ids)} account groups are called {text!r}: say which by its id: {shown}")
    raise KamError(f"no account or group {text!r}: give an account's id, a group's id or an exact name")

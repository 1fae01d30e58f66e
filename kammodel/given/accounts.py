"""Finds the accounts and users that the files name: by an id of any CRM, by a group's id, by a cross-reference."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.entities import KEY
from kammodel.identity import AccountGroups, reference_key


def references(accounts: pl.DataFrame, groups: AccountGroups) -> pl.DataFrame:
    """`reference`, group, KEY of the account meant: everything by which a file may name an account.

    An id that two CRMs gave to accounts of different groups names none: it is written `salesforce:<id>` then. A
    cross-reference counts where no id of that name does. `accounts` has KEY and cross_reference; `groups` is whole
    or, in a shard, the groups of it.
    """
    known = groups.accounts.select("group", *KEY)
    full = pl.concat_str([*KEY], separator=":")
    short = pl.concat_str(["source", "source_id"], separator=":")
    ids = [_named(known, name, rank) for rank, name in enumerate((full, short, pl.col("source_id")))]
    crossed = known.join(accounts.select(*KEY, "cross_reference"), on=KEY).drop_nulls("cross_reference")
    roots = (
        groups.members.filter("is_root").sort(~pl.col("is_counted")).unique("group", keep="first", maintain_order=True)
    )
    named = pl.concat(
        [
            _named(roots.select("group", "group_id", *KEY), pl.col("group_id"), 0),
            *ids,
            _named(crossed, pl.col("cross_reference"), 3),
        ]
    )
    best = named.filter(pl.col("rank") == pl.col("rank").min().over("reference"))
    certain = best.filter(pl.col("group").n_unique().over("reference") == 1)
    return certain.sort("reference", *KEY).unique("reference", keep="first", maintain_order=True).drop("rank")


def placed(rows: pl.DataFrame, named: pl.DataFrame, column: str = "account") -> pl.DataFrame:
    """Adds group and KEY of the account that each row names, in the order of rows; rows of unknown ones are left out.

    `named`: see `references`."""
    keyed = rows.with_columns(reference=_reference(pl.col(column)))
    return keyed.join(named, on="reference", how="inner", maintain_order="left").drop("reference")


def unknown_accounts(given: Mapping[str, pl.DataFrame | None], named: pl.DataFrame) -> dict[str, list[str]]:
    """File -> the accounts it names that nobody knows, in order: told, not refused: a file may be ahead of a CRM."""
    found: dict[str, list[str]] = {}
    for name, frame in given.items():
        if frame is None or "account" not in frame.columns:
            continue
        asked = frame.drop_nulls("account").select("account", reference=_reference(pl.col("account")))
        strangers = asked.join(named, on="reference", how="anti")["account"].unique().sort().to_list()
        if strangers:
            found[f"{name}.csv"] = strangers
    return found


def users(rows: pl.DataFrame, known: pl.DataFrame, column: str = "user") -> pl.DataFrame:
    """Adds source, source_instance, `user_id` of the user that each row names: `<source>:<id>`, or an id. A bare id
    stands for the one CRM that has it; `known` has KEY of our users."""
    ids = known.select("source", "source_instance", user_id="source_id").unique(maintain_order=True)
    bare = ids.with_columns(reference=_reference(pl.col("user_id")))
    bare = bare.filter(pl.len().over("reference") == 1)
    full = ids.with_columns(reference=_reference(pl.concat_str(["source", "user_id"], separator=":")))
    named = pl.concat([full, bare]).unique("reference", keep="first", maintain_order=True)
    keyed = rows.with_columns(reference=_reference(pl.col(column)))
    return keyed.join(named, on="reference", how="inner", maintain_order="left").drop("reference")


def _named(rows: pl.DataFrame, name: pl.Expr, rank: int) -> pl.DataFrame:
    return rows.select("group", *KEY, reference=_reference(name), rank=pl.lit(rank))


def _reference(text: pl.Expr) -> pl.Expr:
    """In the form in which names are compared: each Salesforce id, wherever it stands, by its first 15 characters."""
    last = text.str.extract(r"([^:]*)$")
    return text.str.replace(r"[^:]*$", "") + reference_key(last)

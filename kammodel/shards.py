"""The shards that the rows of account groups have been sorted into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from kammodel.entities import Sourced
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ORG, Sources
from kammodel.identity import AccountGroups
from kammodel.inputs import Inputs, Stamps
from kammodel.spilling import Spill

CURRENCIES = dict.fromkeys((*ORG, "currency"), pl.String)


def shard_of(groups: pl.Expr, shards: int) -> pl.Expr:
    return (groups % shards).cast(pl.UInt32)


@dataclass
class Shards:
    """The LARGE entities of a day, sorted. `small`: everything else, as known at the cut.

    `stamps`: of the rows, for the fingerprint. `touched`: see `reconstructed_of`. `currencies`: source,
    source_instance, currency of deals. `counts`: of what no shard sees whole. `empty`, `empty_apart`: frames without
    rows, of entities and of what is made of activities. `stays`: whether the rows of a shard may be asked for again.
    """

    number: int
    small: Inputs
    moment: Cut
    grouping: AccountGroups
    spill: Spill
    stamps: Stamps = field(default_factory=dict)
    touched: dict[type[Sourced], pl.Series] = field(default_factory=dict)
    empty: dict[type[Sourced], pl.DataFrame] = field(default_factory=dict)
    empty_apart: dict[Callable[[Sources], pl.DataFrame], pl.DataFrame] = field(default_factory=dict)
    currencies: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CURRENCIES))
    counts: Counter[str] = field(default_factory=Counter)
    stays: bool = False

    @cached_property
    def accounts(self) -> pl.DataFrame:
        """Those of the grouping, with the numbers of their ids: found once, and not shard by shard."""
        return self.small.numbers.with_numbers(self.grouping.accounts, ["source_id"])

    def inputs(self, shard: int) -> Inputs:
        """The rows of a shard, which are on disk no longer then unless it `stays`."""
        rows = {entity: self._taken(entity.__name__, shard, empty) for entity, empty in self.empty.items()}
        return replace(self.small, entities={**self.small.entities, **rows})

    def made_apart(self, shard: int) -> dict[object, pl.DataFrame]:
        """What APART makes of the activities of a shard; on disk as `inputs`."""
        return {make: self._taken(make.__name__, shard, empty) for make, empty in self.empty_apart.items()}

    def _taken(self, name: str, shard: int, empty: pl.DataFrame) -> pl.DataFrame:
        found = self.spill.frame(f"{name}/{shard}")
        if not self.stays:
            self.spill.drop(f"{name}/{shard}")
        return empty if found is None else found

    def groups(self, shard: int) -> AccountGroups:
        """The account groups of a shard."""
        own = shard_of(pl.col("group"), self.number) == shard
        whole = self.grouping
        members, accounts, groups = (rows.filter(own) for rows in (whole.members, self.accounts, whole.groups))
        return replace(whole, members=members, accounts=accounts, groups=groups)

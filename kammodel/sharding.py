"""Sorts the rows of account groups into shards on disk: each is small enough for memory, and has all that its groups'
figures look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from kammodel.conversion import Rates
from kammodel.entities import (
    KEY,
    AccountPerson,
    Activity,
    Case,
    Contract,
    Opportunity,
    OpportunityStageEvent,
    Order,
    Person,
    Sourced,
)
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ORG, Sources
from kammodel.facts.touches import done_touches, placing_counts, tied_groups
from kammodel.identity import AccountGroups
from kammodel.inputs import HISTORIES, LARGE, Inputs, Stamps, history, stamps_of
from kammodel.reconstruction import WAYS, groups_of, told_deals
from kammodel.spilling import Spill
from kammodel.store.versions import as_known

_LINK = [*KEY, "account_id"]
_MOST = 2**32
"""More rows than a piece has."""
_CURRENCIES = dict.fromkeys((*ORG, "currency"), pl.String)
_LEADING: tuple[type[Sourced], ...] = (Opportunity, Person, Case)
"""Entities by which rows of others belong to an account."""


def shards_needed(inputs: Inputs, shard_rows: int) -> int:
    """How many shards keep each of them at about so many rows."""
    return max(1, -(-inputs.large_rows // max(1, shard_rows)))


def shard_of(groups: pl.Expr, shards: int) -> pl.Expr:
    return (groups % shards).cast(pl.UInt32)


def known_pieces(
    inputs: Inputs, entity: type[Sourced], moment: Cut, unknown: pl.DataFrame | None
) -> Iterator[pl.DataFrame]:
    """The rows of an entity as they were at a cut, with `is_reconstructed`, as `Inputs.as_known` gives them.
    `unknown`: the deals of which nobody knows what they were."""
    later = entity in HISTORIES
    pieces = inputs.pieces(entity)
    if not moment.is_past:
        yield from (rows.with_columns(is_reconstructed=pl.lit(value=False)) for rows in pieces)
        return
    then = (as_known(entity, rows, inputs.versions, moment.at, later_too=later) for rows in pieces)
    yield from history(then, unknown, moment) if later else then


def stamps_known(inputs: Inputs, moment: Cut) -> Stamps:
    """Those of LARGE entities as known at a cut, for the fingerprint."""
    stamps: Stamps = {}
    unknown: pl.DataFrame | None = None
    for entity in LARGE:
        seen, doubtful = list[tuple[int, int]](), list[pl.DataFrame]()
        for rows in known_pieces(inputs, entity, moment, unknown):
            seen.append(stamps_of([rows]))
            doubtful.append(rows.filter("is_reconstructed").select(KEY))
        if seen:
            stamps[entity.__name__] = (sum(n for n, _ in seen), sum(total for _, total in seen))
        if entity is Opportunity and doubtful:
            unknown = pl.concat(doubtful)
    return stamps


@dataclass
class Shards:
    """The LARGE entities of a day, sorted. `small`: everything else, as known at the cut.

    `stamps`: of the rows, for the fingerprint. `touched`: see `reconstructed_of`. `currencies`: source,
    source_instance, currency of deals. `counts`: of what no shard sees whole. `empty`: frames without rows.
    """

    number: int
    small: Inputs
    moment: Cut
    grouping: AccountGroups
    spill: Spill
    stamps: Stamps = field(default_factory=dict)
    touched: dict[type[Sourced], pl.Series] = field(default_factory=dict)
    empty: dict[type[Sourced], pl.DataFrame] = field(default_factory=dict)
    currencies: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_CURRENCIES))
    counts: Counter[str] = field(default_factory=Counter)

    def inputs(self, shard: int) -> Inputs:
        """The rows of a shard, which are on disk no longer then."""
        rows: dict[type[Sourced], pl.DataFrame] = {}
        for entity, empty in self.empty.items():
            name = f"{entity.__name__}/{shard}"
            found = self.spill.frame(name)
            rows[entity] = empty if found is None else found
            self.spill.drop(name)
        return replace(self.small, entities={**self.small.entities, **rows})

    def groups(self, shard: int) -> AccountGroups:
        """The account groups of a shard."""
        own = shard_of(pl.col("group"), self.number) == shard
        whole = self.grouping
        members, accounts, groups = (rows.filter(own) for rows in (whole.members, whole.accounts, whole.groups))
        return replace(whole, members=members, accounts=accounts, groups=groups)


def sharded(inputs: Inputs, small: Inputs, moment: Cut, grouping: AccountGroups, shards: int) -> Shards:
    """Reads every row of LARGE entities once, and puts it where it belongs."""
    made = Shards(shards, small, moment, grouping, Spill())
    sorting = _Sorting(inputs, made)
    for entity in LARGE:
        sorting.sort(entity)
    sorting.finish()
    return made


class _Sorting:
    """A pass over all rows, entity by entity. What leads from a row to its account is remembered on the way."""

    def __init__(self, inputs: Inputs, made: Shards) -> None:
        self.inputs, self.made = inputs, made
        groups = made.grouping.accounts
        self.places = groups.select(*ORG, account_id="source_id", shard=shard_of(pl.col("group"), made.number))
        self.links = {entity: pl.DataFrame(schema=dict.fromkeys(_LINK, pl.String)) for entity in _LEADING}
        self.related = pl.DataFrame(schema=dict.fromkeys((*ORG, "person_id", "account_id"), pl.String))
        self.unknown: pl.DataFrame | None = None
        self.put_off = dict[type[Sourced], pl.DataFrame]()

    def sort(self, entity: type[Sourced]) -> None:
        """Reads the rows of an entity and writes them to the shards that need them."""
        links, doubtful, seen = list[pl.DataFrame](), list[pl.DataFrame](), list[tuple[int, int]]()
        for rows in known_pieces(self.inputs, entity, self.made.moment, self.unknown):
            plain = rows.drop("is_reconstructed")
            seen.append(stamps_of([plain]))
            self.made.empty[entity] = plain.clear()
            self._write(entity, plain)
            if entity in _LEADING:
                links.append(plain.select(_LINK).drop_nulls("account_id"))
            elif entity is AccountPerson:
                links.append(plain.select(self.related.columns).drop_nulls())
            if entity not in HISTORIES:
                doubtful.append(self._doubtful(rows))
            if entity is Opportunity:
                self.made.currencies = pl.concat([self.made.currencies, plain.select(_CURRENCIES.keys())]).unique()
            elif entity is OpportunityStageEvent and Opportunity in self.put_off:
                told = told_deals(plain, self.made.moment)
                self.put_off[Opportunity] = self.put_off[Opportunity].join(told, on=KEY, how="anti")
        if seen:
            self.made.stamps[entity.__name__] = (sum(n for n, _ in seen), sum(total for _, total in seen))
            self._finish(entity, links, doubtful)

    def finish(self) -> None:
        """Says which groups stand on rows that nobody knows, once all is there that leads from these to a group."""
        for entity, rows in self.put_off.items():
            self.made.touched[entity] = self._groups_of(entity, rows)

    def _finish(self, entity: type[Sourced], links: list[pl.DataFrame], doubtful: list[pl.DataFrame]) -> None:
        if entity in _LEADING:
            self.links[entity] = pl.concat(links)
        elif entity is AccountPerson:
            self.related = pl.concat(links)
        if entity is Opportunity:
            self.unknown = pl.concat(doubtful)
        if entity in {Opportunity, AccountPerson}:
            self.put_off[entity] = pl.concat(doubtful).filter(~pl.col("deleted"))
        elif doubtful:
            groups = [self._groups_of(entity, rows.filter(~pl.col("deleted"))) for rows in doubtful]
            self.made.touched[entity] = pl.concat(groups).unique()

    @staticmethod
    def _doubtful(rows: pl.DataFrame) -> pl.DataFrame:
        """What leads from a row to groups, of the rows of which nobody knows what they were."""
        leading = [name for name in (*_LINK, "deleted", *WAYS) if name in rows.columns]
        return rows.filter("is_reconstructed").select(leading)

    def _groups_of(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.Series:
        known = replace(self.made.small, entities={**self.made.small.entities, **self.links})
        return groups_of(entity, rows, known, self.made.grouping)

    def _write(self, entity: type[Sourced], rows: pl.DataFrame) -> None:
        name = entity.__name__
        numbered, shards = rows.with_row_index("row"), self.made.number
        found = self._targets(entity, numbered)
        # One number for the two: several times quicker to sort and to compare.
        placed = found.select(place=pl.col("shard").cast(pl.UInt64) * _MOST + pl.col("row")).to_series().unique().sort()
        shard, row = placed // _MOST, placed % _MOST
        if entity is not Activity:
            # Rows that belong to nobody are counted: anywhere, but once.
            nowhere = numbered.select("row").join(row.to_frame("row").cast(pl.UInt32), on="row", how="anti")["row"]
            shard, row = shard.append(nowhere.cast(pl.UInt64) % shards), row.append(nowhere.cast(pl.UInt64))
        for one in range(shards):
            own = row.filter(shard == one)
            if not own.is_empty():
                self.made.spill.append(f"{name}/{one}", rows[own])

    def _targets(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.DataFrame:
        """row, shard: every shard whose groups' figures look at the row."""
        if entity is Activity:
            return self._of_activities(rows)
        found = []
        if "account_id" in rows.columns:
            found.append(self._placed(rows.select("row", *ORG, "account_id")))
        if entity is not Opportunity and "opportunity_id" in rows.columns:
            found.append(self._led(rows, "opportunity_id", self.links[Opportunity]))
        if entity is Case:
            # One without an account belongs to that of its person.
            bare = rows.filter(pl.col("account_id").is_null())
            found.append(self._led(bare, "person_id", self.links[Person]))
        if entity is Person:
            related = self.related.rename({"person_id": "source_id"})
            found.append(self._led(rows.with_columns(id="source_id"), "id", related))
        if entity is Order:
            contracts = self.made.small.of(Contract).select(*_LINK)
            found.append(self._led(rows, "contract_id", contracts))
        return pl.concat(found)

    def _of_activities(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of the groups that a touch belongs to, and that of the deal that it is about."""
        touches = rows.rename({"row": "touch"})
        tied = tied_groups(touches, self._linked())
        done = done_touches(touches, self.made.moment).select("touch")
        counted = tied.join(done, on="touch", how="semi")
        self.made.counts.update(placing_counts(counted, done.height))
        own = tied.select(row="touch", shard=shard_of(pl.col("group"), self.made.number))
        return pl.concat([own, self._led(rows, "opportunity_id", self.links[Opportunity])])

    def _linked(self) -> Sources:
        empty = pl.DataFrame()
        return Sources(
            entities=self.links,
            given={},
            grouping=self.made.grouping,
            moment=self.made.moment,
            rates=Rates(empty, empty, ""),
            registry={},
        )

    def _led(self, rows: pl.DataFrame, column: str, links: pl.DataFrame) -> pl.DataFrame:
        ids = rows.select("row", *ORG, id=column).drop_nulls("id")
        known = links.select(*ORG, "account_id", id="source_id")
        return self._placed(ids.join(known, on=[*ORG, "id"]).select("row", *ORG, "account_id"))

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self.places, on=[*ORG, "account_id"]).select("row", "shard")

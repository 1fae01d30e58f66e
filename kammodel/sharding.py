"""Sorts the rows of account groups into shards on disk: each is small enough for memory, and has all that its groups'
figures look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

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
from kammodel.facts.activities import APART, leading, placing, tied_groups
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ACCOUNT, DEAL, OWN, places
from kammodel.identity import AccountGroups
from kammodel.inputs import HISTORIES, LARGE, Inputs, Stamps, history, stamps_of
from kammodel.narrowing import looked_at
from kammodel.numbering import Lookup, number
from kammodel.reconstruction import WAYS, groups_of, told_deals
from kammodel.rollups.frames import entities as rolled_entities
from kammodel.shards import CURRENCIES, Shards, shard_of
from kammodel.spilling import Spill

_LINK = [*KEY, "account_id"]
_MOST = 2**32
"""More rows than a piece has."""
_PERSON, _CONTRACT = number("person_id"), number("contract_id")
_NOTHING = pl.DataFrame()
_NO_LINKS = (pl.Series(OWN, dtype=pl.UInt32), pl.Series(ACCOUNT, dtype=pl.UInt32))
_SEVERAL: tuple[type[Sourced], ...] = (Person, Order, Activity)
"""Entities whose rows may belong to several accounts."""
_LEADING: tuple[type[Sourced], ...] = (Opportunity, Person, Case)
"""Entities by which rows of others belong to an account."""


def shards_needed(inputs: Inputs, shard_rows: int) -> int:
    """How many shards keep each of them at about so many rows."""
    return max(1, -(-inputs.large_rows // max(1, shard_rows)))


def known_pieces(
    inputs: Inputs,
    entity: type[Sourced],
    moment: Cut,
    unknown: pl.DataFrame | None,
    columns: Sequence[str] | None = None,
) -> Iterator[pl.DataFrame]:
    """The rows of an entity as they were at a cut, with `is_reconstructed`, as `Inputs.as_known` gives them.
    `unknown`: the deals of which nobody knows what they were. `columns`: those that are needed, if not all of them;
    where later edits are taken back there may be more."""
    if not moment.is_past:
        pieces = inputs.pieces(entity, columns)
        yield from (rows.with_columns(is_reconstructed=pl.lit(value=False)) for rows in pieces)
        return
    then = (inputs.rows_known(entity, rows, moment) for rows in inputs.pieces(entity))
    yield from history(then, unknown, moment) if entity in HISTORIES else then


def stamps_known(inputs: Inputs, moment: Cut) -> Stamps:
    """Those of LARGE entities as known at a cut, for the fingerprint."""
    stamps: Stamps = {}
    unknown: pl.DataFrame | None = None
    for entity in LARGE:
        seen, doubtful = list[tuple[int, int]](), list[pl.DataFrame]()
        for rows in known_pieces(inputs, entity, moment, unknown, (*KEY, "content_changed_at")):
            seen.append(stamps_of([rows]))
            doubtful.append(rows.filter("is_reconstructed").select(KEY))
        if seen:
            stamps[entity.__name__] = (sum(n for n, _ in seen), sum(total for _, total in seen))
        if entity is Opportunity and doubtful:
            unknown = pl.concat(doubtful)
    return stamps


def sharded(inputs: Inputs, small: Inputs, moment: Cut, grouping: AccountGroups, shards: int) -> Shards:
    """Reads every row of LARGE entities once, and puts it where it belongs."""
    made = Shards(shards, small, moment, grouping, Spill())
    sorting = _Sorting(inputs, made)
    for entity in LARGE:
        sorting.sort(entity)
    sorting.finish()
    return made


class _Sorting:
    """A pass over all rows, entity by entity. What leads from a row to its account is remembered on the way: `links`
    by numbers, and where the cut is past `texts` by ids."""

    def __init__(self, inputs: Inputs, made: Shards) -> None:
        self.inputs, self.made = inputs, made
        self.sources = inputs.small().sources(made.grouping, made.moment, "", Rates(_NOTHING, _NOTHING, ""))
        known = self.sources.once(places)
        self.shards = Lookup(known[ACCOUNT], known.select(shard_of(pl.col("group"), made.number)).to_series())
        self.accounts = {entity: Lookup(*_NO_LINKS) for entity in _LEADING}
        self.links = {entity: pl.DataFrame(_NO_LINKS) for entity in _LEADING}
        self.related = pl.DataFrame(_NO_LINKS)
        self.linked = self.sources
        self.is_rolled = Activity in rolled_entities(made.small.given.rollups)
        self.texts: dict[type[Sourced], pl.DataFrame] = {}
        self.unknown: pl.DataFrame | None = None
        self.put_off = dict[type[Sourced], pl.DataFrame]()

    def sort(self, entity: type[Sourced]) -> None:
        """Reads the rows of an entity and writes them to the shards that need them."""
        kept = looked_at(entity, self.made.small.given.rollups)
        links, texts, doubtful = list[pl.DataFrame](), list[pl.DataFrame](), list[pl.DataFrame]()
        seen = list[tuple[int, int]]()
        columns = tuple(dict.fromkeys((*kept, "content_changed_at")))
        for rows in known_pieces(self.inputs, entity, self.made.moment, self.unknown, columns):
            seen.append(stamps_of([rows]))
            plain = rows.select(kept)
            self._write(entity, plain)
            if entity in _LEADING:
                links.append(plain.select(OWN, ACCOUNT).drop_nulls())
            elif entity is AccountPerson:
                links.append(plain.select(pl.col(_PERSON).alias(OWN), ACCOUNT).drop_nulls())
            if entity is Opportunity:
                self.made.currencies = pl.concat([self.made.currencies, plain.select(CURRENCIES.keys())]).unique()
            if self.made.moment.is_past:
                texts += [rows.select(_LINK).drop_nulls("account_id")] if entity in _LEADING else []
                doubtful += [self._doubtful(rows)] if entity not in HISTORIES else []
                self._told(entity, rows)
        if seen:
            self.made.stamps[entity.__name__] = (sum(n for n, _ in seen), sum(total for _, total in seen))
        if links and entity in _LEADING:
            self.links[entity] = found = pl.concat(links)
            self.accounts[entity] = Lookup(found[OWN], found[ACCOUNT])
            self.linked = replace(self.sources, entities={**self.sources.entities, **self.links}, _made={})
        elif links:
            self.related = pl.concat(links)
        self._finish(entity, texts, doubtful)

    def finish(self) -> None:
        """Says which groups stand on rows that nobody knows, once all is there that leads from these to a group."""
        for entity, rows in self.put_off.items():
            self.made.touched[entity] = self._groups_of(entity, rows)

    def _told(self, entity: type[Sourced], rows: pl.DataFrame) -> None:
        """Deals of which their own history says what they were are not in doubt."""
        if entity is OpportunityStageEvent and Opportunity in self.put_off:
            told = told_deals(rows, self.made.moment)
            self.put_off[Opportunity] = self.put_off[Opportunity].join(told, on=KEY, how="anti")

    def _finish(self, entity: type[Sourced], texts: list[pl.DataFrame], doubtful: list[pl.DataFrame]) -> None:
        if texts:
            self.texts[entity] = pl.concat(texts)
        if not doubtful:
            return
        if entity is Opportunity:
            self.unknown = pl.concat(doubtful)
        if entity in {Opportunity, AccountPerson}:
            self.put_off[entity] = pl.concat(doubtful).filter(~pl.col("deleted"))
        else:
            groups = [self._groups_of(entity, rows.filter(~pl.col("deleted"))) for rows in doubtful]
            self.made.touched[entity] = pl.concat(groups).unique()

    @staticmethod
    def _doubtful(rows: pl.DataFrame) -> pl.DataFrame:
        """What leads from a row to groups, of the rows of which nobody knows what they were."""
        leading = [name for name in (*_LINK, "deleted", *WAYS) if name in rows.columns]
        return rows.filter("is_reconstructed").select(leading)

    def _groups_of(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.Series:
        known = replace(self.made.small, entities={**self.made.small.entities, **self.texts})
        return groups_of(entity, rows, known, self.made.grouping)

    def _write(self, entity: type[Sourced], rows: pl.DataFrame) -> None:
        if entity is Activity:
            self._write_apart(rows)
            if not self.is_rolled:
                return
        self.made.empty[entity] = rows.clear()
        shard, row = self._targets(entity, rows)
        for one in range(self.made.number):
            own = rows[row.filter(shard == one)] if row is not None else rows.filter(shard == one)
            self._append(entity.__name__, one, own)

    def _write_apart(self, activities: pl.DataFrame) -> None:
        """Makes of some activities what facts look at: a fraction of them, and no shard has to make it again."""
        entities: dict[type[Sourced], pl.DataFrame] = {**self.linked.entities, Activity: activities}
        sources = replace(self.linked, entities=entities, _made=leading(self.linked))
        for make in APART:
            rows = make(sources)
            self.made.empty_apart[make] = rows.clear()
            if "group" in rows.columns:
                shard = rows.select(shard_of(pl.col("group"), self.made.number)).to_series()
            else:
                shard = self.shards.of(self._by(rows, DEAL, Opportunity))
            for one in range(self.made.number):
                self._append(make.__name__, one, rows.filter(shard == one))
        self.made.counts.update(placing(sources))

    def _append(self, name: str, shard: int, rows: pl.DataFrame) -> None:
        if not rows.is_empty():
            self.made.spill.append(f"{name}/{shard}", rows)

    def _targets(self, entity: type[Sourced], rows: pl.DataFrame) -> tuple[pl.Series, pl.Series | None]:
        """Every shard whose groups' figures look at a row, and the number of the row; None where each has one, in
        order. Rows that belong to nobody are counted: anywhere, but once."""
        if entity in _SEVERAL:
            return self._several(entity, rows.with_row_index("row"))
        placed = self.shards.of(self._account(entity, rows))
        nowhere = placed.is_null()
        return placed.scatter(nowhere.arg_true(), self._anywhere(rows.filter(nowhere))), None

    def _anywhere(self, rows: pl.DataFrame) -> pl.Series:
        """A shard for each row that belongs to nobody, by what it says: another process may read rows in another order,
        and gives ids other numbers."""
        said = rows.select(pl.exclude(f"^.*{number('')}$", "row"))
        hashes = said.hash_rows(seed=0) if said.width else pl.repeat(0, rows.height, dtype=pl.UInt64, eager=True)
        return (hashes % self.made.number).cast(pl.UInt32)

    def _account(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.Series:
        """The account whose group's figures look at a row, of an entity of which it is one."""
        if entity is Case:
            # One without an account belongs to that of its person.
            return rows.select(pl.coalesce(ACCOUNT, self._by(rows, _PERSON, Person).alias("of_person"))).to_series()
        return rows[ACCOUNT] if ACCOUNT in rows.columns else self._by(rows, DEAL, Opportunity)

    def _by(self, rows: pl.DataFrame, column: str, entity: type[Sourced]) -> pl.Series:
        """The account of the record that a column names, row by row."""
        return self.accounts[entity].of(rows[column]).alias(ACCOUNT)

    def _several(self, entity: type[Sourced], rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        found = self._of_activities(rows) if entity is Activity else self._placed(self._accounts(entity, rows))
        # One number for the two: several times quicker to sort and to compare.
        placed = found.select(place=pl.col("shard").cast(pl.UInt64) * _MOST + pl.col("row")).to_series().unique().sort()
        shard, row = placed // _MOST, placed % _MOST
        if entity is not Activity:
            nowhere = rows.join(row.to_frame("row").cast(pl.UInt32), on="row", how="anti")
            shard = shard.append(self._anywhere(nowhere).cast(pl.UInt64))
            row = row.append(nowhere["row"].cast(pl.UInt64))
        return shard, row

    def _accounts(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.DataFrame:
        """row, ACCOUNT: every account whose group's figures look at it."""
        found = [rows.select("row", ACCOUNT)]
        if entity is Person:
            found.append(rows.select("row", OWN).join(self.related, on=OWN).select("row", ACCOUNT))
        if entity is Order:
            contracts = self.sources.of(Contract).select(pl.col(OWN).alias(_CONTRACT), ACCOUNT)
            found.append(rows.select("row", _CONTRACT).join(contracts, on=_CONTRACT).select("row", ACCOUNT))
            found.append(rows.select("row", self._by(rows, DEAL, Opportunity)))
        return pl.concat(found)

    def _of_activities(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of the groups that an activity belongs to."""
        tied = tied_groups(rows.rename({"row": "touch"}), self.linked)
        return tied.select(row="touch", shard=shard_of(pl.col("group"), self.made.number))

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("row", self.shards.of(rows[ACCOUNT]).alias("shard")).drop_nulls("shard")

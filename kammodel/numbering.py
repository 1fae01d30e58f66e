"""Numbers in the place of ids and of texts of which there are few: several times quicker to compare, and narrower."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from kammodel.entities import (
    KEY,
    AccountPerson,
    AccountPlan,
    Activity,
    Case,
    Contract,
    LineItem,
    Opportunity,
    OpportunityFieldChange,
    OpportunityPerson,
    OpportunityStageEvent,
    Order,
    Person,
    PipelineStage,
    Product,
    Sourced,
)
from kammodel.entities.activities import SEPARATOR

_ORG = list(KEY[:2])
_BETWEEN = "\x00"
"""Stands before the ids of a second org. No id holds it: the store leaves it out of texts."""

LINKS: Mapping[type[Sourced], tuple[str, ...]] = {
    Opportunity: ("source_id", "account_id"),
    OpportunityStageEvent: ("opportunity_id", "stage_id"),
    PipelineStage: ("stage_id",),
    OpportunityFieldChange: ("opportunity_id",),
    OpportunityPerson: ("opportunity_id", "person_id"),
    Person: ("source_id", "account_id"),
    AccountPerson: ("account_id", "person_id"),
    Case: ("source_id", "account_id", "person_id"),
    Contract: ("source_id", "account_id"),
    Order: ("account_id", "opportunity_id", "contract_id"),
    LineItem: ("opportunity_id", "product_id"),
    Product: ("source_id",),
    AccountPlan: ("account_id",),
    Activity: ("account_ids", "opportunity_id", "case_id", "person_ids", "owner_id"),
}
"""The columns of entities by which their rows are put together."""

WORDS: Mapping[type[Sourced], tuple[str, ...]] = {
    Opportunity: ("status", "kind", "forecast_category"),
    OpportunityStageEvent: ("status",),
    Activity: ("kind", "direction", "status"),
}
"""The columns of entities with many rows in which few texts come up again and again."""

WORD = pl.Categorical(pl.Categories("words", "kam"))

_LISTS = frozenset({"account_ids", "person_ids"})
"""Columns that may hold several ids."""


def pair(first: str, second: str) -> pl.Expr:
    """One number for two of 32 bits: quicker to compare than the two."""
    return pl.col(first).cast(pl.UInt64) * 2**32 + pl.col(second)


def number(column: str) -> str:
    """The column of the numbers of a column of ids."""
    return f"{column}#"


class Numbers:
    """Numbers for the ids of some rows: the same for the same id of one org, whatever it is the id of, and other ones
    for other ids. Several ids in one text (`SEPARATOR`) are one id; `each` takes them apart.

    Which number an id gets hangs on what came before it: they are good for comparing only, and not for an order.
    """

    def __init__(self) -> None:
        self._ids = pl.Categorical(pl.Categories.random())
        # Polars forgets the numbers of texts once no column has this type.
        self._kept = pl.Series(dtype=self._ids)
        self._orgs: dict[tuple[str, str], int] = {}
        self._sets = pl.DataFrame(schema={"set": pl.UInt32, "member": pl.UInt32})

    def added(self, entity: type[Sourced], rows: pl.DataFrame) -> pl.DataFrame:
        """Adds the numbers of the ids of an entity that are among its columns, where they are not there yet; its WORDS
        become WORD."""
        words = [name for name in WORDS.get(entity, ()) if rows.schema.get(name) == pl.String]
        rows = rows.with_columns(pl.col(words).cast(WORD)) if words else rows
        return self.with_numbers(rows, (name for name in LINKS.get(entity, ()) if name in rows.columns))

    def with_numbers(self, rows: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
        """Adds the numbers of columns of ids to rows with source and source_instance; an empty text has none."""
        missing = [name for name in columns if number(name) not in rows.columns]
        if not missing:
            return rows
        before = self._before(rows)
        return rows.with_columns(self._numbered(rows[name], before) for name in missing)

    def each(self, rows: pl.DataFrame, column: str) -> pl.DataFrame:
        """`rows` with a column of numbers, those of several ids replaced by a row for each of them, in any order."""
        told = rows.drop_nulls(column)
        several = Lookup(self._sets["set"], pl.repeat(value=True, n=self._sets.height, eager=True)).of(told[column])
        # Few name several: the others need no join.
        each = told.filter(several).join(self._sets.rename({"set": column}), on=column)
        each = each.with_columns(pl.col("member").alias(column)).drop("member")
        return pl.concat([told.filter(several.is_null()), each])

    def ids(self, numbers: pl.Series) -> pl.DataFrame:
        """The ids of numbers: `number`, source, source_instance, `id`; once each, in order of number."""
        known = numbers.drop_nulls().unique().sort()
        told = pl.DataFrame({"number": known, "text": known.cat.to(self._ids).cast(pl.String)})
        before = pl.col("text").str.extract(f"^([0-9]+){_BETWEEN}").cast(pl.UInt32)
        orgs = pl.DataFrame(list(self._orgs), schema=dict.fromkeys(_ORG, pl.String), orient="row")
        org = told.select(org=before.fill_null(0))["org"]
        ids = pl.col("text").str.replace(f"^[0-9]+{_BETWEEN}", "")
        return told.select("number", *(orgs[name].gather(org) for name in _ORG), id=ids)

    def _remember(self, texts: pl.Series, numbers: pl.Series) -> None:
        """Which numbers stand for several ids, and for which."""
        several = texts.str.contains(SEPARATOR, literal=True).fill_null(value=False)
        sets = pl.DataFrame({"set": numbers, "text": texts}).filter(several).unique("set", maintain_order=True)
        new = sets.join(self._sets, on="set", how="anti")
        if new.is_empty():
            return
        org = pl.col("text").str.extract(f"^([0-9]+{_BETWEEN})").fill_null("")
        ids = new.select("set", org=org, id=pl.col("text").str.strip_prefix(org).str.split(SEPARATOR)).explode("id")
        member = (pl.col("org") + pl.col("id")).cast(self._ids).to_physical()
        self._sets = pl.concat([self._sets, ids.filter(pl.col("id") != "").select("set", member=member)])

    def _numbered(self, ids: pl.Series, before: pl.Series | None) -> pl.Series:
        # Few frames have an empty text: a look at all of them is quicker than a copy.
        known = ids.replace("", None) if (ids == "").any() else ids
        texts = known if before is None else before + known
        numbers = texts.cast(self._ids).to_physical().alias(number(ids.name))
        if ids.name in _LISTS:
            self._remember(texts, numbers)
        return numbers

    def _before(self, rows: pl.DataFrame) -> pl.Series | None:
        """What stands before the ids of rows, None where it is nothing: the first org's ids are as they are."""
        for org in self._orgs_of(rows):
            self._orgs.setdefault(org, len(self._orgs))
        if len(self._orgs) < 2:
            return None
        told = pl.DataFrame(
            [(*org, f"{n}{_BETWEEN}" if n else "") for org, n in self._orgs.items()],
            schema=dict.fromkeys((*_ORG, "before"), pl.String),
            orient="row",
        )
        return rows.select(_ORG).join(told, on=_ORG, how="left", maintain_order="left")["before"]

    @staticmethod
    def _orgs_of(rows: pl.DataFrame) -> Iterable[tuple[str, str]]:
        orgs = rows.select(_ORG)
        if not orgs.is_empty() and all((orgs[name] == orgs[name][0]).all() for name in _ORG):
            return [orgs.row(0)]
        return orgs.unique(maintain_order=True).iter_rows()


class Lookup:
    """What belongs to a number, found by its place in a column: keys once each, quicker than a join where many look."""

    def __init__(self, keys: pl.Series, values: pl.Series) -> None:
        most = keys.max()
        self._size = most + 1 if isinstance(most, int) else 0
        self._values = pl.repeat(None, self._size, dtype=values.dtype, eager=True).scatter(keys, values)

    def of(self, numbers: pl.Series) -> pl.Series:
        """Row by row; null where there is nothing."""
        if not self._size:
            return pl.repeat(None, numbers.len(), dtype=self._values.dtype, eager=True)
        return self._values.gather(numbers.set(numbers >= self._size, None))

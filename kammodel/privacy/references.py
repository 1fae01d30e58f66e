"""What of the model speaks of whom: which columns name a record, and what becomes of a row whose record is forgotten.

A *part* goes with what it belongs to: a deal with its account, a deal's steps with the deal, a contact with the account
where it works. A *link* only names it: the cell is emptied and the row stays, as a call with three persons of whom one
is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kammodel.entities import (
    Account,
    AccountPerson,
    AccountPlan,
    Activity,
    Asset,
    Case,
    Contract,
    LineItem,
    Opportunity,
    OpportunityFieldChange,
    OpportunityPerson,
    OpportunityStageEvent,
    Order,
    Person,
    PlanMeasure,
    PlanObjective,
    Sourced,
    TeamMember,
)
from kammodel.entities.activities import SEPARATOR
from kammodel.entities.schema import table_of

ELSEWHERE = "account_elsewhere"
"""Kind of an account as the other CRM names it: by its id alone."""


@dataclass(frozen=True)
class Reference:
    """A column of an entity that names records of a kind; `many`: several of them, joined by `;`."""

    entity: type[Sourced]
    column: str
    kind: str
    is_part: bool = False
    many: bool = False


def _part(entity: type[Sourced], column: str, of: type[Sourced]) -> Reference:
    return Reference(entity, column, kind_of(of), is_part=True)


def _link(entity: type[Sourced], column: str, to: type[Sourced], *, many: bool = False) -> Reference:
    return Reference(entity, column, kind_of(to), many=many)


def kind_of(entity: type[Sourced]) -> str:
    """The name of its table."""
    return table_of(entity).name


REFERENCES = (
    # What was merged into a record is the same company, or the same human being.
    _part(Account, "merged_into_id", Account),
    _link(Account, "parent_id", Account),
    Reference(Account, "cross_reference", ELSEWHERE),
    _part(Person, "account_id", Account),
    _part(Person, "merged_into_id", Person),
    _link(Person, "reports_to_id", Person),
    _part(AccountPerson, "account_id", Account),
    _part(AccountPerson, "person_id", Person),
    _part(TeamMember, "account_id", Account),
    _part(Opportunity, "account_id", Account),
    _part(Opportunity, "merged_into_id", Opportunity),
    _part(OpportunityStageEvent, "opportunity_id", Opportunity),
    _part(OpportunityFieldChange, "opportunity_id", Opportunity),
    _part(OpportunityPerson, "opportunity_id", Opportunity),
    _part(OpportunityPerson, "person_id", Person),
    _part(LineItem, "opportunity_id", Opportunity),
    _part(Case, "account_id", Account),
    _link(Case, "person_id", Person),
    _link(Case, "parent_id", Case),
    _part(Contract, "account_id", Account),
    _link(Contract, "renewed_by_id", Contract),
    _part(Order, "account_id", Account),
    _link(Order, "contract_id", Contract),
    _link(Order, "opportunity_id", Opportunity),
    _part(Asset, "account_id", Account),
    _part(AccountPlan, "account_id", Account),
    _part(PlanObjective, "plan_id", AccountPlan),
    _part(PlanMeasure, "objective_id", PlanObjective),
    _link(Activity, "account_ids", Account, many=True),
    _link(Activity, "opportunity_id", Opportunity),
    _link(Activity, "case_id", Case),
    _link(Activity, "person_ids", Person, many=True),
)
KINDS = frozenset(reference.kind for reference in REFERENCES)
"""What other rows name; of these it has to be remembered which are forgotten."""
HELD_BY: Mapping[type[Sourced], tuple[str, ...]] = {Activity: ("account_ids", "opportunity_id", "case_id")}
"""Columns of which a row that loses the last goes too: what was done with that customer alone."""

Hits = Mapping[str, Mapping[str, str]]
"""By column: the ids in it that are forgotten, each with why."""
_OWN = "source_id"


def references_of(entity: type[Sourced]) -> tuple[Reference, ...]:
    """The columns of an entity that name other records."""
    return tuple(one for one in REFERENCES if one.entity is entity)


@dataclass(frozen=True)
class Sifted:
    """`kept`: the rows that stay, without the links. `dropped`: source_id and `why` of those that do not. `cleaned`:
    source_id of those of `kept` that lost a link."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    cleaned: pl.Series


def sifted(entity: type[Sourced], rows: pl.DataFrame, hits: Hits) -> Sifted:
    """Takes out the rows that are forgotten or belong to what is, and empties the cells that only name it.

    `rows` has source_id and any columns of the entity that name records.
    """
    named = [one for one in references_of(entity) if hits.get(one.column) and one.column in rows.columns]
    parts = [_why(one.column, hits) for one in named if one.is_part]
    links = [one for one in named if not one.is_part]
    own = [_why(_OWN, hits)] if hits.get(_OWN) else []
    nothing = pl.lit(None, pl.String)
    marked = rows.with_columns(
        pl.coalesce(*own, *parts, nothing).alias("@why"),
        *(_emptied(one, hits[one.column]).alias(f"@{one.column}") for one in links),
    )
    lost = pl.any_horizontal(pl.lit(value=False), *(_differs(one.column) for one in links))
    held = [column for column in HELD_BY.get(entity, ()) if column in rows.columns]
    if held:
        gone = [_differs(one.column) for one in links if one.column in held]
        left = [pl.col(f"@{c}" if f"@{c}" in marked.columns else c).is_not_null() for c in held]
        is_orphan = pl.any_horizontal(pl.lit(value=False), *gone) & ~pl.any_horizontal(*left)
        orphaned = pl.when(is_orphan).then(pl.lit(""))
        marked = marked.with_columns(pl.coalesce("@why", orphaned).alias("@why"))
    stays = marked.filter(pl.col("@why").is_null())
    return Sifted(
        kept=stays.with_columns(pl.col(f"@{one.column}").alias(one.column) for one in links).select(rows.columns),
        dropped=marked.filter(pl.col("@why").is_not_null()).select(_OWN, why="@why"),
        cleaned=stays.filter(lost)[_OWN],
    )


def _why(column: str, hits: Hits) -> pl.Expr:
    return pl.col(column).replace_strict(dict(hits[column]), default=None, return_dtype=pl.String)


def _emptied(one: Reference, forgotten: Mapping[str, str]) -> pl.Expr:
    ids = list(forgotten)
    column = pl.col(one.column)
    if not one.many:
        return pl.when(~column.is_in(ids)).then(column)
    left = column.str.split(SEPARATOR).list.eval(pl.element().filter(~pl.element().is_in(ids)))
    return pl.when(left.list.len() > 0).then(left.list.join(SEPARATOR))


def _differs(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(f"@{column}"))

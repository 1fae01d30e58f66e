"""Which KPIs of which account groups stand on rows of which nobody knows what they were on the day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce

import polars as pl

from kammodel.entities import (
    KEY,
    Account,
    AccountPlan,
    Activity,
    Case,
    Opportunity,
    OpportunityStageEvent,
    Person,
    PlanObjective,
    Sourced,
)
from kammodel.entities.activities import SEPARATOR
from kammodel.facts import REGISTRY
from kammodel.facts.cut import Cut
from kammodel.identity import AccountGroups
from kammodel.inputs import Inputs
from kammodel.kpis import DERIVED, GROUPS, Kpi, Windows

_ORG = list(KEY[:2])
_LEADS: Mapping[str, tuple[type[Sourced], ...]] = {
    "opportunity_id": (Opportunity,),
    "case_id": (Case,),
    "person_id": (Person,),
    "plan_id": (AccountPlan,),
    "objective_id": (PlanObjective, AccountPlan),
}
"""Columns that lead to an account by way of other rows."""
_LISTS: Mapping[str, tuple[type[Sourced], ...]] = {"account_ids": (), "person_ids": (Person,)}
_NEXT: Mapping[type[Sourced], str] = {PlanObjective: "plan_id"}
"""The column of a row on the way by which it goes on; `account_id` else."""

WAYS = (*_LEADS, *_LISTS)
"""The columns by which rows lead to groups beside `account_id`."""


def reconstructed_kpis(
    inputs: Inputs,
    grouping: AccountGroups,
    moment: Cut,
    kpis: Sequence[Kpi],
    others: Mapping[str, frozenset[str]] | None = None,
) -> pl.DataFrame:
    """`group`, `reconstructed`: a JSON list of the KPIs of the group that such rows enter, in order of name.

    In: inputs as known at the cut, see `Inputs.as_known`. A row counts for every KPI over a frame that is made of its
    entity, and for what follows from those. A deal does not where the CRM's own history says what it was. Rows that
    belong to no account (products, users, stages, rates) count for nobody: they would for all. `others`: figures by
    name that are told of beside KPIs, and the names of the entities that they are made of.
    """
    doubtful = _in_doubt(inputs, moment)
    touched = {entity: groups_of(entity, rows, inputs, grouping) for entity, rows in doubtful.items()}
    return reconstructed_of(touched, grouping, moment, kpis, others)


def reconstructed_of(
    touched: Mapping[type[Sourced], pl.Series],
    grouping: AccountGroups,
    moment: Cut,
    kpis: Sequence[Kpi],
    others: Mapping[str, frozenset[str]] | None = None,
) -> pl.DataFrame:
    """As `reconstructed_kpis`, from the groups that such rows of an entity belong to."""
    touched = {entity: groups for entity, groups in touched.items() if not groups.is_empty()}
    by_name, windows = {k.name: k for k in kpis}, Windows(moment.day)
    made_of = {k.name: _entities(k, by_name, windows) for k in kpis if "group" in k.levels}
    made_of |= others or {}
    flags = grouping.groups.select("group")
    for entity, groups in touched.items():
        flags = flags.with_columns(pl.col("group").is_in(groups.implode()).alias(entity.__name__))
    names = [entity.__name__ for entity in touched]
    if not names:
        return flags.with_columns(reconstructed=pl.lit("[]"))
    # Few combinations of entities come up; the text of each is made once.
    seen = flags.select(names).unique(maintain_order=True)
    texts = [_text({name for name in names if row[name]}, made_of) for row in seen.iter_rows(named=True)]
    told = seen.with_columns(pl.Series("reconstructed", texts, dtype=pl.String))
    return flags.join(told, on=names, how="left", maintain_order="left").select("group", "reconstructed")


def _text(entities: set[str], made_of: Mapping[str, frozenset[str]]) -> str:
    return json.dumps(sorted(name for name, own in made_of.items() if own & entities), separators=(",", ":"))


def _entities(kpi: Kpi, by_name: Mapping[str, Kpi], windows: Windows) -> frozenset[str]:
    """The names of the entities that a KPI is made of; of one that follows from others, theirs."""
    if kpi.of not in {DERIVED, GROUPS}:
        return frozenset(entity.__name__ for entity in REGISTRY[kpi.of].entities)
    figure = kpi.figure(windows)
    roots = {*figure.value.meta.root_names(), *(figure.why.meta.root_names() if figure.why is not None else ())}
    others = {by_name[root.removesuffix("__why")] for root in roots if root.removesuffix("__why") in by_name}
    own = (_entities(other, by_name, windows) for other in others if other.name != kpi.name)
    return reduce(frozenset.union, own, frozenset())


def _in_doubt(inputs: Inputs, moment: Cut) -> dict[type[Sourced], pl.DataFrame]:
    rows = {entity: frame for entity, frame in inputs.in_doubt.items() if not frame.is_empty()}
    if Opportunity in rows:
        told = told_deals(inputs.of(OpportunityStageEvent), moment)
        rows[Opportunity] = rows[Opportunity].join(told, on=KEY, how="anti", maintain_order="left")
    return rows


def told_deals(events: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """KEY of the deals of which the CRM's own history says what they were."""
    known = events.filter(~pl.col("deleted"), pl.col("changed_at") <= moment.at)
    return known.select(*_ORG, source_id="opportunity_id")


def groups_of(entity: type[Sourced], rows: pl.DataFrame, inputs: Inputs, grouping: AccountGroups) -> pl.Series:
    """The groups that the rows belong to, by whatever leads to one."""
    accounts = rows.select(*_ORG, account_id="source_id").clear()
    found = [accounts]
    if entity is Account:
        found.append(rows.select(*_ORG, account_id="source_id"))
    if "account_id" in rows.columns:
        found.append(rows.select(*_ORG, "account_id"))
    for column, way in _LEADS.items():
        if column in rows.columns:
            found.append(_led(rows.select(*_ORG, id=column), way, inputs))
    for column, way in _LISTS.items() if entity is Activity else ():
        ids = rows.select(*_ORG, id=pl.col(column).str.split(SEPARATOR)).explode("id")
        found.append(_led(ids, way, inputs))
    places = grouping.accounts.select(*_ORG, "group", account_id="source_id")
    named = pl.concat(found).drop_nulls("account_id").unique()
    return named.join(places, on=[*_ORG, "account_id"])["group"].unique()


def _led(rows: pl.DataFrame, way: tuple[type[Sourced], ...], inputs: Inputs) -> pl.DataFrame:
    """Source, instance and `account_id`, from rows with an `id` of the first entity of the way, or of an account."""
    for entity in way:
        next_id = _NEXT.get(entity, "account_id")
        others = inputs.of(entity).select(*_ORG, id="source_id", next=next_id)
        rows = rows.drop_nulls("id").unique().join(others, on=[*_ORG, "id"]).select(*_ORG, id="next")
    return rows.select(*_ORG, account_id="id")

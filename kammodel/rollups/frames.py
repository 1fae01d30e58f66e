"""The rows that rollups are taken over, as they were known at the cut, by the same rules as the facts of KPIs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from kammodel.entities import KEY, Activity, Case, Contract, LineItem, Opportunity, Person, Product, Sourced
from kammodel.facts.activities import is_done, ties, with_day
from kammodel.facts.cases import CASES, known_cases
from kammodel.facts.contracts import CONTRACTS
from kammodel.facts.deals import DEALS
from kammodel.facts.frames import ACCOUNT, DEAL, OWN, FactFrame, Sources, places
from kammodel.facts.people import PEOPLE, relations
from kammodel.facts.touches import TOUCHES
from kammodel.numbering import number
from kammodel.rollups.columns import columns_of, entities_of
from kammodel.rollups.declaring import Over, Rollup
from kammodel.rollups.typed import RECORD, typed_columns

_LINE_ITEMS = FactFrame(
    "line_items",
    reads=(
        frozenset({"opportunities", "opportunity_line_items"}),
        frozenset({"opportunities", "line_items"}),
    ),
    entities={
        **DEALS.entities,
        LineItem: (*KEY, "created_at", "deleted", "opportunity_id", "product_id", "amount", "currency"),
        Product: (*KEY, "deleted"),
    },
    build=lambda sources: sources.frame("deals"),
)
FACTS: Mapping[Over, FactFrame] = {
    "opportunities": DEALS,
    "line_items": _LINE_ITEMS,
    "activities": TOUCHES,
    "cases": CASES,
    "contacts": PEOPLE,
    "contracts": CONTRACTS,
}
"""The frame of facts with the same rows: what it is made of, and which streams tell of it."""

_RECORD = ["company", RECORD]

_OWNERS: Mapping[str, type[Sourced]] = {
    "opportunities": Opportunity,
    "opportunity_line_items": LineItem,
    "line_items": LineItem,
    "products": Product,
    "contacts": Person,
    "contracts": Contract,
    "cases": Case,
    "tickets": Case,
    **dict.fromkeys(("calls", "emails", "meetings", "events", "tasks"), Activity),
}
"""The entity that a stream fills."""


@dataclass(frozen=True)
class Rows:
    """`frame`: one row per record and account: `group`, `company`, KEY, the columns asked for, see `typed_columns`;
    RECORD where a record may belong to several accounts."""

    over: Over
    frame: pl.DataFrame

    def by(self, key: str) -> pl.DataFrame:
        """The rows of each group or company, a record once in each."""
        is_twice = key == "group" and RECORD in self.frame.columns
        return self.frame.unique([key, RECORD]) if is_twice else self.frame


def wanted_columns(rollups: Iterable[Rollup]) -> dict[Over, tuple[str, ...]]:
    """The columns that rollups look at, by what they are over."""
    found: dict[Over, tuple[str, ...]] = {}
    for rollup in rollups:
        found[rollup.over] = tuple(dict.fromkeys((*found.get(rollup.over, ()), *rollup.columns)))
    return found


def entities(rollups: Iterable[Rollup]) -> dict[type[Sourced], tuple[str, ...]]:
    """The columns of entities that the rollups are made of."""
    found: dict[type[Sourced], tuple[str, ...]] = {}
    for over, names in wanted_columns(rollups).items():
        for entity, columns in (*FACTS[over].entities.items(), *entities_of(over, names).items()):
            found[entity] = tuple(dict.fromkeys((*found.get(entity, ()), *columns)))
    return found


def streams(rollup: Rollup) -> tuple[frozenset[str], ...]:
    """Sets of streams; its rows are known if all of one of them were read."""
    needs_products = any(name.startswith("product.") for name in rollup.columns)
    more = frozenset({"products"}) if needs_products else frozenset[str]()
    return tuple(one | more for one in FACTS[rollup.over].reads)


def columns_filled_by(rollup: Rollup, stream: str) -> frozenset[str]:
    """The columns of the entity of a stream that a rollup looks at."""
    known, entity = columns_of(rollup.over), _OWNERS[stream]
    return frozenset(known[name].source for name in rollup.columns if known[name].entity is entity)


def rows_of(over: Over, names: Sequence[str], sources: Sources) -> Rows:
    """The rows of an entity with the columns named, of live accounts of the system of record, once per account."""
    known = columns_of(over)
    found = _BUILD[over](sources)
    made = typed_columns(found, [known[name] for name in names], sources)
    return Rows(over, made)


def _placed(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """`rows` with ACCOUNT that count, with group and company."""
    known = sources.once(places).filter("is_counted").select(ACCOUNT, "group", "company")
    return rows.join(known, on=ACCOUNT)


def _opportunities(sources: Sources) -> pl.DataFrame:
    """Deals as DEALS knows them, with the other columns of the entity. `close_on` is that of the status then."""
    then = sources.frame("deals").select(
        *KEY,
        OWN,
        "stage_id",
        "status",
        "own_amount",
        "amount",
        "amount_why",
        "probability",
        "forecast_category",
        "currency",
        close_on=pl.coalesce("closed_on", "expected_on"),
        on=pl.col("closed_on").fill_null(sources.moment.day),
    )
    others = sources.of(Opportunity).select(OWN, pl.exclude(OWN, *then.columns))
    return _placed(then.join(others, on=OWN), sources)


def _line_items(sources: Sources) -> pl.DataFrame:
    """Lines of the deals above, with `opportunity.` and `product.` columns; amounts at the day of the deal."""
    deals = sources.once(_opportunities)
    deal = deals.select("group", "company", "on", pl.col(OWN).alias(DEAL), *_prefixed(deals, "opportunity."))
    products, its = sources.of(Product), number("product_id")
    product = products.select(pl.col(OWN).alias(its), *_prefixed(products, "product."))
    lines = sources.of(LineItem).filter(sources.moment.existed())
    return lines.join(deal, on=DEAL).join(product, on=its, how="left")


def _prefixed(frame: pl.DataFrame, prefix: str) -> list[pl.Expr]:
    return [pl.col(name).alias(f"{prefix}{name}") for name in frame.columns if name not in {*KEY, "group", "company"}]


def _activities(sources: Sources) -> pl.DataFrame:
    """Activities of every kind, planned ones too, with `day` and `is_done`, at the accounts that touches belong to."""
    moment = sources.moment
    known = sources.of(Activity).filter(moment.existed(), "is_counted").with_row_index("touch")
    known = with_day(known, moment).with_columns(is_done=is_done(moment).fill_null(value=False))
    found = ties(known, sources).select("touch", ACCOUNT).unique()
    return _placed(known.join(found, on="touch").rename({"touch": RECORD}), sources).unique(_RECORD)


def _cases(sources: Sources) -> pl.DataFrame:
    then = sources.once(known_cases).with_columns(closed_at=pl.when("is_closed").then("closed_at"))
    return _placed(then, sources)


def _contacts(sources: Sources) -> pl.DataFrame:
    """Persons at the account where they work, and at those that they are actively related to."""
    known = sources.of(Person).filter(sources.moment.existed(), pl.col("merged_into_id").is_null())
    known = known.with_row_index(RECORD)
    own = known.select(OWN, ACCOUNT)
    related = sources.once(relations).select(pl.col(number("person_id")).alias(OWN), ACCOUNT)
    held = pl.concat([own, related]).drop_nulls(ACCOUNT).unique()
    return _placed(held.join(known.drop(ACCOUNT), on=OWN), sources).unique(_RECORD)


def _contracts(sources: Sources) -> pl.DataFrame:
    known = sources.of(Contract).filter(sources.moment.existed())
    return _placed(known, sources).with_columns(on="starts_on")


_BUILD: Mapping[Over, Callable[[Sources], pl.DataFrame]] = {
    "opportunities": lambda sources: sources.once(_opportunities),
    "line_items": _line_items,
    "activities": _activities,
    "cases": _cases,
    "contacts": _contacts,
    "contracts": _contracts,
}


def made_of(rollup: Rollup) -> frozenset[str]:
    """The names of the entities that a rollup is made of."""
    read = (FACTS[rollup.over].entities, entities_of(rollup.over, rollup.columns))
    return reduce(frozenset.union, (frozenset(entity.__name__ for entity in found) for found in read), frozenset())

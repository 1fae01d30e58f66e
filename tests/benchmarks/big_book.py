"""An invented book of any size, written straight into a store: about 5 opportunities and 25 activities an account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from kammodel.entities import (
    Account,
    Activity,
    Bookmark,
    Case,
    Contract,
    ExchangeRate,
    LineItem,
    Opportunity,
    OpportunityStageEvent,
    Person,
    PipelineStage,
    Product,
    Sourced,
    User,
    polars_schema,
)
from kammodel.entities.schema import INSTANT, table_of
from kammodel.store import Store
from kammodel.store.control import save_bookmark

DAY = dt.date(2026, 6, 30)
SYNCED_AT = dt.datetime(2026, 6, 30, 20, tzinfo=dt.UTC)
PER_ACCOUNT: Mapping[type[Sourced], float] = {
    Account: 1,
    Person: 2,
    Opportunity: 5,
    OpportunityStageEvent: 10,
    LineItem: 5,
    Activity: 25,
    Case: 1,
    Contract: 0.25,
}
"""Rows for each account: of opportunities and activities."""

_STREAMS = (
    *("accounts", "opportunities", "opportunity_history", "opportunity_line_items", "opportunity_contact_roles"),
    *("products", "contacts", "tasks", "events", "cases", "contracts", "orders", "users"),
)
_FIRST = dt.date(2023, 1, 1)
_DAYS = (DAY - _FIRST).days
_CHUNK = 250_000
_USERS, _PRODUCTS, _FAMILIES = 400, 40, 8
_ORG = {"source": pl.lit("salesforce"), "source_instance": pl.lit("00D000000000001AAA")}
_KINDS = ("call", "email", "email", "email", "meeting", "task", "call", "note")
_STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation")
_CURRENCIES = ("EUR", "EUR", "EUR", "USD")


def fill(store: Store, accounts: int) -> dict[str, int]:
    """Writes the book; the number of rows by table. Seeded: the same numbers give the same book."""
    counts = {}
    with store.transaction() as tx:
        for entity, frames in _frames(accounts).items():
            table = table_of(entity).name
            counts[table] = 0
            for frame in frames:
                tx.insert(table, frame)
                counts[table] += frame.height
        for stream in _STREAMS:
            org = {"source": "salesforce", "source_instance": "00D000000000001AAA"}
            save_bookmark(tx, Bookmark(**org, stream=stream, fingerprint="", watermark=SYNCED_AT))
    return counts


def _frames(accounts: int) -> dict[type[Sourced], Iterator[pl.DataFrame]]:
    makers = {
        Account: _accounts,
        Person: _persons,
        Opportunity: _opportunities,
        OpportunityStageEvent: _events,
        LineItem: _lines,
        Activity: _activities,
        Case: _cases,
        Contract: _contracts,
    }
    made = {entity: _chunks(entity, round(accounts * PER_ACCOUNT[entity]), make) for entity, make in makers.items()}
    few = {User: (_USERS, _users), Product: (_PRODUCTS, _products), PipelineStage: (len(_STAGES), _stages)}
    few |= {ExchangeRate: (1, _rates)}
    return made | {entity: _chunks(entity, n, make) for entity, (n, make) in few.items()}


def _chunks(entity: type[Sourced], n: int, make: object) -> Iterator[pl.DataFrame]:
    """Rows of an entity; what is not said is null, and everything is at the same instants."""
    schema = polars_schema(entity)
    for first in range(0, n, _CHUNK):
        rows = pl.select(i=pl.int_range(first, min(n, first + _CHUNK), dtype=pl.UInt64))
        told = rows.select(**_ORG, **make(rows))  # type: ignore[operator]
        at = pl.lit(dt.datetime(2023, 1, 1, tzinfo=dt.UTC)).cast(INSTANT)
        plain = {"deleted": pl.lit(value=False), **dict.fromkeys(("created_at", "updated_at"), at)}
        plain |= dict.fromkeys(("synced_at", "content_changed_at"), at)
        full = told.with_columns(**{name: value for name, value in plain.items() if name not in told.columns})
        empty = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in full.columns]
        yield full.with_columns(empty).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _any(n: int, seed: int) -> pl.Expr:
    """A whole number below n that looks random."""
    return pl.col("i").hash(seed) % max(1, n)


def _share(seed: int) -> pl.Expr:
    return _any(1_000_000, seed) / 1_000_000


def _id(prefix: str, number: pl.Expr) -> pl.Expr:
    """As long as Salesforce's ids are."""
    return pl.lit(prefix) + number.cast(pl.String).str.zfill(15)


def _one_of(words: tuple[str, ...], seed: int) -> pl.Expr:
    return _any(len(words), seed).replace_strict(dict(enumerate(words)), return_dtype=pl.String)


def _day(seed: int) -> pl.Expr:
    return pl.lit(_FIRST) + pl.duration(days=_any(_DAYS, seed))


def _instant(day: pl.Expr) -> pl.Expr:
    return (day.cast(pl.Datetime("us")) + pl.duration(hours=10)).dt.replace_time_zone("UTC")


def _accounts(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    number = pl.col("i")
    has_parent = (number % 10 == 9) & (number > 9)
    return {
        "source_id": _id("001", number),
        "name": pl.lit("Company ") + number.cast(pl.String),
        "domain": pl.lit("company") + number.cast(pl.String) + pl.lit(".example"),
        "type": pl.lit("customer"),
        "industry": _one_of(("retail", "finance", "energy"), 1),
        "country": _one_of(("ES", "FR", "DE"), 2),
        "owner_id": _id("005", _any(_USERS, 3)),
        "employees": _any(5_000, 4),
        "parent_id": pl.when(has_parent).then(_id("001", number - 9)),
    }


def _persons(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    titles = ("CEO", "Head of Purchasing", "Engineer", "Assistant", "CFO", "Buyer")
    return {
        "source_id": _id("003", pl.col("i")),
        "account_id": _id("001", pl.col("i") // 2),
        "title": _one_of(titles, 5),
    }


def _opportunities(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    is_open = _share(10) < 0.3
    stage, close_on = _one_of(_STAGES, 12), _day(13)
    return {
        "source_id": _id("006", pl.col("i")),
        "account_id": _id("001", pl.col("i") // 5),
        "stage_id": pl.when(is_open).then(stage).otherwise(pl.lit("Closed")),
        "status": pl.when(is_open)
        .then(pl.lit("open"))
        .when(_share(11) < 0.5)
        .then(pl.lit("won"))
        .otherwise(pl.lit("lost")),
        "amount": pl.when(_share(14) < 0.97).then(_any(100_000, 15).cast(pl.Int64) * 10_000),
        "currency": _one_of(_CURRENCIES, 16),
        "probability": pl.when(is_open).then(0.4),
        "close_on": pl.when(is_open).then(pl.lit(DAY) + pl.duration(days=_any(180, 17))).otherwise(close_on),
        "kind": _one_of(("new", "expansion", "renewal"), 18),
        "created_at": _instant(close_on - pl.duration(days=90)),
    }


def _events(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    return {
        "source_id": _id("008", pl.col("i")),
        "opportunity_id": _id("006", pl.col("i") // 2),
        "changed_at": _instant(_day(20)),
        "stage_id": _one_of(_STAGES, 21),
        "status": pl.lit("open"),
        "amount": _any(100_000, 22).cast(pl.Int64) * 10_000,
        "close_on": _day(23),
    }


def _lines(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    return {
        "source_id": _id("00k", pl.col("i")),
        "opportunity_id": _id("006", pl.col("i")),
        "product_id": _id("01t", _any(_PRODUCTS, 30)),
        "quantity": (_any(9, 31) + 1).cast(pl.Float64),
        "list_price": _any(10_000, 32).cast(pl.Int64) * 10_000,
        "amount": _any(50_000, 33).cast(pl.Int64) * 10_000,
        "currency": _one_of(_CURRENCIES, 16),
    }


def _activities(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    account, kind, day, way = pl.col("i") // 25, _one_of(_KINDS, 40), _day(41), _share(42)
    person, is_calendar = _id("003", account * 2), kind == "meeting"
    both = person + pl.lit(";") + _id("003", account * 2 + 1)
    return {
        "source_id": _id("00T", pl.col("i")),
        "kind": kind,
        "direction": pl.when(kind.is_in(["call", "email"])).then(_one_of(("in", "out"), 43)),
        "status": pl.when(~is_calendar).then(
            pl.when(_share(44) < 0.9).then(pl.lit("done")).otherwise(pl.lit("planned"))
        ),
        "is_calendar": is_calendar,
        "is_counted": pl.lit(value=True),
        "occurred_on": pl.when(kind != "task").then(day),
        "due_on": pl.when(kind == "task").then(day),
        "starts_at": pl.when(is_calendar).then(_instant(day)),
        "ends_at": pl.when(is_calendar).then(_instant(day)),
        "completed_at": pl.when(~is_calendar).then(_instant(day)),
        "created_at": _instant(day),
        "owner_id": _id("005", _any(_USERS, 45)),
        "account_ids": pl.when(way < 0.75).then(_id("001", account)),
        "opportunity_id": pl.when(way.is_between(0.5, 0.9)).then(_id("006", account * 5 + _any(5, 46))),
        "person_ids": pl.when(_share(47) < 0.5).then(person).when(_share(47) < 0.75).then(both),
    }


def _cases(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    opened, is_closed = _instant(_day(50)), _share(51) < 0.9
    return {
        "source_id": _id("500", pl.col("i")),
        "account_id": _id("001", pl.col("i")),
        "person_id": _id("003", pl.col("i") * 2),
        "priority": _one_of(("High", "Medium", "Low"), 52),
        "status": pl.when(is_closed).then(pl.lit("Closed")).otherwise(pl.lit("New")),
        "is_closed": is_closed,
        "opened_at": opened,
        "closed_at": pl.when(is_closed).then(opened + pl.duration(hours=_any(200, 53))),
    }


def _contracts(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    begins = _day(60)
    return {
        "source_id": _id("800", pl.col("i")),
        "account_id": _id("001", pl.col("i") * 4),
        "status": pl.lit("Activated"),
        "starts_on": begins,
        "ends_on": begins + pl.duration(days=365),
    }


def _users(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    return {"source_id": _id("005", pl.col("i")), "is_active": pl.lit(value=True)}


def _products(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    family = pl.lit("Family ") + (pl.col("i") % _FAMILIES).cast(pl.String)
    return {"source_id": _id("01t", pl.col("i")), "family": family, "is_active": pl.lit(value=True)}


def _stages(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    name = pl.col("i").replace_strict(dict(enumerate(_STAGES)), return_dtype=pl.String)
    return {"source_id": name, "stage_id": name, "position": pl.col("i")}


def _rates(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    return {
        "source_id": pl.lit("USD@"),
        "currency": pl.lit("USD"),
        "home_currency": pl.lit("EUR"),
        "numerator": pl.lit(9),
        "denominator": pl.lit(10),
    }

"""Contracts that were in force at some time up to the end of a day, and what became of those that ended."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import KEY, Contract, Order
from kammodel.facts.frames import ORG, FactFrame, Sources
from kammodel.facts.revenue import in_force

_NEVER = ("Draft", "InApproval", "In Approval Process", "Terminated", "Canceled", "Cancelled")
"""Statuses under which a contract does not run to its end: never signed, or ended before it."""

_AROUND = dt.timedelta(days=90)
"""How early or late a contract that follows may begin (kam.md §4 renewal_rate)."""

_CONTRACT = [*ORG, "contract_id"]


def _contracts(sources: Sources) -> pl.DataFrame:
    """group, `ends_on`, `decide_on`, `value` in the reporting currency, `value_why`, `is_renewed`: the contracts
    that are known at the cut and begun; `ends_on` is null of one without an end.

    `decide_on`: the day by which the customer decides: the last day of notice of one that renews itself, else the end.
    `value`: what the contract says, else the sum of its orders; at the rate of its first day. `is_renewed`: another
    contract follows it, named as such, or of the same account and begun within 90 days of its end; one that begins only
    later is known to follow once it is signed.
    """
    moment = sources.moment
    signed = pl.col("activated_at").is_null() | (pl.col("activated_at") <= moment.at)
    runs = ~pl.col("status").is_in(_NEVER).fill_null(value=False)
    known = sources.of(Contract).filter(moment.existed(), signed, runs).rename({"source_id": "contract_id"})
    begun = pl.col("starts_on") <= moment.day
    others = known.filter(begun | pl.col("activated_at").is_not_null())
    counted = sources.counted(known.filter(begun))
    named = pl.when(pl.col("is_auto_renewed").fill_null(value=False)).then("notice_days").fill_null(0)
    told = counted.join(_ordered(sources), on=_CONTRACT, how="left").with_columns(
        own_amount=pl.coalesce("amount", "ordered"),
        currency=pl.when(pl.col("amount").is_not_null()).then("currency").otherwise("order_currency"),
        on="starts_on",
        decide_on=pl.col("ends_on") - pl.duration(days=named),
    )
    priced = sources.converted(told.drop("amount")).join(_followed(counted, others), on=_CONTRACT, how="left")
    return priced.select(
        "group",
        "ends_on",
        "decide_on",
        value="amount",
        value_why="amount_why",
        is_renewed=pl.col("is_followed").fill_null(value=False),
    )


def _ordered(sources: Sources) -> pl.DataFrame:
    """source, source_instance, contract_id, `ordered`, `order_currency`: what was ordered under a contract, in one
    currency; null where an order tells no amount, or they are in several."""
    orders = sources.of(Order).filter(in_force(sources.moment), pl.col("contract_id").is_not_null())
    whole = (pl.col("amount").null_count() == 0) & (pl.col("currency").n_unique() == 1)
    return orders.group_by(_CONTRACT).agg(
        ordered=pl.when(whole).then(pl.col("amount").sum()), order_currency=pl.col("currency").first()
    )


def _followed(contracts: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """source, source_instance, contract_id, `is_followed` of the contracts that one of `others` follows: one that it
    names, on whatever account, or one of the same account."""
    account = [*ORG, "account_id"]
    named = contracts.join(others, left_on=[*ORG, "renewed_by_id"], right_on=_CONTRACT, how="semi")
    next_ones = others.select(*account, next_id="contract_id", next_on="starts_on")
    pairs = contracts.select(*account, "contract_id", "starts_on", "ends_on").join(next_ones, on=account)
    near = (pl.col("next_on") - pl.col("ends_on")).abs() <= _AROUND
    follows = near & (pl.col("next_on") > pl.col("starts_on")) & (pl.col("next_id") != pl.col("contract_id"))
    found = pl.concat([named.select(_CONTRACT), pairs.filter(follows).select(_CONTRACT)])
    return found.unique().with_columns(is_followed=pl.lit(value=True))


CONTRACTS = FactFrame(
    "contracts",
    reads=(frozenset({"contracts"}),),
    entities={
        Contract: (
            *KEY,
            "created_at",
            "deleted",
            "account_id",
            "status",
            "starts_on",
            "ends_on",
            "activated_at",
            "amount",
            "currency",
            "is_auto_renewed",
            "notice_days",
            "renewed_by_id",
        ),
        Order: (
            *KEY,
            "created_at",
            "deleted",
            "contract_id",
            "status_code",
            "effective_on",
            "amount",
            "currency",
            "activated_at",
        ),
    },
    build=_contracts,
)

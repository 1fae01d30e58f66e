"""Turns amounts into the reporting currency at dated rates, exactly: fractions of whole numbers, half to even."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import polars as pl

SINCE_EVER = dt.date(1, 1, 1)
OUT_OF_RANGE = "out_of_range"
"""More money than an Int64 of 1/10,000 units holds: a typing error in the CRM, most likely."""

NO_CURRENCY = "no_currency"
_ORG = ("source", "source_instance")
_INT64_MAX = 2**63 - 1

Period = tuple[dt.date, int | None, int | None, str | None]
Leg = list[tuple[dt.date, Fraction]]
"""Units of the home currency for one unit, from each day on; in order of days."""


def no_rate(currency: str) -> str:
    """The reason code of a figure for which a rate is missing (reading 7)."""
    return f"no rate for {currency}"


def home_currencies(
    opportunities: pl.DataFrame, accounts: pl.DataFrame, rates: pl.DataFrame, reporting: str
) -> pl.DataFrame:
    """source, source_instance, `home`: the currency of amounts that name none.

    It is the one home currency of the org's rates. Without rates: the only currency that any account or
    opportunity of the org names; none named at all is an org with a single currency that it does not tell,
    taken to be the reporting currency. Null where several are possible: then it is not guessed.
    """
    orgs = pl.concat([frame.select(_ORG) for frame in (opportunities, accounts)]).unique()
    named = pl.concat([frame.select(*_ORG, "currency") for frame in (opportunities, accounts)])
    stated = _distinct(rates.select(*_ORG, found="home_currency"))
    mentioned = _distinct(named.select(*_ORG, found="currency"))
    joined = (
        orgs.join(stated.select(*_ORG, "n", rated=pl.when(pl.col("n") == 1).then("found")), on=_ORG, how="left")
        .join(mentioned.select(*_ORG, m="n", only=pl.when(pl.col("n") == 1).then("found")), on=_ORG, how="left")
        .with_columns(pl.col("n", "m").fill_null(0))
    )
    unrated = pl.when(pl.col("m") == 0).then(pl.lit(reporting)).otherwise("only")
    return joined.select(*_ORG, home=pl.when(pl.col("n") == 0).then(unrated).otherwise("rated")).sort(_ORG)


@dataclass(frozen=True)
class Rates:
    """Rates of the CRMs (`ExchangeRate`), each org's own home currency, and the currency that all is turned into.

    `given`: the file fx_rates.csv of KAM_INPUTS_DIR, None without one. It goes before the CRMs' rates, from the first
    day that it states for a currency on: reporting = amount x rate (reading 8).
    """

    homes: pl.DataFrame
    rates: pl.DataFrame
    reporting: str
    given: pl.DataFrame | None = None

    @cached_property
    def legs(self) -> dict[tuple[str, str, str], Leg]:
        """By source, source_instance and currency."""
        return _legs(self.rates)

    @cached_property
    def given_legs(self) -> dict[str, Leg]:
        """Units of the reporting currency for one unit, by currency."""
        return _given_legs(self.given)


def converted(amounts: pl.DataFrame, by: Rates) -> pl.DataFrame:
    """Adds `amount` (Int64 of 1/10,000 units of the reporting currency) and `amount_why`, in the order of rows.

    In: source, source_instance (null in what comes from a file), `own_amount`, `currency` (null: the org's home
    currency, in a file the reporting one), `on` (the day whose rate counts). A rate holds from its day until the
    next; a currency that is not the home currency is
    crossed by way of it. Where a rate is missing the amount is null, with `no rate for XXX`; where the
    currency is not known, with `no_currency`. A null amount stays null and has no reason here.
    """
    kinds, keys = _kinds(amounts)
    keyed = kinds.join(by.homes, on=_ORG, how="left", maintain_order="left")
    home = pl.when(pl.col("source").is_null()).then(pl.lit(by.reporting)).otherwise("home")
    keyed = keyed.with_columns(home=home, told="currency", currency=pl.coalesce("currency", home))
    used = keyed.select(*_ORG, "currency", "home").unique().drop_nulls("currency").sort(*_ORG, "currency")
    pairs = used.with_row_index("pair")
    paired = keyed.join(pairs.drop("home"), on=[*_ORG, "currency"], how="left", nulls_equal=True)
    paired = paired.drop("currency").rename({"told": "currency"}).select(*keys, "pair")
    numbered = amounts.select(*keys, "on", "own_amount").join(
        paired, on=keys, how="left", maintain_order="left", nulls_equal=True
    )
    table = _rate_table(pairs, by)
    placed = _rated(numbered, table.with_columns(pl.col("numerator", "denominator").cast(_wide(amounts, table))))
    amount = rounded_quotient(pl.col("own_amount") * pl.col("numerator"), pl.col("denominator"))
    told = placed.with_columns(amount=amount.cast(pl.Int64, strict=False))
    # Those with a rate have no amount only where it is too large.
    rate_why = pl.coalesce("rate_why", pl.lit(OUT_OF_RANGE))
    why = pl.when(pl.col("pair").is_null()).then(pl.lit(NO_CURRENCY)).otherwise(rate_why)
    lacking = pl.col("own_amount").is_not_null() & pl.col("amount").is_null()
    return amounts.with_columns(told["amount"], told.select(amount_why=pl.when(lacking).then(why)).to_series())


def _wide(amounts: pl.DataFrame, table: pl.DataFrame) -> type[pl.Int64 | pl.Int128]:
    """What all amounts at all rates can be computed in: Int64 is several times quicker than Int128, and nearly always
    wide enough."""
    own = amounts["own_amount"]
    rates = (*table["numerator"], *table["denominator"], 1)
    most = max((abs(end) for end in (own.min(), own.max()) if isinstance(end, int)), default=0)
    return pl.Int64 if 2 * (most + 1) * max(rate for rate in rates if rate is not None) <= _INT64_MAX else pl.Int128


def _kinds(amounts: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Every source, source_instance and currency that there is, and those of the three that differ: few texts are
    compared faster than many."""
    first = amounts.head(1)
    keys = [name for name in _ORG if not (first.height and amounts[name].eq_missing(first[name]).all())]
    kinds = amounts.select(*keys, "currency").unique(maintain_order=True)
    same = [name for name in _ORG if name not in keys]
    return kinds.join(first.select(same), how="cross") if same else kinds, [*keys, "currency"]


def _rated(amounts: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Adds the rate of the day to amounts with their `pair`, in the order of rows."""
    if not table["pair"].is_duplicated().any():
        return amounts.join(table, on="pair", how="left", maintain_order="left")
    return (
        amounts.with_row_index("place")
        .with_columns(pl.col("on").fill_null(SINCE_EVER))
        .sort("on")
        .join_asof(table, left_on="on", right_on="valid_from", by="pair", strategy="backward", check_sortedness=False)
        .sort("place")
    )


def rounded_quotient(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """`numerator / denominator` as a whole number, half to even; Int64 or Int128 in, which holds twice either of them;
    a denominator above 0."""
    floor = numerator // denominator
    twice = 2 * (numerator - floor * denominator)
    up = (twice > denominator) | ((twice == denominator) & (floor % 2 == 1))
    return floor + up.cast(pl.Int8)


def _distinct(found: pl.DataFrame) -> pl.DataFrame:
    return found.drop_nulls("found").unique().group_by(_ORG).agg(n=pl.len(), found=pl.col("found").first())


def _rate_table(pairs: pl.DataFrame, by: Rates) -> pl.DataFrame:
    """pair, valid_from, numerator, denominator, rate_why: the periods of each currency in use. Few rows."""
    rows: list[tuple[int, *Period]] = []
    for pair, source, instance, currency, home in pairs.select("pair", *_ORG, "currency", "home").iter_rows():
        if currency == by.reporting:
            rows.append((pair, SINCE_EVER, 1, 1, None))
            continue
        own, back = (
            [(SINCE_EVER, Fraction(1))] if code == home else by.legs.get((source, instance, code), [])
            for code in (currency, by.reporting)
        )
        way = _Way(currency, by.reporting, own, back, by.given_legs.get(currency, []), by.given_legs.get(home, []))
        rows += [(pair, *period) for period in way.periods()]
    schema = {
        "pair": pl.UInt32,
        "valid_from": pl.Date,
        "numerator": pl.Int128,
        "denominator": pl.Int128,
        "rate_why": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("valid_from")


def _legs(rates: pl.DataFrame) -> dict[tuple[str, str, str], Leg]:
    usable = rates.filter(~pl.col("deleted"), pl.col("numerator") > 0, pl.col("denominator") > 0)
    legs: dict[tuple[str, str, str], Leg] = {}
    columns = (*_ORG, "currency", "valid_from", "numerator", "denominator")
    for source, instance, currency, since, above, below in usable.sort(columns).select(columns).iter_rows():
        legs.setdefault((source, instance, currency), []).append((since or SINCE_EVER, Fraction(above, below)))
    return legs


def _given_legs(given: pl.DataFrame | None) -> dict[str, Leg]:
    legs: dict[str, Leg] = {}
    if given is not None:
        columns = ("currency", "valid_from", "rate_numerator", "rate_denominator")
        for currency, since, above, below in given.sort("valid_from").select(columns).iter_rows():
            legs.setdefault(currency, []).append((since, Fraction(above, below)))
    return legs


@dataclass(frozen=True)
class _Way:
    """From a currency to the reporting one: `given` by the file, or by way of the home currency (`own`), and from
    there by the file (`given_home`) or by the CRM (`back`, units of home for one unit of the reporting currency)."""

    currency: str
    reporting: str
    own: Leg
    back: Leg
    given: Leg
    given_home: Leg

    def periods(self) -> list[Period]:
        days = {since for leg in (self.own, self.back, self.given, self.given_home) for since, _ in leg}
        return [self._period(day) for day in sorted({SINCE_EVER, *days})]

    def _period(self, day: dt.date) -> Period:
        rate, lacking = self._rate(day)
        if rate is None:
            return (day, None, None, no_rate(lacking))
        rate = _bounded(rate)
        return (day, rate.numerator, rate.denominator, None)

    def _rate(self, day: dt.date) -> tuple[Fraction | None, str]:
        """The rate of a day; without one, the currency for which it is missing."""
        direct = _at(self.given, day)
        if direct is not None:
            return direct, ""
        to_home, from_home, to_reporting = _at(self.own, day), _at(self.given_home, day), _at(self.back, day)
        if to_home is None:
            return None, self.currency
        if from_home is None and to_reporting is not None:
            from_home = 1 / to_reporting
        return (None, self.reporting) if from_home is None else (to_home * from_home, "")


def _at(leg: Leg, day: dt.date) -> Fraction | None:
    place = bisect_right(leg, day, key=lambda period: period[0])
    return leg[place - 1][1] if place else None


def _bounded(rate: Fraction) -> Fraction:
    """The rate itself; only one of more than eighteen digits is taken to the nearest that Int128 can multiply."""
    if max(rate.numerator, rate.denominator) <= _INT64_MAX:
        return rate
    return rate.limit_denominator(10**9)

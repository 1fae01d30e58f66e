"""What was known at the cut, row by row; which accounts are one group; and what amounts are worth."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from kammodel.entities import ExchangeRate, OpportunityStageEvent, Sourced
from tests.oracle.world import Book, Row

Key = tuple[str, str]
"""source, source_id."""


@dataclass(frozen=True)
class Null:
    """No value, and the reasons that would do: one, unless the specification leaves open which of them is told."""

    whys: tuple[str, ...]

    def __init__(self, *whys: str) -> None:
        object.__setattr__(self, "whys", whys)


@dataclass(frozen=True)
class Unrounded:
    """A ratio of which each rounding to the stated scale will do."""

    value: Fraction


@dataclass
class Amount:
    """In the reporting currency, 1/10,000 units; `why` where it could not be converted; neither: unknown."""

    value: Any
    why: str | None = None


@dataclass
class Group:
    """An account group and what counts of it, by kind of fact; filled by `facts`."""

    group_id: str
    accounts: set[Key]
    owner: str | None
    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Knowledge:
    """A book as it was known at its cut."""

    book: Book

    def __post_init__(self) -> None:
        self.t = self.book.config.as_of
        self.cut = self.book.cut

    # Rows: reading 5, design.md step 4.

    @cached_property
    def is_past(self) -> bool:
        return self.cut < self.book.last_sync

    def rows(self, entity: type[Sourced]) -> list[Row]:
        """Rows that were there and not deleted, as they were; `unknown` where nobody knows what they were."""
        return [row for row in self.every(entity).values() if not row["deleted"]]

    def every(self, entity: type[Sourced]) -> dict[Key, Row]:
        """Rows that were there, deleted ones too: those still tell to whom belongs what refers to them."""
        found = ((key, self._then(states)) for key, states in self.book.rows[entity].items())
        return {key: row for key, row in found if row is not None}

    def _then(self, states: list[Row]) -> Row | None:
        seen = self.book.seen(states)
        created = seen[-1]["created_at"]
        if created is not None and created > self.cut:
            return None
        then = [state for state in seen if state["effective"] <= self.cut]
        return {**(then[-1] if then else seen[0]), "unknown": not then}

    @cached_property
    def companies(self) -> dict[Key, frozenset[Key]]:
        """The live accounts that are one company, for each account that stands for one of them."""
        from tests.oracle.grouping import Grouping

        grouping = Grouping(self)
        own = grouping.companies()
        return {key: own[live] for key in grouping.every if (live := grouping.survivor(key)) is not None}

    @cached_property
    def history(self) -> dict[Key, list[Row]]:
        """All rows of the history of deals, later ones too, oldest first."""
        found = defaultdict(list)
        for states in self.book.rows[OpportunityStageEvent].values():
            row = self.book.seen(states)[-1]
            if not row["deleted"]:
                found[row["source"], row["opportunity_id"]].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: (row["changed_at"], row["source_id"]))
        return found

    def day(self, instant: dt.datetime | None) -> Any:
        return None if instant is None else instant.astimezone(self.book.zone).date()

    # Groups: reading 37, and the same company in two CRMs.

    @cached_property
    def grouped(self) -> tuple[list[Group], dict[Key, Group], dict[Key, bool], dict[Key, Row]]:
        """The groups, the group of each account that stands for one (merged ones too), whether it is counted, and all
        accounts."""
        from tests.oracle.grouping import Grouping

        return Grouping(self).made()

    @property
    def groups(self) -> list[Group]:
        return self.grouped[0]

    def group_of(self, source: str, account_id: str | None, *, counted: bool = True) -> Group | None:
        """The group that a row of an account counts in."""
        if account_id is None or (source, account_id) not in self.grouped[1]:
            return None
        if counted and not self.grouped[2][source, account_id]:
            return None
        return self.grouped[1][source, account_id]

    def is_counted(self, key: Key) -> bool:
        """Whether what an account has counts: not if the system of record has the company too."""
        return self.grouped[2][key]

    @cached_property
    def named(self) -> dict[str, tuple[Key, Group]]:
        """The key and the group of each account that a file may name: by its id, else by those that refer to it, as
        long as they are in one group."""
        _, by_account, _, every = self.grouped
        referring = defaultdict(list)
        for key in sorted(by_account):
            if every[key].get("cross_reference"):
                referring[every[key]["cross_reference"]].append((key, by_account[key]))
        sure = {name: found[0] for name, found in referring.items() if len({id(group) for _, group in found}) == 1}
        return {**sure, **{key[1]: (key, group) for key, group in by_account.items()}}

    # Money: readings 7 and 8.

    @cached_property
    def rates(self) -> dict[Key, list[tuple[dt.date, Fraction]]]:
        """By CRM and currency: from when one unit is how many of the home currency."""
        found = defaultdict(list)
        for states in self.book.rows[ExchangeRate].values():
            row = states[-1]
            found[row["source"], row["currency"]].append(
                (row["valid_from"] or dt.date.min, Fraction(row["numerator"], row["denominator"]))
            )
        return {key: sorted(rates) for key, rates in found.items()}

    @cached_property
    def homes(self) -> dict[str, str]:
        return {row[-1]["source"]: row[-1]["home_currency"] for row in self.book.rows[ExchangeRate].values()}

    @cached_property
    def filed_rates(self) -> dict[str, list[tuple[dt.date, Fraction]]]:
        found = defaultdict(list)
        for line in self.book.files.get("fx_rates", []):
            found[line["currency"]].append(
                (line["valid_from"], Fraction(line["rate_numerator"], line["rate_denominator"]))
            )
        return {currency: sorted(rates) for currency, rates in found.items()}

    def reporting(self, own: int | None, currency: str | None, on: dt.date | None, source: str | None) -> Amount:
        """An amount in the reporting currency at the rate of a day, half to even."""
        to = self.book.config.reporting_currency
        currency = currency or (to if source is None else self.homes[source])
        if own is None:
            return Amount(None)
        rate = self.rate(currency, on, source)
        if rate is None:
            return Amount(None, f"no rate for {currency}")
        return Amount(half_even(Fraction(own) * rate))

    def filed(self, own: int, currency: str | None, on: dt.date | None, account: str) -> Amount:
        """An amount of a file: at the rates of the CRM that has the account; without one it is reported."""
        return self.reporting(own, currency or self.book.config.reporting_currency, on, self.named[account][0][0])

    def rate(self, currency: str, on: dt.date | None, source: str | None) -> Fraction | None:
        to = self.book.config.reporting_currency
        if currency == to:
            return Fraction(1)
        filed = _at(self.filed_rates.get(currency, []), on)
        if filed is not None or source is None:
            return filed
        home = self.homes[source]
        own = Fraction(1) if currency == home else _at(self.rates.get((source, currency), []), on)
        filed_home = _at(self.filed_rates.get(home, []), on)
        if home == to:
            back: Fraction | None = Fraction(1)
        elif filed_home is not None:
            back = filed_home
        else:
            units = _at(self.rates.get((source, to), []), on)
            back = None if units is None else 1 / units
        return None if own is None or back is None else own * back


def _at(rates: list[tuple[dt.date, Fraction]], on: dt.date | None) -> Fraction | None:
    """The rate in force on a day."""
    found = [rate for since, rate in rates if on is not None and since <= on]
    return found[-1] if found else None


def half_even(value: Fraction) -> int:
    """The nearest whole number; of two as near the even one."""
    return round(value)

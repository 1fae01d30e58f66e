"""What a frame of facts is: rows of account groups as they were known at the cut, and what it is built from.

A new frame is one `FactFrame` in a file of this package, listed in FRAMES; a KPI names it in `of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import polars as pl

from kammodel.conversion import Rates, converted
from kammodel.entities import KEY, Sourced
from kammodel.entities.schema import INSTANT
from kammodel.facts.cut import Cut
from kammodel.identity import AccountGroups
from kammodel.numbering import Numbers, number

ORG = list(KEY[:2])
NO_FORECASTS = {"group_id": pl.String(), "as_of": pl.Date(), "recorded_at": INSTANT, "forecast": pl.Int64()}
ACCOUNT, DEAL, PERSON = number("account_id"), number("opportunity_id"), "person"
OWN = number("source_id")
"""Numbers of ids, see `numbering.Numbers`: what rows are put together by."""
T = TypeVar("T")


@dataclass(frozen=True)
class Sources:
    """Everything that frames are built from. `entities`: rows by entity, with the columns that some frame asks
    for, and the numbers of their ids (`numbers`). `given`: the files of KAM_INPUTS_DIR by name. `forecasts`: group_id,
    as_of, recorded_at, forecast: what our own snapshots said of the quarters that then began.

    A frame may be built of the rows of some groups only: all that it looks at must then be these groups' own,
    except in a frame that is built `across` groups. `everywhere`: the accounts of all groups, where `grouping` is of
    some.
    """

    entities: Mapping[type[Sourced], pl.DataFrame]
    given: Mapping[str, pl.DataFrame]
    grouping: AccountGroups
    moment: Cut
    rates: Rates
    registry: Mapping[str, FactFrame]
    numbers: Numbers
    forecasts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NO_FORECASTS))
    everywhere: pl.DataFrame | None = None
    _made: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def reporting_currency(self) -> str:
        return self.rates.reporting

    def of(self, entity: type[Sourced]) -> pl.DataFrame:
        """The rows of an entity."""
        return self.entities[entity]

    def file(self, name: str) -> pl.DataFrame | None:
        """The rows of a file of KAM_INPUTS_DIR, None where there is no such file."""
        return self.given.get(name)

    def frame(self, name: str) -> pl.DataFrame:
        """Another frame of facts; each is built once."""
        return self.once(self.registry[name].build)

    def once(self, make: Callable[[Sources], T]) -> T:
        """What a function of the sources makes, made once: for what several frames are cut from."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("T", self._made[make])

    def converted(self, amounts: pl.DataFrame) -> pl.DataFrame:
        """Adds `amount` and `amount_why` to rows with source, source_instance (null in what comes from a file),
        `own_amount`, `currency` and `on`: see `conversion.converted`."""
        return converted(amounts, self.rates)

    def counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with ACCOUNT that count for a group, with `group`: those of live accounts of the system of record.
        Order is not kept."""
        return rows.join(self.once(places).filter("is_counted").select(ACCOUNT, "group"), on=ACCOUNT)

    def counted_anywhere(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The `rows` with ACCOUNT that count for a group, be it one of another shard."""
        accounts = self.grouping.accounts if self.everywhere is None else self.everywhere
        return rows.join(_numbered(accounts.filter("is_counted"), self), on=ACCOUNT, how="semi")

    def knowing(self, made: Mapping[object, Any]) -> Sources:
        """The same where some of what is made once is known, by the function that makes it."""
        return replace(self, _made=dict(made))


def places(sources: Sources) -> pl.DataFrame:
    """ACCOUNT, group, `is_counted`, `company` of every id that stands for a live account."""
    return _numbered(sources.grouping.accounts, sources).drop(KEY)


def _numbered(accounts: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    return sources.numbers.with_numbers(accounts, ["source_id"]).rename({OWN: ACCOUNT})


@dataclass(frozen=True)
class FactFrame:
    """Rows with `group`, and what they are made of.

    `reads`: sets of streams; a group's rows are known if every CRM that it is counted in has read all of one of the
    sets. None: always known, as what comes from a file is. `needs`: by stream, the columns without which it tells
    too little to count as read. `entities`: the columns that are read from the store. `counts`: what
    was left out or could not be known, by name. `across`: the frames that it is built of, of all groups together.
    """

    name: str
    reads: tuple[frozenset[str], ...]
    entities: Mapping[type[Sourced], tuple[str, ...]]
    build: Callable[[Sources], pl.DataFrame]
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    counts: Callable[[Sources], Mapping[str, int]] | None = None
    across: tuple[str, ...] = ()

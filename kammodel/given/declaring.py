"""What a file of KAM_INPUTS_DIR looks like: columns with a kind and a range, what tells rows apart, what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["text", "choice", "number", "whole", "money", "rate", "date", "flag", "period", "currency"]

DTYPES: Mapping[Kind, pl.DataType] = {
    "text": pl.String(),
    "choice": pl.String(),
    "number": pl.Float64(),
    "whole": pl.Int64(),
    "money": pl.Int64(),
    "date": pl.Date(),
    "flag": pl.Boolean(),
    "currency": pl.String(),
}
"""`rate` and `period` become two columns each, see `Column.made`."""


@dataclass(frozen=True)
class Column:
    """One column. `low`, `high`: the range of a number, both ends in it. `choices`: the only words of a choice."""

    name: str
    kind: Kind
    about: str
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def made(self) -> dict[str, pl.DataType]:
        """The columns of the frame that come out of it.

        A rate is a fraction of whole numbers: `<name>_numerator`, `<name>_denominator`. A period is its first and
        last day: `starts_on`, `ends_on`.
        """
        if self.kind == "rate":
            return {f"{self.name}_{part}": pl.Int64() for part in ("numerator", "denominator")}
        if self.kind == "period":
            return {"starts_on": pl.Date(), "ends_on": pl.Date()}
        return {self.name: DTYPES[self.kind]}


@dataclass(frozen=True)
class Rule:
    """What must not be the case in a row: `broken` is true there. `text` says what is wrong and what to do."""

    column: str
    broken: pl.Expr
    text: str


@dataclass(frozen=True)
class GivenFile:
    """A CSV file `<name>.csv`. No two rows agree in `key`; of each set in `one_of`, exactly one column is filled."""

    name: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    one_of: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def filename(self) -> str:
        return f"{self.name}.csv"

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns of the frame: `line` in the file (1 is the header), then what each column becomes."""
        return {"line": pl.Int64(), **{name: dtype for c in self.columns for name, dtype in c.made.items()}}


def account_column(*, required: bool = True) -> Column:
    """The column that names an account."""
    about = "Account: its id in any CRM, `salesforce:<id>` or `hubspot:<id>` where that is not plain, or a group's id"
    return Column("account", "text", about, required=required)


def not_before(column: str, first: str) -> Rule:
    """A day must not lie before another."""
    broken = pl.col(column) < pl.col(first)
    return Rule(column, broken, f"lies before {first}: put the later day here")

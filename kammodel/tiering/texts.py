"""Gives the sentences of texts.toml, filled in for one group or for a column of them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from kammodel.tiering.criteria import Language

LANGUAGES: tuple[Language, ...] = ("en", "es")


@cache
def _all() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text("utf-8"))


def section(name: str, language: Language) -> dict[str, str]:
    """One table of texts.toml: code to text."""
    texts: dict[str, str] = _all()[language][name]
    return texts


def filled(template: str, **columns: pl.Expr) -> pl.Expr:
    """The sentence with a column in each brace; null where one of them is null."""
    parts = re.split(r"\{(\w+)\}", template)
    expressions = [(columns[part].cast(pl.String) if place % 2 else pl.lit(part)) for place, part in enumerate(parts)]
    return pl.concat_str(expressions, ignore_nulls=False)


def labelled(code: pl.Expr, name: str, language: Language) -> pl.Expr:
    """The words for a column of codes; null for null and for a code without words."""
    return code.replace_strict(section(name, language), default=None, return_dtype=pl.String)


def number(value: pl.Expr, language: Language, decimals: int = 1) -> pl.Expr:
    """`72.4`, in Spanish `72,4`; always that many decimals (at least one)."""
    shown = value.round(decimals).cast(pl.String)
    return shown.str.replace(".", _all()[language]["decimal"], literal=True)


def signed(value: pl.Expr) -> pl.Expr:
    """A whole number of points with its sign: `+21`, `-4`."""
    whole = value.round(0).cast(pl.Int64)
    return pl.when(whole > 0).then(pl.lit("+")).otherwise(pl.lit("")) + whole.cast(pl.String)

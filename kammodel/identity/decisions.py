"""What people decided about matches: which pairs of accounts are one company, and which are not."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY
from kammodel.identity.following import INDEX


@dataclass(frozen=True)
class Decisions:
    """`pairs`: `a`, `b` (rows of live accounts of two CRMs, a < b), `decision` (confirm or forbid), one per pair.
    `unknown`: lines that name an account nobody knows, or that several CRMs have; `within`: two of one CRM."""

    pairs: pl.DataFrame
    unknown: int
    within: int


def decided(rows: pl.DataFrame, given: pl.DataFrame | None) -> Decisions:
    """The decisions of `given` (text columns left, right, decision; no decision yet where that is null).

    An account is named `source:instance:id`, `source:id`, or by its bare id where one CRM alone has it; a merged one
    means its survivor. Of a pair that is confirmed and forbidden, the latter holds: of two mistakes the one that
    can be undone.
    """
    if given is None:
        return Decisions(pl.DataFrame(schema={"a": INDEX, "b": INDEX, "decision": pl.String}), 0, 0)
    asked = given.drop_nulls(["left", "right", "decision"])
    names = _names(rows)
    found = asked.select(
        "decision",
        one=_row_of(asked["left"], names),
        two=_row_of(asked["right"], names),
    )
    known = found.drop_nulls(["one", "two"])
    sources = rows["source"]
    apart = known.filter(sources.gather(known["one"]) != sources.gather(known["two"]))
    pairs = apart.select("decision", a=pl.min_horizontal("one", "two"), b=pl.max_horizontal("one", "two"))
    # "confirm" sorts before "forbid".
    pairs = pairs.sort("a", "b", "decision").unique(["a", "b"], keep="last", maintain_order=True)
    return Decisions(pairs, found.height - known.height, known.height - apart.height)


def reference_key(id_text: pl.Expr) -> pl.Expr:
    """An id in the form in which references to it are compared: a Salesforce account id by its first 15
    characters, which tell all accounts apart (the last three only repeat their case); any other as it is."""
    bare = id_text.str.strip_chars()
    return pl.when(bare.str.contains(r"^001[A-Za-z0-9]{12}[A-Z0-5]{3}$")).then(bare.str.slice(0, 15)).otherwise(bare)


def account_name(*parts: str) -> pl.Expr:
    """`source:instance:id`, or with fewer parts."""
    return pl.concat_str(list(parts), separator=":")


def _names(rows: pl.DataFrame) -> pl.DataFrame:
    """`name`, `survivor`: everything by which a file may name one account."""
    alive = rows.drop_nulls("survivor")
    ways = (account_name(*KEY), account_name("source", "source_id"), pl.col("source_id"))
    named = pl.concat([alive.select("survivor", name=_comparable(way)) for way in ways])
    return named.unique(maintain_order=True).filter(pl.col("survivor").n_unique().over("name") == 1)


def _row_of(texts: pl.Series, names: pl.DataFrame) -> pl.Series:
    asked = texts.rename("name").to_frame().select(_comparable(pl.col("name")).alias("name"))
    return asked.join(names, on="name", how="left", maintain_order="left")["survivor"]


def _comparable(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"[^:]*$", "").str.strip_chars() + reference_key(text.str.extract(r"([^:]*)$"))

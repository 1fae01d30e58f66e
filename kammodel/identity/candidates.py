"""Pairs of accounts of two CRMs that may be one company, by each rule, and what speaks against a pair.

A pair is `a`, `b` (row numbers, a < b), `rule`, `evidence` and `why`: null where nothing speaks against it, else the
reason for which it is shown to a person instead of joined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from kammodel.identity.following import INDEX
from kammodel.identity.normalizing import country_keys, is_below, name_keys, web_hosts

PAIRS: dict[str, pl.DataType] = {
    "a": INDEX(),
    "b": INDEX(),
    "rule": pl.String(),
    "evidence": pl.String(),
    "why": pl.String(),
}
LISTED = 5
"""Companies of one CRM that are listed for one address or name: more of them say nothing about who is who."""

_LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class Comparable:
    """`rows`: one per live account in order of row: row, `crm` (a number for its source), host, name_key, country,
    `is_astray` (its cross-reference names nobody that is known). `company`: of each row, as far as it is settled."""

    rows: pl.DataFrame
    company: pl.Series

    @cached_property
    def held(self) -> pl.DataFrame:
        """Which CRMs each company has an account in: company, crm."""
        return self.rows.select("crm", company=self.company.gather(self.rows["row"])).unique().with_columns(held=True)

    def keyed(self, key: pl.Expr) -> pl.DataFrame:
        """The rows that have a key, in order, with their company; one per `key_n` (a number for the key), CRM and
        company. `n`: how many these are."""
        rows = self.rows.with_columns(company=self.company.gather(self.rows["row"]), key=key).drop_nulls("key")
        numbered = rows.with_columns(key_n=pl.col("key").cast(pl.Categorical).to_physical())
        one = numbered.unique(["key_n", "crm", "company"], keep="first", maintain_order=True)
        return one.with_columns(n=pl.len().over("key_n", "crm"))


def comparable(live: pl.DataFrame) -> pl.DataFrame:
    """Adds host, name_key and country to live accounts."""
    return live.select(
        "row",
        crm=pl.col("source").rank("dense").cast(pl.UInt8),
        name_key=name_keys(live["name"]),
        host=web_hosts(live["domain"]),
        country=country_keys(live["country"]),
    )


def by_domain(known: Comparable) -> pl.DataFrame:
    """Pairs with the same host."""
    pairs = _with_taken(known, _pairs(known, pl.col("host")))
    why = pl.coalesce(_taken(), _astray(), _several())
    return _told(pairs, "domain", pl.col("key"), why)


def by_name(known: Comparable) -> pl.DataFrame:
    """Pairs with the same name in the same country. Differing hosts speak against them; where in addition one of
    them has been joined with another company, they are two companies of one name."""
    both = pl.format("{} ({})", "name_key", "country")
    pairs = _with_taken(known, _pairs(known, both))
    differ = ~is_below(pl.col("host"), pl.col("host_b")).fill_null(value=True)
    pairs = pairs.with_columns(differ=differ).filter(~(pl.col("differ") & pl.col("is_taken")))
    hosts = pl.format("{}: {}, {}", "key", "host", "host_b")
    evidence = pl.when("differ").then(hosts).otherwise("key")
    why = pl.coalesce(_taken(), _astray(), _several(), pl.when("differ").then(pl.lit("domains_differ")))
    return _told(pairs, "name", evidence, why)


def similar(known: Comparable) -> pl.DataFrame:
    """Pairs that only a person can judge, each the only one of its kind and free on both sides: a host below the
    other's, or the same name where a country is unknown. Never joined."""
    return pl.concat([_below(known), _somewhere(known)])


def not_listed(known: Comparable) -> int:
    """Accounts beyond the LISTED ones of a CRM, by address or name and country, that another CRM holds as well."""
    beyond = 0
    for key in (["host"], ["name_key", "country"]):
        sizes = known.rows.drop_nulls(key).group_by(*key, "crm").len()
        crowded = sizes.filter(pl.col("len") > LISTED)
        shared = crowded.join(sizes, on=key).filter(pl.col("crm") != pl.col("crm_right")).unique([*key, "crm"])
        beyond += int((shared["len"].cast(pl.Int64) - LISTED).sum())
    return beyond


def _pairs(known: Comparable, key: pl.Expr) -> pl.DataFrame:
    """Pairs that agree in a key, of two CRMs and two companies, with `n`, `n_b`: the companies of each CRM that do."""
    keyed = known.keyed(key)
    crms = keyed.group_by("key_n").agg(crms=pl.col("crm").n_unique()).filter(pl.col("crms") > 1)
    shared = keyed.join(crms, on="key_n", how="semi", maintain_order="left")
    few, crowded = shared.filter(pl.col("n") <= LISTED), shared.filter(pl.col("n") > LISTED)
    listed = pl.concat([few, crowded.filter(pl.int_range(pl.len()).over("key_n", "crm") < LISTED)])
    return listed.join(listed, on="key_n", suffix="_b").filter(
        pl.col("row") < pl.col("row_b"),
        pl.col("crm") != pl.col("crm_b"),
        pl.col("company") != pl.col("company_b"),
    )


def _with_taken(known: Comparable, pairs: pl.DataFrame) -> pl.DataFrame:
    """Adds `is_taken`: one of the two has been joined with another account of the other's CRM."""
    ways = (
        pairs.select("company", crm="crm_b").join(known.held, on=["company", "crm"], how="left", maintain_order="left"),
        pairs.select("crm", company="company_b").join(
            known.held, on=["company", "crm"], how="left", maintain_order="left"
        ),
    )
    one, two = (way["held"].fill_null(value=False) for way in ways)
    return pairs.with_columns(is_taken=one | two)


def _below(known: Comparable) -> pl.DataFrame:
    deep = known.rows.filter(pl.col("host").str.count_matches(".", literal=True) > 1)
    ends = pl.concat(
        [deep.with_columns(above=pl.col("host").str.extract(_above(level), 1)).drop_nulls("above") for level in _LEVELS]
    )
    pairs = ends.join(known.rows, left_on="above", right_on="host", suffix="_b", coalesce=False)
    pairs = pairs.with_columns(
        company=known.company.gather(pairs["row"]), company_b=known.company.gather(pairs["row_b"])
    ).filter(pl.col("crm") != pl.col("crm_b"), pl.col("company") != pl.col("company_b"))
    pairs = pairs.with_columns(
        n=pl.col("company").n_unique().over("above", "crm"), n_b=pl.col("company_b").n_unique().over("above", "crm_b")
    )
    return _alone(_with_taken(known, pairs), "domain", pl.concat_str(["host", "host_b"], separator=", "), "subdomain")


def _above(level: int) -> str:
    """Takes so many labels off a host; two at least stay."""
    return rf"^(?:[^.]+\.){{{level}}}([^.]+\..+)$"


def _somewhere(known: Comparable) -> pl.DataFrame:
    # Only names that somebody bears without a country.
    open_names = known.rows.filter(pl.col("country").is_null()).select("name_key").unique()
    rows = known.rows.join(open_names, on="name_key", how="semi", maintain_order="left")
    pairs = _with_taken(known, _pairs(replace(known, rows=rows), pl.col("name_key")))
    somewhere = pl.col("country").is_null() | pl.col("country_b").is_null()
    alike = is_below(pl.col("host"), pl.col("host_b")).fill_null(value=True)
    return _alone(pairs.filter(somewhere & alike), "name", pl.col("key"), "country_unknown")


def _alone(pairs: pl.DataFrame, rule: str, evidence: pl.Expr, why: str) -> pl.DataFrame:
    free = pairs.filter(~pl.col("is_taken"), pl.col("n") == 1, pl.col("n_b") == 1)
    return _told(free, rule, evidence, pl.lit(why))


def _told(pairs: pl.DataFrame, rule: str, evidence: pl.Expr, why: pl.Expr) -> pl.DataFrame:
    told = pairs.select(
        a=pl.min_horizontal("row", "row_b"),
        b=pl.max_horizontal("row", "row_b"),
        rule=pl.lit(rule),
        evidence=evidence,
        why=why,
    )
    return told.cast(pl.Schema(PAIRS)).unique(["a", "b"], keep="first", maintain_order=True)


def _taken() -> pl.Expr:
    return pl.when("is_taken").then(pl.lit("taken"))


def _astray() -> pl.Expr:
    return pl.when(pl.col("is_astray") | pl.col("is_astray_b")).then(pl.lit("cross_reference"))


def _several() -> pl.Expr:
    return pl.when((pl.col("n") > 1) | (pl.col("n_b") > 1)).then(pl.lit("several"))

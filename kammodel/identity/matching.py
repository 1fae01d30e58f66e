"""Joins the accounts of several CRMs that are one company, and says of every pair why, or why not."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY
from kammodel.identity.candidates import PAIRS, Comparable, by_domain, by_name, comparable, not_listed, similar
from kammodel.identity.decisions import account_name, decided, reference_key
from kammodel.identity.following import INDEX, components

STATES = ("confirmed", "joined", "ambiguous", "forbidden")


@dataclass(frozen=True)
class Matched:
    """`company`: for each row the first row of those that are one company. `pairs`: see `matched`."""

    company: pl.Series
    pairs: pl.DataFrame
    counts: dict[str, int]


def matched(rows: pl.DataFrame, given: pl.DataFrame | None = None) -> Matched:
    """The companies of numbered rows (KEY, survivor, name, domain, country, cross_reference). Issue 5 point 1.

    Rules, in this order, each over what the ones before left apart:
    - `file`: what a person confirmed (`given`, see decisions). A forbidden pair is joined by no rule and through no
      third account.
    - `cross_reference`: an account whose reference is the id of an account of *another* CRM, stated on either side.
    - `domain`: the same web host; shared ones (free mail, networks) are none.
    - `name`: the same name, legal form aside, in the same country.

    The last two join one company of a CRM with one of another, never two of one CRM, not even through a third.
    Whatever fits more than one, or is contradicted, is left apart with `why`: `taken` (one of them has been joined
    with another account of the other's CRM), `several`, `cross_reference` (one names an account that is not
    known), `domains_differ`, `subdomain`, `country_unknown`, `forbidden` or `chain` (would join, through others, a
    forbidden pair or two of one CRM).

    `pairs`: `a`, `b` (rows), rule, evidence, state, why; one row per pair that was joined, decided or left apart.
    """
    live = rows.filter(pl.col("survivor") == pl.col("row"))
    links, astray = _references(rows)
    several = live["source"].n_unique() > 1
    compared = comparable(live if several else live.clear())
    compared = compared.with_columns(is_astray=pl.col("row").is_in(astray.implode()))
    decisions = decided(rows, given)
    settling = _Settling(rows.height, compared, decisions.pairs)
    settling.settle(_confirmed(decisions.pairs), "confirmed", may_repeat=True)
    settling.settle(links, "joined", may_repeat=True)
    if several:
        for rule in (by_domain, by_name, similar):
            settling.settle(rule(settling.known), "joined")
    pairs = settling.pairs()
    states = dict(pairs["state"].value_counts().iter_rows())
    counts = {
        **{f"matches_{state}": states.get(state, 0) for state in STATES},
        "matches_not_listed": not_listed(settling.known),
        "matches_of_unknown_accounts": decisions.unknown,
        "matches_within_one_crm": decisions.within,
    }
    return Matched(settling.company, pairs, counts)


class _Settling:
    """Companies as they grow, rule by rule, and the pairs that were looked at."""

    def __init__(self, n: int, compared: pl.DataFrame, decisions: pl.DataFrame) -> None:
        self._rows = compared
        self.company = pl.int_range(n, dtype=INDEX, eager=True)
        self._decided = decisions
        self._forbidden = decisions.filter(pl.col("decision") == "forbid")
        told = {"rule": pl.lit("file"), "evidence": pl.lit("matches.csv"), "state": pl.lit("forbidden")}
        self._told = [self._forbidden.select("a", "b", **told, why=pl.lit(None, pl.String))]

    @property
    def known(self) -> Comparable:
        return Comparable(self._rows, self.company)

    def settle(self, pairs: pl.DataFrame, state: str, *, may_repeat: bool = False) -> None:
        """Joins the pairs that nothing speaks against. `may_repeat`: a person may name two accounts of a CRM."""
        if state != "confirmed":
            pairs = pairs.join(self._decided, on=["a", "b"], how="anti", maintain_order="left")
        asked = pairs.filter(pl.col("why").is_null())
        proposed = self._joined(asked)
        refused = self._refused(proposed, may_repeat=may_repeat)
        end = proposed.gather(pairs["a"])
        why = pl.DataFrame({"company": end}).join(refused, on="company", how="left", maintain_order="left")["refused"]
        pairs = pairs.with_columns(why=pl.coalesce("why", why))
        self.company = proposed if refused.is_empty() else self._joined(pairs.filter(pl.col("why").is_null()))
        outcome = pl.when(pl.col("why").is_null()).then(pl.lit(state)).otherwise(pl.lit("ambiguous"))
        self._told.append(pairs.select("a", "b", "rule", "evidence", outcome.alias("state"), "why"))

    def pairs(self) -> pl.DataFrame:
        """Each pair once: as it was settled, else by the first rule that brought it up."""
        told = pl.concat(self._told).with_columns(left_apart=pl.col("state") == "ambiguous")
        first = told.sort("left_apart", maintain_order=True).unique(["a", "b"], keep="first", maintain_order=True)
        # What two accounts of one company left open has been settled through others.
        together = self.company.gather(first["a"]) == self.company.gather(first["b"])
        return first.filter(~(pl.col("left_apart") & together)).drop("left_apart")

    def _joined(self, pairs: pl.DataFrame) -> pl.Series:
        a, b = self.company.gather(pairs["a"]), self.company.gather(pairs["b"])
        return components(self.company.len(), a, b).gather(self.company)

    def _refused(self, proposed: pl.Series, *, may_repeat: bool) -> pl.DataFrame:
        """`company` as proposed, `refused`: why it may not come to be."""
        apart = self._forbidden.select(a=proposed.gather(self._forbidden["a"]), b=proposed.gather(self._forbidden["b"]))
        forbidden = apart.filter(pl.col("a") == pl.col("b")).select(company="a", refused=pl.lit("forbidden"))
        if may_repeat:
            return forbidden.unique("company")
        of = self._rows.select(
            "crm", company=proposed.gather(self._rows["row"]), was=self.company.gather(self._rows["row"])
        )
        parts = of.filter(pl.col("company") != pl.col("was")).select("company").unique()
        grown = of.join(parts, on="company", how="semi").group_by("company", "crm").agg(n=pl.col("was").n_unique())
        chains = grown.filter(pl.col("n") > 1).select("company", refused=pl.lit("chain"))
        return pl.concat([forbidden, chains]).unique("company", keep="first", maintain_order=True)


def _confirmed(decisions: pl.DataFrame) -> pl.DataFrame:
    told = {"rule": pl.lit("file"), "evidence": pl.lit("matches.csv"), "why": pl.lit(None)}
    return decisions.filter(pl.col("decision") == "confirm").select("a", "b", **told).cast(pl.Schema(PAIRS))


def _references(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Pairs that a cross-reference ties, and the live rows whose reference names nobody of another CRM."""
    alive = rows.drop_nulls("survivor")
    said = alive.drop_nulls("cross_reference").select(
        "source", "survivor", "cross_reference", key=reference_key(pl.col("cross_reference"))
    )
    said = said.filter(pl.col("key") != "")
    meant = alive.select(other="source", end="survivor", key=reference_key(pl.col("source_id")))
    found = said.join(meant, on="key", maintain_order="left").filter(pl.col("source") != pl.col("other"))
    pairs = found.select(
        a=pl.min_horizontal("survivor", "end"),
        b=pl.max_horizontal("survivor", "end"),
        rule=pl.lit("cross_reference"),
        evidence=pl.format("{} -> {}", "source", pl.col("cross_reference").str.strip_chars()),
        why=pl.lit(None),
    )
    pairs = pairs.sort("a", "b", "evidence").unique(["a", "b"], keep="first", maintain_order=True)
    astray = said.join(found, on=["survivor", "key"], how="anti")["survivor"].unique()
    return pairs.cast(pl.Schema(PAIRS)), astray


def told(pairs: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The pairs for people: `left`, `left_name`, `left_group`, `right`, `right_name`, `right_group`, rule, evidence,
    state, why, in order of left and right. `members` has row, KEY, name, group."""
    account = members.select("row", *KEY, account_name(*KEY).alias("account"), "name", "group")
    both = pairs.join(account, left_on="a", right_on="row").join(account, left_on="b", right_on="row", suffix="_b")
    # By CRM and id, so that the system of record, a setting, does not turn pairs round.
    turned = pl.col("account") > pl.col("account_b")
    sides = {
        f"{side}{end}": pl.when(turned if side == "right" else ~turned).then(name).otherwise(f"{name}_b")
        for side in ("left", "right")
        for end, name in (("", "account"), ("_name", "name"), ("_group", "group"))
    }
    return both.select(**sides, rule="rule", evidence="evidence", state="state", why="why").sort("left", "right")

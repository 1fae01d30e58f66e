"""Companies and groups of random worlds against an oracle that goes row by row, pair by pair.

Many worlds are in one frame: hosts, names and ids carry the number of the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from typing import Any

import polars as pl
import pytest

from kammodel.entities import KEY, Account, polars_schema
from kammodel.identity import COLUMNS, AccountGroups, account_groups

CRMS = ("hubspot", "salesforce", "zoho")
HOSTS = (None, None, "acme.com", "acme.com", "shop.acme.com", "iberia-acme.es", "gmail.com")
NAMES = {"Acme SL": "acme", "Ácme": "acme", "Acme GmbH & Co. KG": "acme", "Iberia": "iberia", "IBERIA, S.A.": "iberia"}
COUNTRIES = {None: None, "Spain": "ES", "España": "ES", "DE": "DE"}
WORLDS = 250

Row = dict[str, Any]


@dataclass
class World:
    """Accounts of three CRMs, with what people decided; and the companies they make, found the slow way."""

    rows: list[Row]
    decisions: list[tuple[Row, Row, str]]
    company: dict[str, str] = field(default_factory=dict)
    """Id of a live account -> name of its company."""

    def solved(self) -> list[set[str]]:
        """The ids of each company's live accounts."""
        self.company = {row["source_id"]: row["source_id"] for row in self._live()}
        confirmed, forbidden = self._decided()
        links = [pair for pair in self._links() if pair not in confirmed | forbidden]
        self._settle(confirmed, forbidden, may_repeat=True)
        self._settle(links, forbidden, may_repeat=True)
        for key in (self._host_key, self._name_key):
            pairs = [pair for pair in self._candidates(key) if pair not in confirmed | forbidden]
            self._settle(pairs, forbidden, may_repeat=False)
        names = set(self.company.values())
        return [{one for one, name in self.company.items() if name == company} for company in names]

    def survivor(self, row: Row) -> Row | None:
        """The live row that a row stands for."""
        for _ in range(len(self.rows) + 1):
            if row["merged_into_id"] is None:
                return None if row["deleted"] else row
            found = [r for r in self.rows if (r["source"], r["source_id"]) == (row["source"], row["merged_into_id"])]
            if not found:
                return None
            row = found[0]
        return None

    def _live(self) -> list[Row]:
        return sorted((r for r in self.rows if self.survivor(r) is r), key=lambda r: (r["source"], r["source_id"]))

    def _decided(self) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
        ends = [(self.survivor(one), self.survivor(two), decision) for one, two, decision in self.decisions]
        known = [(one, two, decision) for one, two, decision in ends if one and two and one["source"] != two["source"]]
        said = {
            d: {frozenset({a["source_id"], b["source_id"]}) for a, b, x in known if x == d}
            for d in ("confirm", "forbid")
        }
        return said["confirm"] - said["forbid"], said["forbid"]

    def _references(self) -> Iterator[tuple[Row, list[Row]]]:
        """Each row that names somebody and stands for a live one, with the live ones of other CRMs that are meant."""
        for row in self.rows:
            own = self.survivor(row)
            if own and row["cross_reference"]:
                meant = [
                    r for r in self.rows if r["source_id"] == row["cross_reference"] and r["source"] != row["source"]
                ]
                yield own, [end for end in map(self.survivor, meant) if end]

    def _links(self) -> list[frozenset[str]]:
        return [frozenset({own["source_id"], end["source_id"]}) for own, ends in self._references() for end in ends]

    def _host_key(self, row: Row) -> str | None:
        return None if row["domain"] is None or "gmail" in row["domain"] else row["domain"].removeprefix("www.")

    def _name_key(self, row: Row) -> str | None:
        name, country = NAMES[row["name"].split(" ", 1)[1]], COUNTRIES[row["country"]]
        return f"{name} {country}" if country else None

    def _candidates(self, key: Any) -> list[frozenset[str]]:
        """Pairs of one key that nothing speaks against."""
        astray = {own["source_id"] for own, ends in self._references() if not ends}
        first: dict[tuple[str, str, str], Row] = {}
        for row in self._live():
            if key(row):
                first.setdefault((key(row), row["source"], self.company[row["source_id"]]), row)
        held = {(row["source"], self.company[row["source_id"]]) for row in self._live()}
        found = []
        for (one_key, crm, company), (two_key, other, company_of_other) in combinations(first, 2):
            if one_key != two_key or crm == other or company == company_of_other:
                continue
            a, b = first[one_key, crm, company], first[two_key, other, company_of_other]
            several = any(sum(k[:2] == (one_key, c) for k in first) > 1 for c in (crm, other))
            taken = (other, company) in held or (crm, company_of_other) in held
            if (
                several
                or taken
                or {a["source_id"], b["source_id"]} & astray
                or (key == self._name_key and self._apart(a, b))
            ):
                continue
            found.append(frozenset({a["source_id"], b["source_id"]}))
        return found

    def _apart(self, a: Row, b: Row) -> bool:
        hosts = sorted(filter(None, (self._host_key(a), self._host_key(b))), key=len)
        return len(hosts) == 2 and hosts[0] != hosts[1] and not hosts[1].endswith(f".{hosts[0]}")

    def _settle(self, pairs: Any, forbidden: set[frozenset[str]], *, may_repeat: bool) -> None:
        merged = {name: {name} for name in self.company.values()}
        for one, two in (sorted(pair) for pair in pairs):
            union = merged[self.company[one]] | merged[self.company[two]]
            merged |= dict.fromkeys(union, union)
        crm = {row["source_id"]: row["source"] for row in self.rows}
        for union in map(set, {frozenset(union) for union in merged.values() if len(union) > 1}):
            inside = {one for one, name in self.company.items() if name in union}
            repeats = any(len({self.company[one] for one in inside if crm[one] == c}) > 1 for c in CRMS)
            if not any(pair <= inside for pair in forbidden) and (may_repeat or not repeats):
                self.company |= dict.fromkeys(inside, min(union))


def world(random: Random, number: int) -> World:
    rows: list[Row] = [
        {
            "source": random.choice(CRMS),
            "source_id": f"w{number}-{n}",
            "name": f"w{number} {random.choice(list(NAMES))}",
            "domain": host and random.choice(("", "www.")) + host.replace("acme", f"acme{number}"),
            "country": random.choice(list(COUNTRIES)),
            "deleted": random.random() < 0.1,
            "merged_into_id": None,
            "cross_reference": f"w{number}-{random.randrange(9)}" if random.random() < 0.2 else None,
        }
        for n in range(random.randint(2, 7))
        for host in [random.choice(HOSTS)]
    ]
    for row in rows:
        if random.random() < 0.12:
            row["merged_into_id"] = f"w{number}-{random.randrange(len(rows))}"
    pairs = [random.sample(rows, 2) for _ in range(random.choice((0, 0, 1, 2)))]
    return World(rows, [(one, two, random.choice(("confirm", "forbid"))) for one, two in pairs])


def grouped(worlds: list[World], random: Random, system_of_record: str | None = None) -> AccountGroups:
    """What identity makes of them, their rows in any order."""
    rows = [{"source_instance": "i", **row} for world in worlds for row in world.rows]
    random.shuffle(rows)
    schema = {name: polars_schema(Account)[name] for name in COLUMNS}
    decisions = [
        {side: f"{row['source']}:{row['source_id']}" for side, row in (("left", one), ("right", two))}
        | {"decision": said}
        for world in worlds
        for one, two, said in world.decisions
    ]
    given = pl.DataFrame(decisions, schema=dict.fromkeys(("left", "right", "decision"), pl.String))
    return account_groups(pl.DataFrame(rows, schema=schema), system_of_record, given)


def companies(found: AccountGroups) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in found.members.group_by("group").agg("source_id")["source_id"]}


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 10_000 // WORLDS + 2))]
)
def test_companies_are_those_of_the_oracle(seed: int) -> None:
    random = Random(seed)
    worlds = [world(random, number) for number in range(WORLDS)]
    wanted = {frozenset(company) for one in worlds for company in one.solved()}
    assert companies(grouped(worlds, random)) == wanted


def test_worlds_are_worth_looking_at() -> None:
    """Every state and reason occurs: agreement about nothing would prove nothing."""
    random = Random(0)
    found = grouped([world(random, number) for number in range(WORLDS)], random)
    assert set(found.matches["state"]) == {"confirmed", "joined", "ambiguous", "forbidden"}
    assert set(found.matches["rule"]) == {"file", "cross_reference", "domain", "name"}
    assert set(found.matches["why"].drop_nulls()) >= {
        "several",
        "taken",
        "cross_reference",
        "domains_differ",
        "forbidden",
    }
    assert set(found.matches["why"].drop_nulls()) >= {"subdomain", "country_unknown", "chain"}


def test_order_of_rows_means_nothing_and_every_account_is_in_one_group() -> None:
    worlds = [world(Random(number), number) for number in range(WORLDS)]
    first, second = (grouped(worlds, Random(seed)) for seed in (1, 2))
    assert first.matches.equals(second.matches)
    assert first.members.equals(second.members)
    assert first.groups.equals(second.groups)
    assert not first.members.select(KEY).is_duplicated().any()
    assert first.counts == second.counts


def test_a_joined_pair_shares_a_group_and_an_open_one_does_not() -> None:
    random = Random(3)
    found = grouped([world(random, number) for number in range(WORLDS)], random, "zoho").matches
    same = found["left_group"] == found["right_group"]
    assert same.to_list() == found["state"].is_in(["joined", "confirmed"]).to_list()
    assert (found["left"] < found["right"]).all()
    assert not found.select("left", "right").is_duplicated().any()

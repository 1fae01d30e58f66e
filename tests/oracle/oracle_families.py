"""Which product families a group lacks, and what its peers spend on those."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import Any

from kammodel.entities import Account, LineItem, Product
from tests.oracle.acts import months_before
from tests.oracle.known import Group, Key, Knowledge, Null, half_even
from tests.oracle.oracle_value import Found, between, rounded
from tests.oracle.world import Row


@dataclass
class Holder:
    """An account that counts: by family what it may buy, has, is negotiating, and what was won of it."""

    group: Group
    eligible: set[str]
    owned: set[str] = field(default_factory=set)
    in_pipeline: set[str] = field(default_factory=set)
    spend: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))

    @property
    def gaps(self) -> set[str]:
        return self.eligible - self.owned - self.in_pipeline


def gather(known: Knowledge) -> dict[str, Fraction]:
    """Gives each group its `holders`; tells what a gap of each family is worth, of those that enough peers may buy."""
    products = {(row["source"], row["source_id"]): row for row in known.rows(Product)}
    holders = {key: Holder(group, eligible(known, key, row, products)) for key, row, group in counted(known)}
    for holder in holders.values():
        holder.group.rows["holders"].append(holder)
    lines = defaultdict(list)
    for row in known.rows(LineItem):
        product = products.get((row["source"], row.get("product_id") or ""))
        if product is not None and product["family"]:
            lines[row["source"], row["opportunity_id"]].append((product["family"], row))
    for group in known.groups:
        for deal in group.rows["deals"]:
            holder = holders[survivor(known, (deal.key[0], deal.row["account_id"]), holders)]
            for family, line in lines[deal.key]:
                if deal.status == "open":
                    holder.in_pipeline.add(family)
                if deal.status == "won" and between(deal.closed_on, months_before(known.t, 24), known.t):
                    amount = known.reporting(line["amount"], line["currency"], deal.closed_on, deal.key[0])
                    holder.owned.add(family)
                    holder.spend[family].append(amount.value)
    return worth(list(holders.values()))


def counted(known: Knowledge) -> list[tuple[Key, Row, Group]]:
    accounts = known.every(Account)
    every = [(key, accounts[key], group) for group in known.groups for key in sorted(group.accounts)]
    return [told for told in every if known.is_counted(told[0])]


def survivor(known: Knowledge, key: Key, holders: dict[Key, Holder]) -> Key:
    """The account itself, else one that counts of the company that it was merged into."""
    return key if key in holders else min(known.companies[key] & holders.keys())


def eligible(known: Knowledge, key: Key, account: Row, products: dict[Key, Row]) -> set[str]:
    """By families.csv; without it, every family of the active products of its CRM."""
    if "families" not in known.book.files:
        own = [row for product, row in products.items() if product[0] == key[0] and row["is_active"]]
        return {row["family"] for row in own if row["family"]}
    allowed: set[str] = set()
    refused: set[str] = set()
    for line in known.book.files["families"]:
        if all(line[name] in {None, account[name]} for name in ("industry", "country")):
            (refused if line["is_eligible"] is False else allowed).add(line["family"])
    return allowed - refused


def worth(holders: list[Holder]) -> dict[str, Fraction]:
    """Median spend of the peers that own a family times the share of peers that own it. Of ten peers at
    least, and where an owner's spend is known."""
    found = {}
    for family in {family for holder in holders for family in holder.eligible}:
        peers = [holder for holder in holders if family in holder.eligible and holder.owned]
        owners = [holder for holder in peers if family in holder.owned]
        # What an owner spent is known if all of it is.
        told = [holder.spend[family] for holder in owners if holder.spend[family]]
        spent = [sum(x for x in amounts if x is not None) for amounts in told if None not in amounts]
        # Nobody owns it: nothing. Some do, and of none is known what was spent: unknown, which is not nothing.
        if len(peers) >= 10 and (spent or not owners):
            middle = Fraction(median(map(Fraction, spent))) if spent else Fraction(0)
            found[family] = middle * Fraction(len(owners), len(peers))
    return found


def families(known: Knowledge, group: Group, found: Found, values: dict[str, Fraction]) -> None:
    holders: list[Holder] = group.rows["holders"]
    may = {family for holder in holders for family in holder.eligible}
    has = {family for holder in holders for family in holder.owned & holder.eligible}
    found["families_eligible"], found["families_owned"] = len(may), len(has)
    none = Null("no_families")
    found["product_breadth"] = rounded(Fraction(len(has), len(may)), 6) if may else none
    gaps = [family for holder in holders for family in holder.gaps]
    found["whitespace_cells"] = len(gaps) if may else none
    found["whitespace_unvalued_n"] = sum(family not in values for family in gaps)
    valued: list[Any] = [half_even(values[family]) for family in gaps if family in values]
    found["whitespace_value"] = sum(valued) if valued or not gaps else Null("few_peers")

"""Gives companies parents: groups of several levels, one ring, one company that is its own parent."""

from __future__ import annotations

import random
from dataclasses import replace

from connectors.sandbox.book import Company
from connectors.sandbox.seeding.companies import Account
from connectors.sandbox.seeding.segments import STAR

_ONE_FAMILY_PER = 25
_DEEP = 4


def with_families(live: list[Account], orphan_of: Company | None, rng: random.Random) -> list[Account]:
    """The same accounts, some of them with a parent, in the same order.

    About one account in six has one. The first group is a chain of five levels; stars come first as heads of groups.
    `orphan_of`: a deleted company that one account still names as its parent.
    """
    parents = _parents(live, orphan_of, rng)
    return [replace(a, company=replace(a.company, parent=parents.get(a.company.id))) for a in live]


def _parents(live: list[Account], orphan_of: Company | None, rng: random.Random) -> dict[int, int]:
    heads = [a.company.id for a in live if a.segment is STAR]
    others = [a.company.id for a in live if a.segment.name in {"steady", "declining", "dormant", "growing", "prospect"}]
    rng.shuffle(others)
    parents = _oddities(others, orphan_of)
    above = heads[0]
    for child in _taken(others, _DEEP):
        parents[child] = above
        above = child
    for number in range(len(live) // _ONE_FAMILY_PER):
        head = heads[number + 1] if number + 1 < len(heads) else next(iter(_taken(others, 1)), None)
        if head is not None:
            family = [head]
            for child in _taken(others, rng.randint(1, 6)):
                parents[child] = rng.choice(family)
                family.append(child)
    return parents


def _oddities(others: list[int], orphan_of: Company | None) -> dict[int, int]:
    a, b, c, own, orphan = _taken(others, 5)
    odd = {a: b, b: c, c: a, own: own}
    if orphan_of is not None:
        odd[orphan] = orphan_of.id
    return odd


def _taken(others: list[int], count: int) -> list[int]:
    taken = others[:count]
    del others[:count]
    return taken

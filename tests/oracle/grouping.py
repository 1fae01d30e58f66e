"""Which accounts are one company, and which companies are one group: merges, then matches, then parents."""

from __future__ import annotations

from kammodel.entities import Account
from tests.oracle.known import Group, Key, Knowledge
from tests.oracle.world import Row


class Grouping:
    """Merges, then matches, then parents."""

    def __init__(self, known: Knowledge) -> None:
        self.book = known.book
        self.every = known.every(Account)
        self.live = {
            key: row for key, row in self.every.items() if not row["deleted"] and not row.get("merged_into_id")
        }
        record = known.book.config.system_of_record
        sources = sorted({key[0] for key in self.live})
        self.first = record if record in sources else (sources[0] if sources else "")

    def order(self, key: Key) -> tuple[bool, Key]:
        """The system of record first, then by key."""
        return key[0] != self.first, key

    def survivor(self, key: Key) -> Key | None:
        """The live account that an id stands for."""
        met = set()
        while key in self.every and key not in met:
            if key in self.live:
                return key
            met.add(key)
            into = self.every[key].get("merged_into_id")
            if into is None:
                return None
            key = (key[0], into)
        return None

    def companies(self) -> dict[Key, frozenset[Key]]:
        """The accounts that are the same company, by cross-references."""
        company = {key: {key} for key in self.live}
        for loser, row in self.every.items():
            # The reference of an account that was merged away is one of its survivor.
            key, named = self.survivor(loser), row.get("cross_reference")
            if key is None or named is None:
                continue
            other = self.survivor(("hubspot" if key[0] == "salesforce" else "salesforce", named))
            if other is not None and company[other] is not company[key]:
                together = company[key] | company[other]
                for one in together:
                    company[one] = together
        return {key: frozenset(keys) for key, keys in company.items()}

    def made(self) -> tuple[list[Group], dict[Key, Group], dict[Key, bool], dict[Key, Row]]:
        company = self.companies()
        root = {}
        for own in set(company.values()):
            root[own] = self.root(own, company)
        groups: dict[Key, Group] = {}
        for own, top in root.items():
            head = min(top, key=self.order)
            owner = self.live[head].get("owner_id")
            group = groups.setdefault(
                head, Group(f"{head[0]}:{self.live[head]['source_instance']}:{head[1]}", set(), owner)
            )
            group.accounts |= own
        by_account = {key: group for group in groups.values() for key in group.accounts}
        counted = {key: key[0] == self.first or all(k[0] != self.first for k in company[key]) for key in self.live}
        for key in self.every:
            survivor = self.survivor(key)
            if survivor is not None:
                by_account[key] = by_account[survivor]
                counted[key] = counted[survivor]
        return sorted(groups.values(), key=lambda group: group.group_id), by_account, counted, self.every

    def parent(self, own: frozenset[Key], company: dict[Key, frozenset[Key]]) -> frozenset[Key] | None:
        """As the system of record states it, else as the other CRM does; one within the company only if none else."""
        named = [
            company[survivor]
            for key in sorted(own, key=self.order)
            if (parent := self.live[key].get("parent_id")) is not None
            and (survivor := self.survivor((key[0], parent))) is not None
        ]
        others = [company for company in named if company != own]
        return next(iter(others or named), None)

    def root(self, own: frozenset[Key], company: dict[Key, frozenset[Key]]) -> frozenset[Key]:
        way = [own]
        while (parent := self.parent(way[-1], company)) is not None:
            if parent in way:
                ring = way[way.index(parent) :]
                return min(ring, key=lambda one: min(map(self.order, one)))
            way.append(parent)
        return way[-1]

"""Which records are associated, under which association types."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from connectors.sandbox.hubspot.association_types import DEFINED, PLAIN, PRIMARY, AssociationType, AssociationTypes
from connectors.sandbox.hubspot.kinds import COMPANIES, Kind

Links = dict[int, dict[int, tuple[int, ...]]]


@dataclass
class Associations:
    """Links by direction: (from kind, to kind) -> from id -> to id -> type ids. Both directions are kept."""

    types: AssociationTypes = field(default_factory=AssociationTypes)
    _links: dict[tuple[str, str], Links] = field(default_factory=dict)

    def of(self, source: Kind, source_id: int, target: Kind) -> dict[int, tuple[int, ...]]:
        """What one record is linked to: to id -> type ids."""
        return self._links.get((source.name, target.name), {}).get(source_id, {})

    def add(self, source: Kind, source_id: int, target: Kind, target_id: int, types: Iterable[int]) -> None:
        """Link two records, both ways; the plain type always stands beside a label.

        A new primary takes the place of the old one.
        """
        plain = PLAIN[source.name, target.name].key
        wanted = dict.fromkeys((plain, *types))
        primary = PRIMARY.get((source.name, target.name))
        # A record has one primary company; a company is the primary of many records.
        if primary and target is COMPANIES and primary.key in wanted:
            self._demote(source, source_id, primary)
        if primary and source is COMPANIES and primary.key in wanted:
            self._demote(target, target_id, self.types[primary.inverse])
        for type_id in wanted:
            type_ = self.types[type_id]
            self._put(type_, source_id, target_id)
            self._put(self.types[type_.inverse], target_id, source_id)

    def remove(self, source: Kind, source_id: int, target: Kind, target_id: int) -> None:
        """Unlink two records entirely."""
        for a, a_id, b, b_id in ((source, source_id, target, target_id), (target, target_id, source, source_id)):
            links = self._links.get((a.name, b.name), {})
            links.get(a_id, {}).pop(b_id, None)
            if not links.get(a_id, True):
                del links[a_id]

    def unlabel(self, source: Kind, source_id: int, target: Kind, target_id: int, types: Collection[int]) -> None:
        """Take labels off a link, both ways; what is linked stays linked, plainly."""
        plain = PLAIN[source.name, target.name].key
        for type_id in types:
            if type_id != plain and type_id in self.of(source, source_id, target).get(target_id, ()):
                type_ = self.types[type_id]
                self._drop(type_, source_id, target_id)
                self._drop(self.types[type_.inverse], target_id, source_id)

    def undefine(self, type_: AssociationType) -> None:
        """Forget a label of the portal, on every link that has it."""
        for gone in {type_.key: type_, type_.inverse: self.types[type_.inverse]}.values():
            for to in self._links.get((gone.source.name, gone.target.name), {}).values():
                for target_id, have in to.items():
                    if gone.key in have:
                        to[target_id] = _tuple(*(key for key in have if key != gone.key))
        self.types.forget(type_)

    def targets(self, source: Kind) -> list[Kind]:
        """The kinds that records of this kind can be linked to."""
        return list({t.target.name: t.target for t in DEFINED.values() if t.source is source}.values())

    def _put(self, type_: AssociationType, source_id: int, target_id: int) -> None:
        links = self._links.setdefault((type_.source.name, type_.target.name), {})
        to = links.setdefault(source_id, {})
        have = to.get(target_id, ())
        if type_.key not in have:
            to[target_id] = _tuple(*have, type_.key)

    def _demote(self, source: Kind, source_id: int, primary: AssociationType) -> None:
        for target_id, have in list(self.of(source, source_id, primary.target).items()):
            if primary.key in have:
                self._drop(primary, source_id, target_id)
                self._drop(self.types[primary.inverse], target_id, source_id)

    def _drop(self, type_: AssociationType, source_id: int, target_id: int) -> None:
        to = self._links[type_.source.name, type_.target.name][source_id]
        to[target_id] = _tuple(*(t for t in to[target_id] if t != type_.key))


_TUPLES: dict[tuple[int, ...], tuple[int, ...]] = {}


def _tuple(*types: int) -> tuple[int, ...]:
    # Half a million links share a dozen combinations of types.
    return _TUPLES.setdefault(types, types)

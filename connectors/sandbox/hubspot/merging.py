"""Merges two records: the loser vanishes everywhere, its id leads to the survivor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.record import BY_MERGE, Record

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.portal import Portal

MERGED_IDS = "hs_merged_object_ids"


def merge_records(portal: Portal, primary: Record, loser: Record) -> Record:
    """Merge `loser` into `primary`; the survivor has the primary's id, or a new one where the portal mints them."""
    if primary.kind is not loser.kind or primary.id == loser.id or not primary.kind.mergeable:
        raise LookupError(f"cannot merge {loser.kind.singular} {loser.id} into {primary.id}")
    survivor = primary
    merged = _merged_ids(primary)
    if portal.settings.merge_mints_new_id:
        survivor = primary.copy()
        survivor.id = portal.shelf(primary.kind).new_id()
        portal.add(survivor)
        _take_over(portal, primary, survivor)
        merged = [*merged, str(primary.id)]
    merged += [*_merged_ids(loser), str(loser.id)]
    values = {name: value for name, value in loser.values.items() if value and not survivor.values.get(name)}
    values[MERGED_IDS] = ";".join(dict.fromkeys(merged))
    _take_over(portal, loser, survivor)
    portal.write(survivor, values, BY_MERGE)
    return survivor


def _merged_ids(record: Record) -> list[str]:
    return [part for part in record.values.get(MERGED_IDS, "").split(";") if part]


def _take_over(portal: Portal, old: Record, new: Record) -> None:
    """Move the old record's associations to the new one, and forget the old one."""
    for target in portal.associations.targets(old.kind):
        for target_id, types in list(portal.associations.of(old.kind, old.id, target).items()):
            portal.associations.remove(old.kind, old.id, target, target_id)
            if not (target is new.kind and target_id == new.id):
                portal.associations.add(new.kind, new.id, target, target_id, types)
    portal.forget(old)
    portal.shelf(old.kind).aliases[old.id] = new.id

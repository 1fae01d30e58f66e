"""The cells of our fields in a CRM: which fields are there, what they hold, and how cells become writes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from connectors.contract import AccountWrite, Connector
from connectors.errors import FieldsNotProvisioned
from flows.pipeline.progress import Progress
from kammodel.given import Given
from kammodel.publish.deciding import CELL
from kammodel.publish.fields import FIELDS, OURS, CustomField
from kammodel.publish.plan import canonical_frame
from kammodel.rollups.fields import written_fields
from kammodel.rollups.retired import retired_fields


def check_fields(connector: Connector, fields: Sequence[CustomField] = FIELDS) -> None:
    """Raises FieldsNotProvisioned, with the command to run, where a field of ours is missing or hidden."""
    missing = connector.missing_fields(fields)
    if missing:
        raise FieldsNotProvisioned(
            f"{connector.name}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or hidden from "
            f"this user; an admin runs: kam provision --crm {connector.name}"
        )


def there(connector: Connector, fields: Sequence[CustomField]) -> tuple[CustomField, ...]:
    """Those of the fields that the CRM has, and lets us write."""
    missing = connector.missing_fields(fields) if fields else []
    return tuple(f for f in fields if not {f.salesforce_name, f.hubspot_name} & set(missing))


def known_fields(keys: pl.Series, ledger: pl.DataFrame, given: Given) -> tuple[CustomField, ...]:
    """The fields of stored cells: ours, and those of rollups, declared still or not, that are among `keys`."""
    declared = written_fields(given.rollups)
    rolled = (*declared[len(OURS) :], *retired_fields(ledger, declared))
    return (*OURS, *(field for field in rolled if (keys == field.key).any()))


def held_now(connector: Connector, ids: pl.Series, fields: Sequence[CustomField], progress: Progress) -> pl.DataFrame:
    """What these fields hold: source_id and a text column per field, as the CRM spells it; accounts that are gone are
    absent."""
    empty = pl.DataFrame(schema=dict.fromkeys(("source_id", *(f.key for f in fields)), pl.String))
    frames, rows = [empty], 0
    for frame in connector.read_fields(fields, ids.to_list()) if ids.len() else ():
        frames.append(frame.select(empty.columns))
        rows += frame.height
        progress(f"{connector.name} compare", rows, ids.len())
    return pl.concat(frames)


def fields_now(connector: Connector, ids: pl.Series, fields: Sequence[CustomField], progress: Progress) -> pl.DataFrame:
    """What these fields hold, in the spelling that values are compared in."""
    return canonical_frame(held_now(connector, ids, fields, progress), fields)


def spelled_apart(cells: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """`cells` (with source_id, field, before), and `before_spelled`: what stood there as `held` has it, where that is
    spelled another way than `before`."""
    told = held.unpivot(index="source_id", variable_name="field", value_name="before_spelled")
    joined = cells.join(told, on=CELL, how="left", maintain_order="left")
    differs = ~pl.col("before_spelled").eq_missing(pl.col("before"))
    return joined.with_columns(pl.when(differs).then("before_spelled"))


def writes_of(cells: pl.DataFrame) -> list[AccountWrite]:
    """One write per account, in the order of the cells."""
    grouped = cells.group_by("source_id", maintain_order=True).agg("field", "before", "after")
    return [
        AccountWrite(source_id, dict(zip(keys, after, strict=True)), dict(zip(keys, before, strict=True)))
        for source_id, keys, before, after in grouped.iter_rows()
    ]

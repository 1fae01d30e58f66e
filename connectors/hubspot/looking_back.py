"""Finds what a write went over: the value that a property had in its history just before ours.

Order, not time: HubSpot lists the versions of a property newest first, and no two clocks agree to the millisecond.
https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from connectors.hubspot import paths, records
from connectors.hubspot.client import Client
from connectors.hubspot.frames import texts
from connectors.hubspot.records import chunks
from connectors.overdrawing import overdrawing
from kammodel.publish.fields import CustomField

Values = Mapping[str, Mapping[str, str | None]]
"""Field key to text as it is compared, by company; None is an empty one."""
_BY_APPS = {"INTEGRATION", "API"}
_BY_PEOPLE = {"CRM_UI"}
"""Sources of a version that can be ours, and that cannot. They are not documented: where a history has none of the
first, any but the second will do."""
_VERSION = {
    "source_id": pl.String,
    "field": pl.String,
    "age": pl.Int64,
    "by_app": pl.Boolean,
    "by_person": pl.Boolean,
    "raw": pl.String,
}


def written_over(
    client: Client,
    kind: str,
    fields: Sequence[CustomField],
    *,
    written: Values,
    before: Values,
    spell: Callable[[CustomField, pl.Expr], pl.Expr],
    scope: str,
) -> tuple[dict[str, dict[str, str | None]], int]:
    """By company and field key, as HubSpot spells it: the value before ours where that is neither `before` nor ours.
    Only where ours is the newest: somebody who has edited it since has had their say. And in how many cells, of fields
    for people, the newest is neither: HubSpot keeps no history of them, or has not come to ours yet.

    Costs a call per fifty companies, which is made though no calls are left for anything else. Of what HubSpot keeps
    no history of, or does not show ours in, nothing is told. `spell` makes a text as it is
    compared.
    """
    asked = [f for f in fields if any(f.key in row for row in written.values())]
    versions = _versions(client, kind, asked, list(written), scope)
    spelled = [
        versions.filter(pl.col("field") == f.key).with_columns(spell(f, pl.col("raw")).alias("text")) for f in asked
    ]
    if not spelled:
        return {}, 0
    ours = _cells(written, "ours").join(_cells(before, "before"), on=["source_id", "field"])
    listed = pl.concat(spelled).join(ours, on=["source_id", "field"])
    # A person's value that is put back is spelled as they had spelled it.
    is_ours = pl.col("text").eq_missing(pl.col("ours")) | pl.col("raw").eq_missing(pl.col("ours"))
    is_before = pl.col("text").eq_missing(pl.col("before"))
    by_app = pl.col("by_app") | ~(pl.col("by_person") | pl.col("by_app").any().over("source_id", "field"))
    newest = listed.with_columns(by_us=by_app & is_ours).filter(pl.col("age") == 0)
    just_before = newest.filter("by_us").select("source_id", "field", "ours", "before", age=pl.col("age") + 1)
    found = just_before.join(listed.drop("ours", "before"), on=["source_id", "field", "age"])
    is_other = ~(is_ours | is_before)
    over: dict[str, dict[str, str | None]] = {}
    for source_id, field, raw in (
        found.filter(is_other).sort("source_id", "field").select("source_id", "field", "raw").iter_rows()
    ):
        over.setdefault(source_id, {})[field] = raw
    told = newest.filter(pl.col("by_us") | (pl.col("by_person") & ~is_before))
    shown = ours.filter(pl.col("field").is_in([f.key for f in asked if f.for_people]))
    return over, shown.join(told, on=["source_id", "field"], how="anti").height


def _versions(client: Client, kind: str, fields: Sequence[CustomField], ids: Sequence[str], scope: str) -> pl.DataFrame:
    """A row for each value that a property had. `age`: 0 is the newest."""
    keys = {f.hubspot_name: f.key for f in fields}
    rows: list[tuple[Any, ...]] = []
    for few in chunks(ids, records.BATCH_WITH_HISTORY):
        body = {"inputs": [{"id": i} for i in few], "properties": [], "propertiesWithHistory": list(keys)}
        with overdrawing():
            answer = client.post(paths.batch_read(kind), body, scope=scope)
        for record in answer.results:
            told = record.get("propertiesWithHistory")
            rows += [
                (str(record.get("id")), key, age, by in _BY_APPS, by in _BY_PEOPLE, entry.get("value"))
                for name, key in keys.items()
                for age, entry in enumerate(_listed(told.get(name) if isinstance(told, dict) else None))
                for by in (str(entry.get("sourceType")),)
            ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(_VERSION)}
    frame = pl.DataFrame(columns | {"raw": texts(columns["raw"])}, schema=_VERSION)
    return frame.with_columns(pl.col("raw").replace("", None))


def _cells(values: Values, name: str) -> pl.DataFrame:
    rows = [(source_id, key, text) for source_id, row in values.items() for key, text in row.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("source_id", "field", name), pl.String), orient="row")


def _listed(entries: Any) -> list[dict[str, Any]]:
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []

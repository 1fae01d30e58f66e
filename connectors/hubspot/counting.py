"""Counts the records of a portal in ranges of their ids: the total of a search for each. HubSpot adds nothing up.

Ids are cut and not times of creation: those can be entered by hand. The index trails behind what is written, so that
what was created of late is left out.
https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-23)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from connectors.contract.counting import STATES, Key, Tally, Window
from connectors.contract.reading import Stream
from connectors.errors import UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, has_rows
from connectors.hubspot.catalogue import Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.ids import askable
from connectors.hubspot.mapping import Declared
from connectors.hubspot.records import BATCH, changed_at, checked, chunks
from connectors.hubspot.search import PAGE, created_property, not_empty, total_of


class HubSpotCounts:
    """The counts of one portal."""

    key: Key = "id"
    ids_at_once = PAGE

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client, self._catalogue = client, catalogue

    def uncountable(self, stream: Stream) -> str | None:
        is_counted = stream.name in self._catalogue.sources and stream.swept
        return None if is_counted else "it is read whole on every run"

    def sums(self, stream: Stream) -> bool:
        del stream
        return False

    def count(self, stream: Stream, window: Window) -> Tally | None:
        source = self._catalogue.sources[stream.name]
        return Tally(total_of(self._search(source, window, window.low, limit=1)))

    def ids(self, stream: Stream, window: Window) -> pl.Series:
        source, low = self._catalogue.sources[stream.name], window.low
        found: list[str] = []
        while True:
            answer = self._search(source, window, low, limit=PAGE)
            page = sorted(int(i) for row in answer.results if (i := str(row.get("id"))).isdecimal())
            if len(page) < len(answer.results) or (page and low is not None and page[0] < low):
                raise UnexpectedAnswer("HubSpot's search gave a row with an id that was not asked for")
            found += [f"{source.id_prefix}{i}" for i in page]
            if not page or len(page) >= total_of(answer):
                return pl.Series(found, dtype=pl.String)
            low = page[-1] + 1

    def states(self, stream: Stream, ids: Sequence[str]) -> pl.DataFrame:
        source, wish = self._catalogue.sources[stream.name], self._catalogue.wish(stream.name)
        rows: list[tuple[str, dt.datetime | None, bool]] = []
        asked = askable([one.removeprefix(source.id_prefix) for one in ids], stream.name)
        for part in chunks(asked, BATCH):
            there = self._batch(source, part, archived=False)
            rows += [(source.id_prefix + r["id"], changed_at(r, wish), False) for r in there]
            left = [i for i in part if i not in {r["id"] for r in there}]
            binned = self._batch(source, left, archived=True) if left else []
            rows += [(source.id_prefix + r["id"], _archived_at(r), True) for r in binned]
        return pl.DataFrame(rows, schema=STATES, orient="row")

    def _batch(self, source: Declared, ids: Sequence[str], *, archived: bool) -> list[dict[str, Any]]:
        body = {"inputs": [{"id": i} for i in ids], "properties": [source.stamp]}
        query = [("archived", "true")] if archived else []
        answer = self._client.post(paths.batch_read(source.kind), body, query=query, scope=source.scope, check=has_rows)
        return [checked(r) for r in answer.results]

    def _search(self, source: Declared, window: Window, low: int | None, *, limit: int) -> Answer:
        created = created_property(source.kind)
        filters = [{"propertyName": created, "operator": "LT", "value": str(window.before * 1000)}]
        if low is not None:
            filters.append({"propertyName": "hs_object_id", "operator": "GTE", "value": str(low)})
        if window.high is not None:
            filters.append({"propertyName": "hs_object_id", "operator": "LT", "value": str(window.high)})
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["hs_object_id"],
            "limit": limit,
        }
        return self._client.post(paths.search(source.kind), body, pool="search", scope=source.scope, check=not_empty)


def _archived_at(record: dict[str, Any]) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(str(record.get("archivedAt")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)

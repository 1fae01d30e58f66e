"""Finds the ids of records changed in a window, however many there are.

HubSpot's search shows no more than 10,000 rows of a query, trails behind writes and never shows the bin. So it
is asked for ids only, in a closed window, by id keyset: rows that move inside the result while we page, or
that share one millisecond, cannot be missed.
https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-23)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Slice
from connectors.errors import TryAgainLater, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer
from connectors.hubspot.client import Client
from connectors.hubspot.records import Wish, chunks

PAGE = 200
_VALUES = 100
"""Values of one filter, at most."""
_RECHECKS = (0.0, 2.0, 10.0, 30.0)
"""Seconds. A count is asked again after these waits before rows are said to be missing: a record deleted
a moment ago stays in the index a little longer than in the list."""


@dataclass(frozen=True)
class Found:
    """Ids of one answer in ascending order, each with its change stamp as the index has it, and how many the query
    matched when it was put."""

    stamps: dict[str, str | None]
    total: int

    @property
    def ids(self) -> list[str]:
        return list(self.stamps)


def changed_ids(client: Client, wish: Wish, span: Slice, last: str | None) -> Iterator[Found]:
    """Ids of records changed in [since, until) above the id `last`, at most 200 at a time."""
    while True:
        question = _question(wish, span, last, PAGE)
        answer = client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope, check=not_empty)
        stamps = _above(answer, last, wish.stamp)
        total = total_of(answer)
        yield Found(stamps, total)
        if len(stamps) >= total:
            return
        last = next(reversed(stamps))


def count_changed(client: Client, wish: Wish, span: Slice) -> int:
    """How many records the index holds in the window."""
    return total_of(
        client.post(paths.search(wish.kind), _question(wish, span, None, 1), pool="search", scope=wish.scope)
    )


def count_among(client: Client, wish: Wish, span: Slice, ids: Sequence[str]) -> int:
    """How many of these records the index holds in the window."""
    total = 0
    for some in chunks(ids, _VALUES):
        question = _question(wish, span, None, 1)
        question["filterGroups"][0]["filters"] += [{"propertyName": "hs_object_id", "operator": "IN", "values": some}]
        total += total_of(client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope))
    return total


def extent(client: Client, wish: Wish, last: str) -> tuple[int, int]:
    """The highest id from `last` on, and how many there are, as the index has it; (0, 0) if there is none."""
    body = {
        "filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": last}]}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
        "properties": ["hs_object_id"],
        "limit": 1,
    }
    answer = client.post(paths.search(wish.kind), body, pool="search", scope=wish.scope)
    numbers = [int(i) for row in answer.results if (i := str(row.get("id"))).isdecimal()]
    return (max(numbers), total_of(answer)) if numbers else (0, 0)


def missing(client: Client, wish: Wish, span: Slice, read: int, sleep: Any) -> int:
    """How many rows more the CRM counts in a slice than it gave.

    The window lies behind us, so its count can only fall: a record that changes again moves on into a later
    slice, a deleted one leaves. So the count that matters is that of afterwards.
    """
    total = 0
    for wait in _RECHECKS:
        if wait:
            sleep(wait)
        total = count_changed(client, wish, span)
        if read >= total:
            return 0
    return total - read


def _question(wish: Wish, span: Slice, last: str | None, limit: int) -> dict[str, Any]:
    filters = [{"propertyName": wish.stamp, "operator": "LT", "value": str(_millis(span.until))}]
    if span.since is not None:
        # Exactly zero is answered with an error 500.
        since = str(max(1, _millis(span.since)))
        filters.append({"propertyName": wish.stamp, "operator": "GTE", "value": since})
    if last is not None:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last})
    return {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": ["hs_object_id", wish.stamp],
        "limit": limit,
    }


def _millis(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000 // 1)


def total_of(answer: Answer) -> int:
    total = answer.body.get("total")
    if isinstance(total, bool) or not isinstance(total, int):
        raise UnexpectedAnswer("HubSpot's search gave no total")
    return total


def not_empty(answer: Answer) -> None:
    if not answer.results and total_of(answer) > 0:
        raise TryAgainLater("HubSpot's search counts rows and shows none")


def _above(answer: Answer, last: str | None, stamp: str) -> dict[str, str | None]:
    """The ids of an answer in order; the index now and then sends them out of order, or some again."""
    stamps = {str(row.get("id")): _stamp(row, stamp) for row in answer.results}
    if not all(i.isdecimal() for i in stamps):
        raise UnexpectedAnswer("HubSpot's search gave a row without a numeric id")
    above = sorted((i for i in stamps if last is None or int(i) > int(last)), key=int)
    if stamps and not above:
        raise UnexpectedAnswer("HubSpot's search does not move on: it gave only ids that we had")
    return {i: stamps[i] for i in above}


def _stamp(row: dict[str, Any], name: str) -> str | None:
    properties = row.get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    return found if isinstance(found, str) else None

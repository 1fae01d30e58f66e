"""Finds the ids of records changed in a window, however many there are.

HubSpot's search shows no more than 10,000 rows of a query, trails behind writes and never shows the bin. So it
is asked for ids only, in a closed window, by id keyset: rows that move inside the result while we page, or
that share one millisecond, cannot be missed.
https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-23)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Slice
from connectors.errors import ShortAnswer, TryAgainLater, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer
from connectors.hubspot.client import Client
from connectors.hubspot.mapping import MERGED
from connectors.hubspot.records import Wish, chunks

Filters = list[dict[str, Any]]

PAGE = 200
_VALUES = 100
"""Values of one filter, at most."""
RECHECKS = (0.0, 2.0, 10.0, 30.0)
"""Seconds. The index is asked again after these waits before rows are said to be missing: a record deleted
a moment ago stays in it a little longer than in the list."""
_SAY_HS = frozenset({"calls", "communications", "emails", "goal_targets", "meetings", "notes", "tasks"})
"""Kinds whose time of creation is called `hs_createdate`; all others say `createdate`."""


class ShowsNone(TryAgainLater):
    """The index counts rows, shows none, and stays with it."""


@dataclass(frozen=True)
class Found:
    """Ids of one answer in ascending order, each with its change stamp as the index has it, and how many the query
    matched when it was put; `hidden` of those it has counted and does not show."""

    stamps: dict[str, str | None]
    total: int
    hidden: int = 0

    @property
    def ids(self) -> list[str]:
        return list(self.stamps)


def changed_ids(
    client: Client, wish: Wish, span: Slice, last: str | None, sleep: Callable[[float], None]
) -> Iterator[Found]:
    """Ids of records changed in [since, until) above the id `last`, at most 200 at a time.

    Each answer is proven by itself: it shows as many as it counts, whatever moves between one answer and the next.
    Raises ShortAnswer if one stays short.
    """
    while True:
        found = _whole(client, wish, _question(wish, span, last, PAGE), last, sleep)
        yield found
        if len(found.ids) >= found.total:
            return
        last = found.ids[-1]


def created_ids(
    client: Client, wish: Wish, until: dt.datetime, ids: tuple[int, int], sleep: Callable[[float], None]
) -> Iterator[Found]:
    """Ids in the closed range `ids` of records created before `until`, at most 200 at a time. What the index counts and
    does not show is left out."""
    low, high = ids
    last = str(low - 1)
    while True:
        question = _by_id([*_created(wish, until), _id("GT", last), _id("LTE", high)], PAGE, "ASCENDING", wish.stamp)
        found = _shown(client, wish, question, last, sleep=sleep, check=_has_total)
        yield found
        if found.total <= PAGE or not found.ids:
            return
        last = found.ids[-1]


def count_created(client: Client, wish: Wish, until: dt.datetime, ids: tuple[int, int]) -> int:
    """How many records with an id in the closed range `ids` the index holds that were created before `until`."""
    return _total(
        client, wish, _by_id([*_created(wish, until), _id("GTE", ids[0]), _id("LTE", ids[1])], 1, "ASCENDING")
    )


def count_changed(client: Client, wish: Wish, span: Slice) -> int:
    """How many records the index holds in the window."""
    return _total(client, wish, _question(wish, span, None, 1))


def count_among(client: Client, wish: Wish, ids: Sequence[str]) -> int:
    """How many of these records the index holds."""
    total = 0
    for some in chunks(ids, _VALUES):
        question = _by_id([{"propertyName": "hs_object_id", "operator": "IN", "values": some}], 1, "DESCENDING")
        total += _total(client, wish, question)
    return total


def created_before(client: Client, wish: Wish, until: dt.datetime, top: int | None = None) -> tuple[int, int]:
    """The highest id of the records created before `until`, up to the id `top`, and how many there are, as the index
    has it; (0, 0) if there is none."""
    return _highest(client, wish, [*_created(wish, until), *([] if top is None else [_id("LTE", top)])])


def merged_since(client: Client, wish: Wish, since: dt.datetime) -> Iterator[str]:
    """Ids that went into records which were changed since then, be it with that change or before."""
    last = "0"
    while MERGED in wish.properties:
        filters = [
            {"propertyName": wish.stamp, "operator": "GTE", "value": str(_millis(since))},
            {"propertyName": MERGED, "operator": "HAS_PROPERTY"},
            _id("GT", last),
        ]
        question = _by_id(filters, PAGE, "ASCENDING", MERGED)
        answer = client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope, check=not_empty)
        stamps = _above(answer, last, MERGED)
        yield from (i for told in stamps.values() for i in (told or "").split(";") if i.isdecimal())
        if len(stamps) >= total_of(answer):
            return
        last = next(reversed(stamps))


def created_property(kind: str) -> str:
    """The property that tells when a record was created."""
    return "hs_createdate" if kind in _SAY_HS else "createdate"


def extent(client: Client, wish: Wish, last: str) -> tuple[int, int]:
    """The highest id from `last` on, and how many there are, as the index has it; (0, 0) if there is none."""
    return _highest(client, wish, [_id("GTE", last)])


def _total(client: Client, wish: Wish, question: dict[str, Any]) -> int:
    return total_of(client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope, check=_has_total))


def _created(wish: Wish, until: dt.datetime) -> Filters:
    return [{"propertyName": created_property(wish.kind), "operator": "LT", "value": str(_millis(until))}]


def _id(operator: str, number: int | str) -> dict[str, Any]:
    return {"propertyName": "hs_object_id", "operator": operator, "value": str(number)}


def _highest(client: Client, wish: Wish, filters: Filters) -> tuple[int, int]:
    question = _by_id(filters, 1, "DESCENDING")
    answer = client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope, check=not_empty)
    numbers = [int(i) for row in answer.results if (i := str(row.get("id"))).isdecimal()]
    return (max(numbers), total_of(answer)) if numbers else (0, 0)


def _whole(
    client: Client, wish: Wish, question: dict[str, Any], last: str | None, sleep: Callable[[float], None]
) -> Found:
    found = _shown(client, wish, question, last, sleep=sleep, check=not_empty)
    if found.hidden:
        text = f"HubSpot's search counts {found.hidden} {wish.kind} more than it shows"
        raise ShortAnswer(f"{text}; nothing was closed, run again")
    return found


def _shown(
    client: Client,
    wish: Wish,
    question: dict[str, Any],
    last: str | None,
    *,
    sleep: Callable[[float], None],
    check: Callable[[Answer], None],
) -> Found:
    """The first answer that shows as many as it counts; the last one, if none does."""
    found = Found({}, 0)
    for wait in RECHECKS:
        if wait:
            sleep(wait)
        answer = client.post(paths.search(wish.kind), question, pool="search", scope=wish.scope, check=check)
        stamps, total = _above(answer, last, wish.stamp), total_of(answer)
        found = Found(stamps, total, max(0, min(question["limit"], total) - len(stamps)))
        if not found.hidden:
            break
    return found


def _question(wish: Wish, span: Slice, last: str | None, limit: int) -> dict[str, Any]:
    filters: Filters = [{"propertyName": wish.stamp, "operator": "LT", "value": str(_millis(span.until))}]
    if span.since is not None:
        # Exactly zero is answered with an error 500.
        since = str(max(1, _millis(span.since)))
        filters.append({"propertyName": wish.stamp, "operator": "GTE", "value": since})
    if last is not None:
        filters.append(_id("GT", last))
    return _by_id(filters, limit, "ASCENDING", wish.stamp)


def _by_id(filters: Filters, limit: int, direction: str, *properties: str) -> dict[str, Any]:
    return {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": direction}],
        "properties": ["hs_object_id", *properties],
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
        raise ShowsNone("HubSpot's search counts rows and shows none")


def _has_total(answer: Answer) -> None:
    total_of(answer)


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

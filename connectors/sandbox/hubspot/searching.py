"""Search: an index that trails behind, filters, one sort, and no more than 10,000 rows of a query.

https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-23)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from connectors.sandbox.hubspot.access import need_read
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, listed, texts
from connectors.sandbox.hubspot.calculated import calculation_of
from connectors.sandbox.hubspot.filters import Filter, checked_filter, matches
from connectors.sandbox.hubspot.instants import parse_ms
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.hubspot.refusals import Json, invalid
from connectors.sandbox.hubspot.rendering import record_body, shown
from connectors.sandbox.hubspot.shelf import SearchIndex

_KEYS = ("filterGroups", "filters", "sorts", "properties", "query", "limit", "after")
_BODY, _GROUPS, _FILTERS, _ALL_FILTERS = 3000, 5, 6, 18
_HIGHEST = 1 << 62
DEFAULT_LIMIT = 10

_REMEMBERED = 4

Group = list[Filter]
Key = TypeVar("Key")


@dataclass
class Searches:
    """What search remembers between calls: how many it answered, and the last few lists of ids it looked up.

    A keyset walk asks for one window many times, and who pages asks for one result many times.
    """

    answered: int = 0
    windows: dict[tuple[str, int, int, int], list[int]] = field(default_factory=dict)
    results: dict[tuple[str, int, int, bytes], list[int]] = field(default_factory=dict)


def search(ask: Ask, searches: Searches) -> Reply:
    """`POST /crm/v3/objects/{kind}/search`."""
    portal, kind = ask.portal, ask.kind()
    need_read(portal, kind)
    if len(ask.raw) > _BODY:
        raise invalid(f"The request body has {len(ask.raw)} characters: the limit is {_BODY}")
    body = ask.body(*_KEYS)
    groups, sort = _groups(portal, kind, body), _sort(body)
    limit, after = _page(portal, body)
    index = portal.index(kind)
    asked = orjson.dumps([body.get(key) for key in ("filterGroups", "filters", "sorts", "query")])
    key = (kind.name, index.generation, portal.changes, asked)
    ordered = searches.results.get(key)
    if ordered is None:
        found = _found(portal, index, kind, groups, searches)
        words = str(body.get("query") or "").lower()
        if words:
            found = [i for i in found if _mentions(portal, index.seen(i), words)]
        ordered = _ordered(portal, index, found, sort)
        if not _passes_with_time(kind, groups, sort):
            _remember(searches.results, key, ordered)
    page = [record for i in ordered[after : after + limit] if (record := index.seen(i)) is not None]
    what = shown(portal, kind, texts(body, "properties"))
    results = [record_body(portal, record, what, ask.host) for record in page]
    _disturb(portal, results, searches)
    answer: Json = {"total": len(ordered) + _ghosts(portal, kind, groups), "results": results}
    if after + limit < len(ordered):
        answer["paging"] = {"next": {"after": str(after + limit), "link": f"{ask.link}?after={after + limit}"}}
    return Reply(200, answer)


def _page(portal: Portal, body: Json) -> tuple[int, int]:
    limit, after = _whole(body, "limit", DEFAULT_LIMIT), _whole(body, "after", 0)
    if not 1 <= limit <= portal.settings.search_page_limit:
        raise invalid(f"Invalid limit {limit}: it must be between 1 and {portal.settings.search_page_limit}")
    if after + limit > portal.settings.search_result_cap:
        raise invalid(f"Paging past {portal.settings.search_result_cap} results is not possible")
    return limit, after


def _whole(body: Json, key: str, otherwise: int) -> int:
    told = body.get(key)
    word = str(otherwise if told is None or told == "" else told)
    if not (word.isascii() and word.isdigit()):
        raise invalid(f"Invalid input JSON: {key} is no whole number")
    return int(word)


def _groups(portal: Portal, kind: Kind, body: Json) -> list[Group]:
    """Groups of which one must match; a top-level `filters` is one group more."""
    raw = [checked_object(group, ("filters",), "filterGroups") for group in listed(body, "filterGroups", _GROUPS)]
    if "filters" in body:
        raw.append({"filters": body["filters"]})
    groups = [[checked_filter(portal, kind, f) for f in listed(group, "filters", _FILTERS)] for group in raw]
    if sum(map(len, groups)) > _ALL_FILTERS:
        raise invalid(f"The request has more than {_ALL_FILTERS} filters")
    return groups


def _sort(body: Json) -> tuple[str, bool]:
    """The property sorted by, and whether downwards; ids, which are given in order, where nothing is said."""
    sorts = listed(body, "sorts", 1)
    if not sorts:
        return "hs_object_id", False
    if isinstance(sorts[0], str):
        return sorts[0].lstrip("-"), sorts[0].startswith("-")
    told = checked_object(sorts[0], ("propertyName", "direction"), "sorts")
    direction = told.get("direction", "ASCENDING")
    if direction not in {"ASCENDING", "DESCENDING"}:
        raise invalid(f"Invalid direction {direction}")
    return str(told.get("propertyName")), direction == "DESCENDING"


def _found(portal: Portal, index: SearchIndex, kind: Kind, groups: Sequence[Group], searches: Searches) -> list[int]:
    if not groups:
        return index.ids_between(0, _HIGHEST)
    if len(groups) == 1:
        return list(_matching(portal, index, kind, groups[0], searches))
    found: set[int] = set()
    for group in groups:
        found.update(_matching(portal, index, kind, group, searches))
    return sorted(found)


def _matching(portal: Portal, index: SearchIndex, kind: Kind, group: Group, searches: Searches) -> Iterable[int]:
    """Ids of a group, by the two orders the index has (id, modified); what is left is looked at record by record."""
    low, high = _range(group, "hs_object_id")
    since, until = _range(group, kind.modified_property)
    ids: list[int] | None = None
    if (since, until) != (0, _HIGHEST):
        window = _window(index, kind, since, until, searches)
        ids = window[bisect_left(window, low) : bisect_right(window, high)]
    candidates = index.ids_between(low, high) if ids is None else ids
    indexed = {"hs_object_id", kind.modified_property}
    rest = [f for f in group if f.name not in indexed or f.bounds is None]
    if not rest:
        return candidates
    seen = ((i, index.seen(i)) for i in candidates)
    return [i for i, record in seen if record is not None and all(matches(portal, record, f) for f in rest)]


def _ghosts(portal: Portal, kind: Kind, groups: Sequence[Group]) -> int:
    """How many are counted that are not there."""
    ghosts = portal.settings.index_ghosts.get(kind.name, ())
    return sum(any(_has_ghost(kind, group, one) for group in groups or [[]]) for one in ghosts)


def _has_ghost(kind: Kind, group: Group, ghost: int) -> bool:
    """Whether one that was created and changed at the beginning of time meets a group."""
    times = {kind.created_property, kind.modified_property}
    low, high = _range(group, "hs_object_id")
    is_old = all(_range(group, name)[0] == 0 for name in times)
    return low <= ghost <= high and is_old and {f.name for f in group} <= times | {"hs_object_id"}


def _range(group: Group, name: str) -> tuple[int, int]:
    bounds = [f.bounds for f in group if f.name == name and f.bounds is not None]
    lows = [low for low, _ in bounds if low is not None]
    highs = [high for _, high in bounds if high is not None]
    return max(lows, default=0), min(highs, default=_HIGHEST)


def _window(index: SearchIndex, kind: Kind, since: int, until: int, searches: Searches) -> list[int]:
    """Ids modified in a window."""
    key = (kind.name, index.generation, since, until)
    if key not in searches.windows:
        _remember(searches.windows, key, index.ids_modified_between(since, until))
    return searches.windows[key]


def _remember(kept: dict[Key, list[int]], key: Key, ids: list[int]) -> None:
    while len(kept) >= _REMEMBERED:
        del kept[next(iter(kept))]
    kept[key] = ids


def _passes_with_time(kind: Kind, groups: Sequence[Group], sort: tuple[str, bool]) -> bool:
    """Whether the result can change though nobody wrote: what is calculated does."""
    names = {condition.name for group in groups for condition in group} | {sort[0]}
    return any(calculation_of(kind, name) is not None for name in names)


def _mentions(portal: Portal, record: Record | None, words: str) -> bool:
    """Whether a default property holds the words of `query`."""
    if record is None:
        return False
    return any(words in (portal.value(record, name) or "").lower() for name in record.kind.default_properties)


def _ordered(portal: Portal, index: SearchIndex, ids: list[int], sort: tuple[str, bool]) -> list[int]:
    """Ids by the value of a property, those without one last; equal values in the order of ids."""
    name, downwards = sort
    if name == "hs_object_id":
        return ids[::-1] if downwards else ids
    keyed = [(key, i) for i in ids if (key := _key(portal, index.seen(i), name)) is not None]
    have = {i for _, i in keyed}
    without = [i for i in ids if i not in have]
    return [i for _, i in sorted(keyed, key=lambda pair: pair[0], reverse=downwards)] + without


def _key(portal: Portal, record: Record | None, name: str) -> Any:
    if record is None:
        return None
    if name == record.kind.created_property:
        return record.created
    if name == record.kind.modified_property:
        return record.modified
    raw = portal.value(record, name)
    definition = portal.catalog.get(record.kind, name)
    if not raw or definition is None:
        return None
    if definition.type == "number":
        return Decimal(raw)
    return parse_ms(raw) if definition.type in {"date", "datetime"} else raw.lower()


def _disturb(portal: Portal, results: list[Json], searches: Searches) -> None:
    """Every n-th page has its middle two rows swapped, where the knob says so."""
    searches.answered += 1
    every, middle = portal.settings.search_disorder_every, len(results) // 2
    if every and searches.answered % every == 0 and middle:
        results[middle - 1], results[middle] = results[middle], results[middle - 1]

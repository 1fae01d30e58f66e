"""Reads the links between records, many records a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from connectors.errors import RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.client import Answer, Client
from connectors.hubspot.records import Record, chunks

AT_ONCE, FORMERLY = 1000, 100
"""Records a call, now and until February 2025: a server that keeps the old limit is asked in its portions."""
PRIMARY_COMPANY, PARENT_COMPANY = 5, 14
"""deal -> its primary company, company -> its parent; the type ids are the same in every portal.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23)"""

LINKS = {"from": pl.String, "to": pl.String, "marked": pl.Boolean}
_Inputs = list[dict[str, str]]


def read_links(
    client: Client, source: str, target: str, ids: Sequence[str], *, mark: int | None = None
) -> pl.DataFrame:
    """Links from records of one kind to another: columns from, to, marked; each pair once.

    `marked`: the link is of the association type `mark`, or is labelled Primary. Records without links are
    absent: HubSpot says so in an error entry of a 207, which is the usual answer.
    """
    rows: list[tuple[str, str, bool]] = []
    for chunk in chunks(ids, AT_ONCE):
        heard, unheard = _in_portions(client, paths.associations(source, target), chunk)
        if unheard:
            # Neither a result nor an error entry: asked once more, then taken for having no links.
            heard += _in_portions(client, paths.associations(source, target), unheard)[0]
        rows += [(_from(r), _to(link), _is_marked(link, mark)) for r in heard for link in r.get("to") or []]
    frame = pl.DataFrame(rows, schema=LINKS, orient="row")
    return frame.group_by("from", "to", maintain_order=True).agg(pl.col("marked").any())


def _in_portions(client: Client, path: str, ids: list[str]) -> tuple[list[Record], list[str]]:
    try:
        return _to_the_end(client, path, ids)
    except RequestRefused as fault:
        if fault.status != 400 or len(ids) <= FORMERLY:
            raise
    parts = [_to_the_end(client, path, part) for part in chunks(ids, FORMERLY)]
    return [r for results, _ in parts for r in results], [i for _, unheard in parts for i in unheard]


def _to_the_end(client: Client, path: str, ids: list[str]) -> tuple[list[Record], list[str]]:
    """All results for these records, followed through their pages; and the ids that nothing was said about."""
    results: list[Record] = []
    unheard: list[str] = []
    cursors: set[tuple[str, str]] = set()
    inputs: _Inputs = [{"id": i} for i in ids]
    while inputs:
        answer = client.post(path, {"inputs": inputs}, pool="associations", check=_only_unlinked)
        heard = {_from(result): result for result in answer.results}
        results += heard.values()
        unheard += _unheard([i["id"] for i in inputs], heard, answer)
        inputs = _further(heard, cursors)
    return results, unheard


def _further(heard: dict[str, Record], cursors: set[tuple[str, str]]) -> _Inputs:
    inputs = []
    for origin, result in heard.items():
        paging = result.get("paging")
        if not paging:
            continue
        after = (paging.get("next") or {}).get("after")
        if not after or (origin, str(after)) in cursors:
            raise UnexpectedAnswer("HubSpot announced further links without a new cursor to them")
        cursors.add((origin, str(after)))
        inputs.append({"id": origin, "after": str(after)})
    return inputs


def _unheard(asked: list[str], heard: dict[str, Record], answer: Answer) -> list[str]:
    """Ids with no word on them. The error entries may be a cut list; `numErrors` then counts the rest."""
    named = {i for e in answer.errors for i in _named(e)}
    silent = [i for i in asked if i not in heard and i not in named]
    told = answer.body.get("numErrors")
    unnamed = told - len(named) if isinstance(told, int) else 0
    return silent if len(silent) > max(0, unnamed) else []


def _named(error: Record) -> list[str]:
    context = error.get("context")
    ids = context.get("fromObjectId") or context.get("ids") if isinstance(context, dict) else None
    return [str(i) for i in ids] if isinstance(ids, list) else []


def _only_unlinked(answer: Answer) -> None:
    """A record without links, or gone meanwhile, is an answer; any other error entry is a fault."""
    for error in answer.errors:
        usual = str(error.get("subCategory", "")).endswith("NO_ASSOCIATIONS_FOUND")
        if not usual and error.get("category") != "OBJECT_NOT_FOUND":
            raise TryAgainLater("HubSpot could not read some links", code=str(error.get("category"))[:80])


def _from(result: Record) -> str:
    origin = result.get("from")
    found = origin.get("id") if isinstance(origin, dict) else None
    if not isinstance(found, str | int):
        raise UnexpectedAnswer("HubSpot sent links without saying whose")
    return str(found)


def _to(link: Any) -> str:
    """A JSON number on the wire, though the specification says text."""
    found = (link.get("toObjectId") or link.get("id")) if isinstance(link, dict) else None
    if not isinstance(found, str | int):
        raise UnexpectedAnswer("HubSpot sent a link without its other end")
    return str(found)


def _is_marked(link: Record, mark: int | None) -> bool:
    types = [t for t in link.get("associationTypes") or [] if isinstance(t, dict)]
    return mark is not None and any(
        (t.get("category", "HUBSPOT_DEFINED") == "HUBSPOT_DEFINED" and str(t.get("typeId")) == str(mark))
        or (mark == PRIMARY_COMPANY and str(t.get("label", "")).lower() == "primary")
        for t in types
    )

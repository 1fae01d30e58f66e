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
PRIMARY = frozenset({1, 5, 26})
"""contact, deal, ticket -> its primary company; the type ids are the same in every portal.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23)"""

LINKS = {"from": pl.String, "to": pl.String, "marked": pl.Boolean}
LABELLED = {**LINKS, "labels": pl.String}
_PRIMARY = "primary"
_Inputs = list[dict[str, str]]
_Heard = tuple[str, list[Any]]
"""A record's id, and its links."""


def read_links(
    client: Client, source: str, target: str, ids: Sequence[str], *, mark: int | None = None, labelled: bool = False
) -> pl.DataFrame:
    """Links from records of one kind to another: columns from, to, marked; each pair once.

    `marked`: the link is of the association type `mark`, or is labelled Primary. `labelled`: with a column of the
    other labels, sorted and joined by `;`. Records without links are absent: HubSpot says so in an error entry of a
    207, which is the usual answer.
    """
    path = paths.associations(source, target)
    heard: list[_Heard] = []
    for chunk in chunks(ids, AT_ONCE):
        found, unheard = _in_portions(client, path, chunk)
        # Neither a result nor an error entry: asked once more, then taken for having no links.
        heard += [*found, *(_in_portions(client, path, unheard)[0] if unheard else ())]
    frame = _frame(heard, mark, labelled=labelled)
    pairs = frame.select("from", "to")
    if pairs.n_unique() == pairs.height:
        return frame
    labels = [pl.col("labels").drop_nulls().first()] if labelled else []
    return frame.group_by("from", "to", maintain_order=True).agg(pl.col("marked").any(), *labels)


def _frame(heard: Sequence[_Heard], mark: int | None, *, labelled: bool) -> pl.DataFrame:
    """Links as columns. Types are looked at only where they matter: most links have none that do."""
    links = [(origin, link) for origin, linked in heard for link in linked]
    columns: dict[str, list[Any]] = {"from": [origin for origin, _ in links], "to": [_to(link) for _, link in links]}
    columns["marked"] = [False] * len(links) if mark is None else [_is_marked(link, mark) for _, link in links]
    if labelled:
        columns["labels"] = [_labels(link) for _, link in links]
    return pl.DataFrame(columns, schema=LABELLED if labelled else LINKS)


def _in_portions(client: Client, path: str, ids: list[str]) -> tuple[list[_Heard], list[str]]:
    try:
        return _to_the_end(client, path, ids)
    except RequestRefused as fault:
        if fault.status != 400 or len(ids) <= FORMERLY:
            raise
    parts = [_to_the_end(client, path, part) for part in chunks(ids, FORMERLY)]
    return [r for results, _ in parts for r in results], [i for _, unheard in parts for i in unheard]


def _to_the_end(client: Client, path: str, ids: list[str]) -> tuple[list[_Heard], list[str]]:
    """The links of these records, followed through their pages; and the ids that nothing was said about."""
    heard: list[_Heard] = []
    unheard: list[str] = []
    cursors: set[tuple[str, str]] = set()
    inputs: _Inputs = [{"id": i} for i in ids]
    while inputs:
        answer = client.post(path, {"inputs": inputs}, pool="associations", check=_only_unlinked)
        results = {_from(result): result for result in answer.results}
        heard += [(origin, result.get("to") or []) for origin, result in results.items()]
        if len(results) < len(inputs):
            unheard += _unheard([i["id"] for i in inputs], results, answer)
        inputs = _further(results, cursors)
    return heard, unheard


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
    errors = answer.errors
    named = {i for e in errors for i in _named(e)}
    silent = [i for i in asked if i not in heard and i not in named]
    told = answer.body.get("numErrors")
    unnamed = told - len(named) if isinstance(told, int) else 0
    return silent if len(silent) > max(0, unnamed) else []


def _named(error: Record) -> list[str]:
    context = error.get("context")
    ids = context.get("fromObjectId") or context.get("ids") if isinstance(context, dict) else None
    return list(map(str, ids)) if isinstance(ids, list) else []


def _only_unlinked(answer: Answer) -> None:
    """A record without links, or gone meanwhile, is an answer; any other error entry is a fault."""
    kinds = {(error.get("category"), error.get("subCategory")) for error in answer.errors}
    for category, further in kinds:
        if not str(further).endswith("NO_ASSOCIATIONS_FOUND") and category != "OBJECT_NOT_FOUND":
            raise TryAgainLater("HubSpot could not read some links", code=str(category)[:80])


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


def _types(link: Record) -> list[Record]:
    return [t for t in link.get("associationTypes") or [] if isinstance(t, dict)]


def _labels(link: Record) -> str | None:
    labels = {str(t["label"]).strip() for t in _types(link) if t.get("label")}
    return ";".join(sorted(label for label in labels if label and label.lower() != _PRIMARY)) or None


def _is_marked(link: Record, mark: int) -> bool:
    types = _types(link)
    return any(
        (t.get("category", "HUBSPOT_DEFINED") == "HUBSPOT_DEFINED" and str(t.get("typeId")) == str(mark))
        or (mark in PRIMARY and str(t.get("label", "")).lower() == _PRIMARY)
        for t in types
    )

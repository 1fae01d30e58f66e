"""Reads the links between records, many records a call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import polars as pl

from connectors.errors import RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.records import chunks

AT_ONCE, FORMERLY = 1000, 100
"""Records a call, now and until February 2025: a server that keeps the old limit is asked in its portions."""
PRIMARY = frozenset({1, 5, 26})
"""contact, deal, ticket -> its primary company; the type ids are the same in every portal.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23)"""

LINKS = {"from": pl.String, "to": pl.String, "marked": pl.Boolean}
LABELLED = {**LINKS, "labels": pl.String}
_PRIMARY = "primary"
_NO_LINKS = "NO_ASSOCIATIONS_FOUND"
_Inputs = list[dict[str, str]]


def read_links(
    client: Client, source: str, target: str, ids: Sequence[str], *, mark: int | None = None, labelled: bool = False
) -> pl.DataFrame:
    """Links from records of one kind to another: columns from, to, marked; each pair once.

    `marked`: the link is of the association type `mark`, or is labelled Primary. `labelled`: with a column of the
    other labels, sorted and joined by `;`. Records without links are absent: HubSpot says so in an error entry of a
    207, which is the usual answer.
    """
    path, shape = paths.associations(source, target), _shape(typed=labelled or mark is not None)
    heard: list[pl.DataFrame] = []
    for chunk in chunks(ids, AT_ONCE):
        found, unheard = _in_portions(client, path, chunk, shape)
        # Neither a result nor an error entry: asked once more, then taken for having no links.
        heard += [*found, *(_in_portions(client, path, unheard, shape)[0] if unheard else ())]
    marked = pl.lit(value=False) if mark is None else _is_marked(mark)
    told = {"marked": marked} | ({"labels": _labels()} if labelled else {})
    if not heard:
        return pl.DataFrame(schema=LABELLED if labelled else LINKS)
    frame = pl.concat(heard).select("from", "to", **told)
    if not frame.select(pl.struct("from", "to").is_duplicated().any()).item():
        return frame
    labels = [pl.col("labels").drop_nulls().first()] if labelled else []
    return frame.group_by("from", "to", maintain_order=True).agg(pl.col("marked").any(), *labels)


@cache
def _shape(*, typed: bool) -> pl.Struct:
    """What is read of an answer. Types are looked at only where they matter: most links have none that do."""
    kind = pl.Struct({"category": pl.String, "typeId": pl.String, "label": pl.String})
    types: dict[str, Any] = {"associationTypes": pl.List(kind)} if typed else {}
    link = {"toObjectId": pl.String, "id": pl.String, **types}
    result: dict[str, Any] = {
        "from": pl.Struct({"id": pl.String}),
        "to": pl.List(pl.Struct(link)),
        "paging": pl.Struct({"next": pl.Struct({"after": pl.String})}),
    }
    context = pl.Struct({"fromObjectId": pl.List(pl.String), "ids": pl.List(pl.String)})
    error: dict[str, Any] = {"category": pl.String, "subCategory": pl.String, "context": context}
    return pl.Struct(
        {"results": pl.List(pl.Struct(result)), "errors": pl.List(pl.Struct(error)), "numErrors": pl.Int64}
    )


def _in_portions(client: Client, path: str, ids: list[str], shape: pl.Struct) -> tuple[list[pl.DataFrame], list[str]]:
    try:
        return _to_the_end(client, path, ids, shape)
    except RequestRefused as fault:
        if fault.status != 400 or len(ids) <= FORMERLY:
            raise
    parts = [_to_the_end(client, path, part, shape) for part in chunks(ids, FORMERLY)]
    return [frame for found, _ in parts for frame in found], [i for _, unheard in parts for i in unheard]


def _to_the_end(client: Client, path: str, ids: list[str], shape: pl.Struct) -> tuple[list[pl.DataFrame], list[str]]:
    """The links of these records, followed through their pages; and the ids that nothing was said about."""
    heard: list[pl.DataFrame] = []
    unheard: list[str] = []
    cursors: set[tuple[str, str]] = set()
    inputs: _Inputs = [{"id": i} for i in ids]
    while inputs:
        answer = client.columns(
            path, {"inputs": inputs}, shape, pool="associations", check=_only_unlinked, mend=_mended
        )
        results = _results(answer)
        heard.append(_links(results))
        if results["from"].n_unique() < len(inputs):
            unheard += _unheard([i["id"] for i in inputs], results, answer)
        inputs = _further(results, cursors)
    return heard, unheard


def _results(answer: pl.DataFrame) -> pl.DataFrame:
    """Columns from, to, paging: what is said of the records, of each once or more often."""
    listed = answer["results"]
    if listed.null_count():
        raise UnexpectedAnswer("HubSpot sent no list of results where its documentation promises one")
    rows = (
        listed.explode(empty_as_null=False)
        .struct.unnest()
        .with_columns(pl.col("from").struct.field("id").alias("from"))
    )
    if not _are_ids(rows["from"]):
        raise UnexpectedAnswer("HubSpot sent links without saying whose")
    return rows


def _links(results: pl.DataFrame) -> pl.DataFrame:
    """Columns from, to (a JSON number on the wire, though the specification says text) and types, if read."""
    links = results.filter(pl.col("to").list.len() > 0).select("from", "to").explode("to")
    ends = links.with_columns(links["to"].struct.unnest())
    found = ends.with_columns(to=pl.coalesce("toObjectId", "id")).drop("toObjectId", "id")
    if not _are_ids(found["to"]):
        raise UnexpectedAnswer("HubSpot sent a link without its other end")
    return found


def _are_ids(texts: pl.Series) -> bool:
    """Whether all are; JSON's `true` came as a text."""
    return not texts.null_count() and bool(texts.str.contains(r"^[0-9]+$").all())


def _further(results: pl.DataFrame, cursors: set[tuple[str, str]]) -> _Inputs:
    """What to ask for next: records of which there are more links."""
    inputs = []
    following = pl.col("paging").struct.field("next")
    more = results.filter(following.is_not_null()).select("from", following.struct.field("after"))
    for origin, after in more.iter_rows():
        if not after or (origin, after) in cursors:
            raise UnexpectedAnswer("HubSpot announced further links without a new cursor to them")
        cursors.add((origin, after))
        inputs.append({"id": origin, "after": after})
    return inputs


def _unheard(asked: list[str], results: pl.DataFrame, answer: pl.DataFrame) -> list[str]:
    """Ids with no word on them. The error entries may be a cut list; `numErrors` then counts the rest."""
    context = pl.col("context").struct
    ids = pl.concat_list(context.field(name).fill_null([]) for name in ("fromObjectId", "ids"))
    named = _errors(answer).select(ids.explode())
    told = named.to_series().drop_nulls().unique()
    silent = pl.Series(asked, dtype=pl.String)
    silent = silent.filter(~silent.is_in(pl.concat([results["from"], told]).implode()))
    counted = answer["numErrors"].item()
    unnamed = counted - told.len() if counted is not None else 0
    return silent.to_list() if silent.len() > max(0, unnamed) else []


def _mended(body: dict[str, Any]) -> dict[str, Any]:
    """An answer whose error entries are not of their shape: what they name, as far as it can be told. A record that
    is not named in the end is asked for once more; an entry that is no object is a fault, see `_only_unlinked`."""
    told = body.get("errors") or []
    entries = [entry if isinstance(entry, dict) else {} for entry in (told if isinstance(told, list) else [told])]
    counted = body.get("numErrors")
    errors = [{**entry, "context": _named(entry.get("context"))} for entry in entries]
    return {**body, "errors": errors, "numErrors": counted if type(counted) is int else None}


def _named(context: object) -> dict[str, list[str]]:
    told = context if isinstance(context, dict) else {}
    lists = {name: value if isinstance(value, list) else [value] for name, value in told.items()}
    return {name: [str(i) for i in values if isinstance(i, str | int)] for name, values in lists.items()}


def _errors(answer: pl.DataFrame) -> pl.DataFrame:
    return answer["errors"].explode(empty_as_null=False).drop_nulls().struct.unnest()


def _only_unlinked(answer: pl.DataFrame) -> None:
    """A record without links, or gone meanwhile, is an answer; any other error entry is a fault."""
    kinds = _errors(answer).select("category", "subCategory").unique()
    for category, further in kinds.iter_rows():
        if not str(further).endswith(_NO_LINKS) and category != "OBJECT_NOT_FOUND":
            raise TryAgainLater("HubSpot could not read some links", code=str(category)[:80])


def _labels() -> pl.Expr:
    """The labels of a link, less Primary, which is a mark."""
    label = pl.element().struct.field("label").str.strip_chars()
    own = label.filter((label != "") & (label.str.to_lowercase() != _PRIMARY))
    joined = pl.col("associationTypes").list.eval(own).list.unique().list.sort().list.join(";")
    return pl.when(joined != "").then(joined)


def _is_marked(mark: int) -> pl.Expr:
    kind = pl.element().struct
    is_own = kind.field("category").fill_null("HUBSPOT_DEFINED") == "HUBSPOT_DEFINED"
    is_mark: Any = is_own & (kind.field("typeId") == str(mark))
    if mark in PRIMARY:
        is_mark |= kind.field("label").str.to_lowercase().fill_null("") == _PRIMARY
    return pl.col("associationTypes").list.eval(is_mark.fill_null(value=False)).list.any().fill_null(value=False)

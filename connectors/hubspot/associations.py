"""Reads the links between records, many records a call.

An answer has a thousand records at most: what can be done with it without an expression is done so, since Polars takes
longer to plan one than to carry it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import polars as pl

from connectors.errors import RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.records import chunks

AT_ONCE, FORMERLY = 1000, 100
"""Records a call, now and until February 2025: a server that keeps the old limit is asked in its portions."""
_ALONE = 10
"""Records that are asked for alone where answers say nothing about them: all, or a sample of many. No document excludes
that a server never names those without links, and a call for each of those would be too many."""
PRIMARY = frozenset({1, 5, 26})
"""contact, deal, ticket -> its primary company; the type ids are the same in every portal.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23)"""

LINKS = {"from": pl.String, "to": pl.String, "marked": pl.Boolean}
LABELLED = {**LINKS, "labels": pl.String}
_PRIMARY = "primary"
_NO_LINKS = "NO_ASSOCIATIONS_FOUND"
_Inputs = list[dict[str, str]]


@dataclass
class Silence:
    """What it means that answers say nothing about a record. `confirmed`: how many of those, asked for alone, had no
    links; `names_some`: the server names records without links, as HubSpot does, and so has to name all of them."""

    confirmed: int = 0
    names_some: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether this server is known to name none."""
        return self.confirmed >= _ALONE and not self.names_some


def read_links(
    client: Client,
    source: str,
    target: str,
    ids: Sequence[str],
    *,
    mark: int | None = None,
    labelled: bool = False,
    silence: Silence | None = None,
) -> pl.DataFrame:
    """Links from records of one kind to another: columns from, to, marked; each pair once.

    `marked`: the link is of the association type `mark`, or is labelled Primary. `labelled`: with a column of the
    other labels, sorted and joined by `;`. Records without links are absent: HubSpot says so in an error entry of a
    207, which is the usual answer. `silence`: what earlier answers taught of those that say nothing; learns more.
    Raises TryAgainLater where answers leave out a record that has links: taken for one without, a deal would lose its
    company, and no stamp would bring it back.
    """
    path, shape = paths.associations(source, target), _shape(typed=labelled or mark is not None)
    silence = silence or Silence()
    heard: list[pl.DataFrame] = []
    for chunk in chunks(ids, AT_ONCE):
        found, unheard = _in_portions(client, path, chunk, shape, silence)
        heard += found
        if unheard and not silence.is_usual:
            # Neither a result nor an error entry: asked once more, then some of them alone.
            found, unheard = _in_portions(client, path, unheard, shape, silence)
            heard += found
        _check_unlinked(client, source, target, unheard, silence)
    marked = pl.lit(value=False) if mark is None else _is_marked(mark)
    told = {"marked": marked} | ({"labels": _labels()} if labelled else {})
    if not heard:
        return pl.DataFrame(schema=LABELLED if labelled else LINKS)
    frame = pl.concat(heard).select("from", "to", **told)
    is_single = frame["from"].n_unique() == frame.height
    if is_single or not frame.select(pl.struct("from", "to").is_duplicated().any()).item():
        return frame
    labels = [pl.col("labels").drop_nulls().first()] if labelled else []
    return frame.group_by("from", "to", maintain_order=True).agg(pl.col("marked").any(), *labels)


def _check_unlinked(client: Client, source: str, target: str, silent: list[str], silence: Silence) -> None:
    """Raises TryAgainLater where one of the records that nothing was said about has links."""
    for one in silent[:: -(-len(silent) // (1 if silence.is_usual else _ALONE)) or 1]:
        try:
            answer = client.request("GET", paths.links_of_one(source, one, target), pool="associations")
        except RequestRefused as fault:
            if fault.status != 404:
                raise
            continue
        if answer.results:
            told = f"HubSpot left out that {source} {one} is linked with {target}; so it may be with {{}} more"
            raise TryAgainLater(told.format(len(silent) - 1))
        silence.confirmed += 1


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
    return pl.Struct(
        {"results": pl.List(pl.Struct(result)), "errors": pl.List(pl.Struct(_ERROR)), "numErrors": pl.Int64}
    )


_CONTEXT = pl.Struct({"fromObjectId": pl.List(pl.String), "ids": pl.List(pl.String)})
_ERROR: dict[str, Any] = {"category": pl.String, "subCategory": pl.String, "context": _CONTEXT}
_NO_ERRORS = pl.DataFrame(schema=_ERROR)


def _in_portions(
    client: Client, path: str, ids: list[str], shape: pl.Struct, silence: Silence
) -> tuple[list[pl.DataFrame], list[str]]:
    try:
        return _to_the_end(client, path, ids, shape, silence)
    except RequestRefused as fault:
        if fault.status != 400 or len(ids) <= FORMERLY:
            raise
    parts = [_to_the_end(client, path, part, shape, silence) for part in chunks(ids, FORMERLY)]
    return [frame for found, _ in parts for frame in found], [i for _, unheard in parts for i in unheard]


def _to_the_end(
    client: Client, path: str, ids: list[str], shape: pl.Struct, silence: Silence
) -> tuple[list[pl.DataFrame], list[str]]:
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
        unheard += _unheard([i["id"] for i in inputs], results["from"], answer, silence)
        inputs = _further(results, cursors)
    return heard, unheard


def _results(answer: pl.DataFrame) -> pl.DataFrame:
    """Columns from, to, paging: what is said of the records, of each once or more often."""
    listed: pl.Series | None = answer["results"].item()
    if listed is None:
        raise UnexpectedAnswer("HubSpot sent no list of results where its documentation promises one")
    rows = listed.struct.unnest()
    rows.replace_column(rows.get_column_index("from"), rows["from"].struct.unnest()["id"].alias("from"))
    if not _are_ids(rows["from"]):
        raise UnexpectedAnswer("HubSpot sent links without saying whose")
    return rows


def _links(results: pl.DataFrame) -> pl.DataFrame:
    """Columns from, to (a JSON number on the wire, though the specification says text) and types, if read."""
    links = results[["from", "to"]].explode("to", empty_as_null=False, keep_nulls=False)
    ends = links["to"].struct.unnest()
    to = ends["toObjectId"] if not ends["toObjectId"].null_count() else ends.select(_OTHER_END).to_series()
    if not _are_ids(to):
        raise UnexpectedAnswer("HubSpot sent a link without its other end")
    types = [column for column in ends.get_columns() if column.name == "associationTypes"]
    return pl.DataFrame([links["from"], to.alias("to"), *types])


_OTHER_END = pl.coalesce("toObjectId", "id")


def _are_ids(texts: pl.Series) -> bool:
    """Whether all are; JSON's `true` came as a text."""
    ids = texts.to_list()
    if not all(ids):
        return False
    digits = "".join(ids)
    return not digits or (digits.isascii() and digits.isdecimal())


def _further(results: pl.DataFrame, cursors: set[tuple[str, str]]) -> _Inputs:
    """What to ask for next: records of which there are more links."""
    inputs = []
    following = results["paging"].struct.unnest()["next"]
    if following.null_count() == following.len():
        return []
    told = pl.DataFrame([results["from"], following.struct.unnest()["after"]])
    for origin, after in told.filter(following.is_not_null()).iter_rows():
        if not after or (origin, after) in cursors:
            raise UnexpectedAnswer("HubSpot announced further links without a new cursor to them")
        cursors.add((origin, after))
        inputs.append({"id": origin, "after": after})
    return inputs


def _unheard(asked: list[str], heard: pl.Series, answer: pl.DataFrame, silence: Silence) -> list[str]:
    """Ids with no word on them. The error entries may be a cut list; `numErrors` then counts the rest."""
    linked = set(heard.to_list())
    if linked.issuperset(asked):
        return []
    errors = _errors(answer)
    silence.names_some |= any(str(kind).endswith(_NO_LINKS) for kind in errors["subCategory"].unique())
    context = errors["context"].struct.unnest()
    named = chain.from_iterable(ids for column in context for ids in column.to_list() if ids)
    told = {i for i in named if i is not None}
    answered = told | linked
    silent = [i for i in asked if i not in answered]
    counted = answer["numErrors"].item()
    unnamed = counted - len(told) if counted is not None else 0
    return silent if len(silent) > max(0, unnamed) else []


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
    listed: pl.Series | None = answer["errors"].item()
    if listed is None:
        return _NO_ERRORS
    return (listed.drop_nulls() if listed.null_count() else listed).struct.unnest()


def _only_unlinked(answer: pl.DataFrame) -> None:
    """A record without links, or gone meanwhile, is an answer; any other error entry is a fault."""
    errors = _errors(answer)
    for category, kind in dict.fromkeys(zip(errors["category"], errors["subCategory"], strict=True)):
        if not str(kind).endswith(_NO_LINKS) and category != "OBJECT_NOT_FOUND":
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

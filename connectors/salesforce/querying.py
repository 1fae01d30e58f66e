"""Runs a query page by page: two thousand rows a call, each page with the link to the next and nothing left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import orjson

from connectors.errors import RequestRefused, ShortAnswer, SliceLost, UnexpectedAnswer
from connectors.repeats import Repeats
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record, as_text, records_of

_LARGEST_PAGE = {"Sforce-Query-Options": "batchSize=2000"}


@dataclass(frozen=True)
class Place:
    """Where a query stands: the link to the next page, the rows so far, and how many were announced at first.

    The link lives for two days, and longer than our session. It leads through the ids as they were when the query
    was made: what changes meanwhile keeps its place, so that rows of one and the same stamp need no order.
    https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-apicursors.html
    """

    link: str | None = None
    rows: int = 0
    announced: int | None = None

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def parse(cls, text: str) -> Place:
        try:
            place = cls(**orjson.loads(text))
        except (ValueError, TypeError):
            place = cls()
        if not isinstance(place.link, str) or not isinstance(place.rows, int):
            raise SliceLost("the place to resume from is not one that this connector wrote")
        return place


@dataclass(frozen=True)
class Rows:
    """A page, and the place after it; its link is None after the last."""

    records: list[Record]
    place: Place


def read_rows(
    client: Client,
    soql: str,
    resume: str | None = None,
    *,
    path: str = paths.QUERY_ALL,
    asks: str | None = None,
    may_be_empty: bool = False,
) -> Iterator[Rows]:
    """Pages of a query from its start, or from a place.

    That there are no rows at all has to be said twice, unless `may_be_empty`: no announced number shows where it is
    wrong, and what was not there when everything was read is not looked for again.

    Raises SliceLost if the place is no longer known; if it gets lost under way, the query is made once more, and its
    rows come again. Raises ShortAnswer if the pages end before the rows that the first of them announced, or rows come
    twice: a short list must not look like a whole one.
    """
    place = Place.parse(resume) if resume is not None else Place()
    seen: set[str | None] = set()
    repeats = Repeats("a query")
    pages = begun_again = 0
    while True:
        try:
            answer, place = _page(client, soql, place, path=path, asks=asks)
            if not (place.link or may_be_empty or place.announced or answer.get("records")):
                answer, place = _page(client, soql, Place(), path=path, asks=asks)
        except SliceLost:
            # At once: the caller counts the rows, and has to know that they come from the start.
            if pages == 0 or begun_again:
                raise
            place, seen, begun_again = Place(), set(), 1
            repeats = Repeats("a query")
            continue
        seen.add(place.link)
        pages += 1
        records = records_of(answer, "a query")
        place = replace(place, link=_link(answer), rows=place.rows + len(records))
        if place.link is None and place.announced is not None and place.rows < place.announced:
            raise ShortAnswer(f"Salesforce announced {place.announced} rows and sent {place.rows}; run again")
        if place.link is not None and place.link in seen:
            raise UnexpectedAnswer("Salesforce sent the same link to a next page twice")
        repeats.check([str(record["Id"]) for record in records if record.get("Id")])
        yield Rows(records, place)
        if place.link is None:
            return


def read_all(client: Client, soql: str, *, path: str = paths.QUERY, asks: str | None = None) -> list[Record]:
    """All rows of a query over something small."""
    return [record for rows in read_rows(client, soql, path=path, asks=asks) for record in rows.records]


def count_rows(client: Client, kind: str, where: str = "", *, path: str = paths.QUERY_ALL) -> int:
    """How many rows of an object meet a condition."""
    query = f"SELECT COUNT() FROM {kind}" + (f" WHERE {where}" if where else "")  # noqa: S608
    total = _total(client.get(path, {"q": query}, asks=f"read access to the object {kind}"))
    if total is None:
        raise UnexpectedAnswer(f"Salesforce did not say how many rows of {kind} there are")
    return total


def _page(client: Client, soql: str, place: Place, *, path: str, asks: str | None) -> tuple[Record, Place]:
    """The answer at a place; at none, that of the query, with the place that it opens."""
    if place.link is None:
        answer = client.get(path, {"q": soql}, headers=_LARGEST_PAGE, asks=asks)
        return answer, Place(announced=_total(answer))
    try:
        return client.follow(place.link, headers=_LARGEST_PAGE), place
    except RequestRefused as fault:
        if fault.status in {400, 404, 410}:
            raise SliceLost("Salesforce does not know our place in the query any more") from fault
        raise


def _total(answer: Record) -> int | None:
    total = as_text(answer.get("totalSize"))
    # A negative size is an answer too large to count.
    return int(total) if total is not None and total.isdecimal() else None


def _link(answer: Record) -> str | None:
    """The link to the next page, None after the last. A page that says there is more, and not where, is refused."""
    link, done = answer.get("nextRecordsUrl"), as_text(answer.get("done"))
    if link:
        if not isinstance(link, str):
            raise UnexpectedAnswer("Salesforce sent a link to a next page that is no text")
        return link
    if done is not None and done.lower() != "true":
        raise ShortAnswer("Salesforce said that there are more rows and not where; run again")
    return None

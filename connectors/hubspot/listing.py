"""Lists all records of a kind in ascending id order: the road of full loads, and the only one to the bin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from connectors.errors import RequestRefused, SliceLost, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, has_rows
from connectors.hubspot.client import Client
from connectors.hubspot.records import Record, Wish, checked


class Disordered(UnexpectedAnswer):
    """A page that is not in the order of the ids, and stays so."""


def listed(
    client: Client, wish: Wish, *, archived: bool, after: str | None, in_order: bool = False
) -> Iterator[tuple[list[Record], str | None]]:
    """Pages of records, each with the cursor of the next one, None on the last page.

    Archived records are those in the bin, for 90 days; merge losers are in neither list. Raises SliceLost if
    the cursor to go on from is no longer taken; Disordered where they are to come `in_order` of their ids and do not.
    """
    seen = {after}
    resumed = after is not None
    while True:
        check = partial(_whole, archived=archived, first=max(0, _number(after or "")) if in_order else None)
        try:
            answer = client.get(paths.objects(wish.kind), _query(wish, archived, after), scope=wish.scope, check=check)
        except RequestRefused as fault:
            if resumed and fault.status in {400, 404, 410}:
                raise SliceLost(f"HubSpot does not know our place in {wish.kind} any more") from fault
            raise
        resumed = False
        after = next_after(answer)
        yield [checked(r) for r in answer.results], after
        if after is None:
            return
        if after in seen:
            raise UnexpectedAnswer(f"HubSpot sent the same cursor twice while listing {wish.kind}")
        seen.add(after)


def _whole(answer: Answer, *, archived: bool, first: int | None) -> None:
    """Refuses a page that is odd while it can still be asked for again: in its shape, of another list than that of the
    bin, or not in order from the id `first` on."""
    has_rows(answer)
    next_after(answer)
    records = [checked(record) for record in answer.results]
    if archived and any(record.get("archived") is False for record in records):
        raise UnexpectedAnswer("HubSpot listed records that live where those of the bin were asked for")
    if first is not None:
        ids = [_number(r["id"]) for r in records]
        if ids != sorted(ids) or min(ids, default=first) < first:
            raise Disordered("HubSpot did not list the records in the order of their ids")


def _number(text: str) -> int:
    """An id, or a cursor, as a number; -1 for what is none."""
    return int(text) if text.isdecimal() else -1


def next_after(answer: Answer) -> str | None:
    """The cursor of the next page, None if this was the last. A page that says there is more, and not where,
    is refused: a short list would look like a whole one."""
    paging = answer.body.get("paging")
    if paging is None or paging == {"next": None}:
        return None
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    if isinstance(after, bool) or not isinstance(after, str | int) or after == "":
        raise UnexpectedAnswer("HubSpot announced a further page without a cursor to it")
    return str(after)


def _query(wish: Wish, archived: bool, after: str | None) -> list[tuple[str, str | int]]:
    query: list[tuple[str, str | int]] = [("limit", wish.size), *wish.query()]
    if archived:
        query.append(("archived", "true"))
    return [*query, ("after", after)] if after is not None else query

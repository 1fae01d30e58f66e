"""Lists all records of a kind in ascending id order: the road of full loads, and the only one to the bin."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.errors import RequestRefused, SliceLost, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, has_rows
from connectors.hubspot.client import Client
from connectors.hubspot.records import Record, Wish, checked


def listed(
    client: Client, wish: Wish, *, archived: bool, after: str | None
) -> Iterator[tuple[list[Record], str | None]]:
    """Pages of records, each with the cursor of the next one, None on the last page.

    Archived records are those in the bin, for 90 days; merge losers are in neither list. Raises SliceLost if
    the cursor to go on from is no longer taken.
    """
    seen = {after}
    resumed = after is not None
    while True:
        try:
            answer = client.get(paths.objects(wish.kind), _query(wish, archived, after), scope=wish.scope, check=_whole)
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


def _whole(answer: Answer) -> None:
    """Refuses a page whose shape is odd while it can still be asked for again."""
    has_rows(answer)
    next_after(answer)
    for record in answer.results:
        checked(record)


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

"""Which id a record of the book has in a portal: a rule, so that it is known without a portal."""

from __future__ import annotations

from connectors.sandbox.hubspot.kinds import kind_of

FIRST_OWNER = 96_879_000
TOUCH_KINDS = {"call": "calls", "email": "emails", "meeting": "meetings", "note": "notes", "task": "tasks"}
"""The book's kinds of touch -> the kinds of record they become."""


def hubspot_id(kind: str, number: int) -> int:
    """The portal's id of the book's record `number`: `kinds.Kind.first_id` of its kind, plus the number.

    `kind` is any name HubSpot knows (`companies`, `deal`, `0-48`), a TouchKind of the book, or `owners` for
    sellers. Raises LookupError for another.
    """
    if kind in {"owners", "owner"}:
        return FIRST_OWNER + number
    known = kind_of(kind)
    if known is None:
        raise LookupError(f"no kind of record is called {kind}")
    return known.first_id + number

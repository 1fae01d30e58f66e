"""What the store knows, as frames: the rows, which streams they come from, and when that was."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from kammodel import facts, identity
from kammodel.digest import digest
from kammodel.entities import (
    KEY,
    Account,
    Activity,
    Bookmark,
    Case,
    ExchangeRate,
    Opportunity,
    OpportunityStageEvent,
    Person,
    Sourced,
    polars_schema,
)
from kammodel.store import Store
from kammodel.store.control import bookmarks
from kammodel.touches import ACTIVITY_COLUMNS, LINK_COLUMNS, Links

_STAMP = "content_changed_at"
_ENVELOPE = (*KEY, "created_at", "updated_at", "deleted", _STAMP)

DEAL_STREAMS = (frozenset({"opportunities"}),)
TOUCH_STREAMS = (frozenset({"calls", "emails", "meetings", "tasks"}), frozenset({"events", "tasks"}))
"""Streams that tell all touches of a CRM: either of the sets. Less than all of one is not knowing: touches that
were logged elsewhere would be missing without a word."""


@dataclass(frozen=True)
class Inputs:
    """What the store knows. `read`: (source, instance, stream) of the streams read to their end at least once.

    `synced_at`: the time of the last sync, null if there was none. Of cases and persons only the account is known.
    """

    accounts: pl.DataFrame
    opportunities: pl.DataFrame
    stage_events: pl.DataFrame
    activities: pl.DataFrame
    cases: pl.DataFrame
    persons: pl.DataFrame
    rates: pl.DataFrame
    read: frozenset[tuple[str, str, str]]
    synced_at: dt.datetime | None

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        names = ("accounts", "opportunities", "stage_events", "activities", "cases", "persons", "rates")
        return {name: getattr(self, name) for name in names}

    @property
    def links(self) -> Links:
        """What leads from a touch to an account."""
        return Links(self.opportunities, self.cases, self.persons)

    def deals_read(self, source: str, instance: str) -> bool:
        """Whether the deals of a CRM are known."""
        return self._has_read(source, instance, DEAL_STREAMS)

    def touches_read(self, source: str, instance: str) -> bool:
        """Whether all touches of a CRM are known."""
        return self._has_read(source, instance, TOUCH_STREAMS)

    def _has_read(self, source: str, instance: str, sets: tuple[frozenset[str], ...]) -> bool:
        streams = {stream for s, i, stream in self.read if (s, i) == (source, instance)}
        return any(needed <= streams for needed in sets)

    def fingerprint(self, cut_at: dt.datetime) -> str:
        """Sixteen hexadecimal digits that change when a row does: rows and their change stamps, streams, the cut."""
        stamps = {
            name: [frame.height, str(frame.select(pl.col(_STAMP).dt.epoch("us").cast(pl.Int128).sum()).item())]
            for name, frame in self.frames.items()
        }
        return digest([stamps, sorted(self.read), cut_at.isoformat()])


def read_inputs(store: Store) -> Inputs:
    """The frames of the store. A stream counts as read once a slice of it was closed: its watermark stands;
    one of touches only if it tells the persons in them.

    The last sync is the newest of the times up to which streams were read and of the stamps of rows: a stream
    that lags behind does not hold back what others brought.
    """
    with store.transaction() as tx:
        marks = [mark for mark in bookmarks(tx) if mark.watermark is not None]
    tables: dict[str, tuple[type[Sourced], tuple[str, ...]]] = {
        "accounts": (Account, (*identity.COLUMNS, "currency")),
        "opportunities": (Opportunity, facts.OPPORTUNITY_COLUMNS),
        "stage_events": (OpportunityStageEvent, facts.STAGE_EVENT_COLUMNS),
        "activities": (Activity, ACTIVITY_COLUMNS),
        "rates": (ExchangeRate, tuple(polars_schema(ExchangeRate))),
    }
    frames = {
        name: store.read(entity, list(dict.fromkeys((*_ENVELOPE, *columns))))
        for name, (entity, columns) in tables.items()
    }
    links: dict[str, type[Sourced]] = {"cases": Case, "persons": Person}
    frames |= {name: store.read(entity, [*LINK_COLUMNS, _STAMP]) for name, entity in links.items()}
    stamps = [until for mark in marks if (until := mark.read_until or mark.watermark) is not None]
    stamps += [stamp for frame in frames.values() if isinstance(stamp := frame[_STAMP].max(), dt.datetime)]
    read = frozenset((mark.source, mark.source_instance, mark.stream) for mark in marks if _tells(mark))
    return Inputs(**frames, read=read, synced_at=max(stamps, default=None))


def _tells(mark: Bookmark) -> bool:
    """False for a stream of touches whose persons are hidden from us: nobody can say which of them count."""
    is_of_touches = any(mark.stream in streams for streams in TOUCH_STREAMS)
    return not (is_of_touches and mark.columns and "person_ids" not in mark.columns.split(","))

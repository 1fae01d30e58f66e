"""How a stream is declared: the kind of record it reads, its lines, and the links that its columns come from.

Columns named `@...` are made by the connector: ids and times of the record's envelope, links, and what the pipelines
say about a stage.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.codecs import Codec, boolean, identifier, text
from connectors.hubspot.codecs import moment
from connectors.mapping import Line, Mapping

MODIFIED = "hs_lastmodifieddate"
"""What increments are searched by, of every kind but contacts: the wrong property gives zero rows and no error.
https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-28)"""


@dataclass(frozen=True)
class Link:
    """Records of another kind that a record is linked with.

    `column` takes one of them, the marked first, else the lowest id; with `many` all, sorted and joined by `;`.
    `mark`: the association type that is preferred; the ids of HubSpot's own types are the same in every portal.
    `only_marked`: others do not count. `part`: each link is also a row of its own, with the columns `@id` (both ids),
    `@from`, `@to`, `@marked` and `@labels`; its line for `@from` names the record that the row is a part of.
    """

    kind: str
    column: str | None = None
    many: bool = False
    mark: int | None = None
    only_marked: bool = False
    part: Mapping | None = None


@dataclass(frozen=True)
class Declared:
    """One stream. `word`: what its ids begin with, where several streams fill one entity. `events`: what the history
    of the properties `history` becomes; `entries`: what `stage_dates` become where a portal gives no history: its
    properties that hold when a stage was last entered, each with that stage. `stamp`: the property that increments are
    searched by. `silent`: properties whose absence is no lack. `fixed`: further columns, with the text that stands in
    each of its rows."""

    name: str
    kind: str
    mapping: Mapping
    scope: str
    links: tuple[Link, ...] = ()
    word: str = ""
    history: tuple[str, ...] = ()
    events: Mapping | None = None
    entries: Mapping | None = None
    stage_dates: tuple[tuple[str, str], ...] = ()
    stamp: str = MODIFIED
    silent: frozenset[str] = frozenset()
    fixed: tuple[tuple[str, str], ...] = ()
    pipeline: tuple[str, str] | None = None
    """The properties that name the pipeline and the stage, where `@status` and its like are the stage's."""

    @property
    def properties(self) -> tuple[str, ...]:
        """What to ask of HubSpot for its lines, and for its stage. A column that we make is no property, though a line
        may fall back on it."""
        theirs = [name for name in self.mapping.asked() if not name.startswith("@")]
        dates = [name for name, _ in self.stage_dates]
        return tuple(dict.fromkeys([*theirs, *(self.pipeline or ()), *dates]))

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """Of its own entity, of its history, and of its links, in this order."""
        parts = [link.part for link in self.links if link.part is not None]
        return (self.mapping, *([self.events] if self.events else []), *parts)

    @property
    def linked(self) -> tuple[str, ...]:
        """Columns of ours that come from links."""
        made = {link.column for link in self.links}
        return tuple(line.ours for line in self.mapping.lines if made & set(line.columns))

    @property
    def id_prefix(self) -> str:
        return f"{self.word}:" if self.word else ""


def optional(ours: str, theirs: str | tuple[str, ...], codec: Codec) -> Line:
    """A line that is cut where the portal lacks the property."""
    return Line(ours, theirs, codec, optional=True)


def made(ours: str, theirs: str, codec: Codec = text) -> Line:
    """A line of a column that the connector makes."""
    return Line(ours, theirs, codec, derived=True)


ENVELOPE = (
    made("source_id", "@id", identifier),
    made("created_at", "@created_at", moment),
    made("updated_at", "@updated_at", moment),
    made("deleted", "@archived", boolean),
)

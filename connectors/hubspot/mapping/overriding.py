"""Points our columns at a portal's own properties, as its mapping file says, and refuses what could not be read."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any

from connectors.codecs import Codec, one_of, text, whole
from connectors.hubspot.codecs import first_word, word_or
from connectors.hubspot.mapping.accounts import TYPES
from connectors.hubspot.mapping.activities import TASKS
from connectors.hubspot.mapping.declaring import Declared
from connectors.hubspot.mapping.opportunities import KINDS as DEAL_KINDS
from connectors.hubspot.mapping.service import KINDS as CASE_KINDS
from connectors.hubspot.mapping.typing import SUITABLE, TEXTS, kind_of
from connectors.mapping import Line
from connectors.mapping_file import Choice, MappingInvalid, Overrides, is_private, offer
from kammodel.publish.fields import OURS as WRITTEN

_WITHOUT_PROPERTY = {
    "contacts": (Line("department", "@none", text),),
    "products": (Line("family", "@none", text),),
    "tickets": (Line("reopened_n", "@none", whole),),
}
"""Columns that no standard property, or none that every portal has, fills."""
_PAST = frozenset({"amount", "close_on", "stage_id", "pipeline_id"})
"""Columns of deals whose past is read from the history of HubSpot's own properties: two figures must not be mixed."""


@dataclass(frozen=True)
class _Worded:
    """A column of words of ours."""

    ours: tuple[str, ...]
    known: Map[str, str]
    otherwise: str | None = None

    def codec(self, words: Map[str, str]) -> Codec:
        meant = {theirs.lower(): ours for theirs, ours in {**self.known, **words}.items()}
        return one_of(meant, otherwise=self.otherwise)


class _Several(_Worded):
    """A column whose property may hold several words."""

    def codec(self, words: Map[str, str]) -> Codec:
        return first_word({**self.known, **words}, otherwise=str(self.otherwise))


class _Filled(_Worded):
    """A column that has a word even where the property is blank."""

    def codec(self, words: Map[str, str]) -> Codec:
        return word_or({**self.known, **words}, otherwise=str(self.otherwise), blank=str(self.otherwise))


_WORDED: dict[tuple[str, str], _Worded] = {
    ("accounts", "type"): _Worded(
        ("customer", "prospect", "partner", "competitor", "internal", "other"), TYPES, otherwise="other"
    ),
    ("opportunities", "kind"): _Worded(("new", "expansion", "renewal"), DEAL_KINDS),
    ("tasks", "kind"): _Filled(("call", "email", "meeting", "note", "task", "message"), TASKS, otherwise="task"),
    ("tickets", "kind"): _Several(("problem", "question", "feature_request", "other"), CASE_KINDS, otherwise="other"),
}


def pointed(one: Declared, overrides: Overrides, definitions: Map[str, Map[str, Any]]) -> Declared:
    """The stream with the columns of the mapping file read from the properties that it names.

    `definitions`: the properties that HubSpot shows. Raises MappingInvalid for a column that we do not have or that
    cannot be chosen, and for a property that is not there, is hidden, or is of a type that does not fit.
    """
    choices = overrides.of(one.name)
    if not choices:
        return one
    choosing = _Choosing(one, overrides, definitions)
    lines = {line.ours: line for line in one.mapping.lines}
    lines |= {column: choosing.line(column, choice) for column, choice in choices.items()}
    return replace(one, mapping=replace(one.mapping, lines=tuple(lines.values())))


@dataclass(frozen=True)
class _Choosing:
    """The choices for one stream, of a kind of record with these properties."""

    stream: Declared
    overrides: Overrides
    definitions: Map[str, Map[str, Any]]

    def line(self, column: str, choice: Choice) -> Line:
        """The line that reads a column from the chosen property."""
        extra = [line for line in _WITHOUT_PROPERTY.get(self.stream.name, ()) if line.ours == column]
        line = next((line for line in (*self.stream.mapping.lines, *extra) if line.ours == column), None)
        free = [ln.ours for ln in (*self.stream.mapping.lines, *extra) if self._may_be_chosen(ln)]
        if line is None:
            raise self._fault(column, f"there is no such column{offer(column, free)}")
        if column not in free:
            raise self._fault(column, f"this column cannot be read from another property{offer('', free)}")
        self._check(column, choice.field, line)
        worded = _WORDED.get((self.stream.name, column))
        if worded is not None:
            return Line(column, choice.field, worded.codec(self._words(column, choice.words or {}, worded)))
        if choice.words is not None:
            raise self._fault(column, f'words are for columns of ours that hold words: write {column} = "..."')
        return Line(column, choice.field, line.codec)

    def _may_be_chosen(self, line: Line) -> bool:
        is_past = self.stream.name == "opportunities" and line.ours in _PAST
        is_theirs = not line.derived and isinstance(line.theirs, str)
        worded = (self.stream.name, line.ours) in _WORDED
        return not is_past and is_theirs and (worded or kind_of(line.codec) in SUITABLE)

    def _check(self, column: str, named: str, line: Line) -> None:
        definition = self.definitions.get(named)
        if definition is None:
            hint = offer(named, self.definitions) or "; its internal name stands in Settings, Properties"
            where = f"{self.stream.kind} have no property {_shown(named)} that HubSpot shows to this token"
            raise self._fault(column, where + hint)
        if named in {field.hubspot_name for field in WRITTEN}:
            raise self._fault(column, f"{named} is written by kam itself; choose a property that people fill")
        if is_private(self.stream.kind, named):
            raise self._fault(column, f"{named} tells who somebody is or what was written, which kam does not read")
        told = definition.get("type")
        suitable = TEXTS | {"bool"} if (self.stream.name, column) in _WORDED else SUITABLE[kind_of(line.codec)]
        if told is not None and told not in suitable:
            fitting = ", ".join(sorted(suitable))
            raise self._fault(column, f"{named} is of type {told!s:.40}; {column} needs {fitting}")

    def _words(self, column: str, words: Map[str, str], worded: _Worded) -> Map[str, str]:
        seen: dict[str, str] = {}
        for theirs, ours in words.items():
            if ours not in worded.ours:
                raise self._fault(f"{column}.words", f"{_shown(ours)} is no word of ours{offer(ours, worded.ours)}")
            if seen.setdefault(theirs.lower(), ours) != ours:
                text_ = f"{_shown(theirs)} stands for two words of ours; case makes no difference"
                raise self._fault(f"{column}.words", text_)
        return words

    def _fault(self, key: str, told: str) -> MappingInvalid:
        return self.overrides.fault((self.stream.name, key), told, self.stream.mapping.entity)


def _shown(theirs: str) -> str:
    """Text of a file, on one line."""
    return theirs if theirs.isprintable() else theirs.encode("unicode_escape").decode()

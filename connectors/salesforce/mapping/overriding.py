"""Points our columns at an org's own fields, as its mapping file says, and refuses what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.codecs import Codec, boolean, instant, money, one_of, text, whole
from connectors.mapping import Line
from connectors.mapping_file import Choice, MappingInvalid, Overrides, is_private, offer
from connectors.salesforce.codecs import first_word, record_id
from connectors.salesforce.frames import Record
from connectors.salesforce.mapping.accounts import TYPES
from connectors.salesforce.mapping.activities import EVENT_KINDS, TASK_KINDS
from connectors.salesforce.mapping.declaring import Declared, is_made
from connectors.salesforce.mapping.opportunities import KINDS as DEAL_KINDS
from connectors.salesforce.mapping.service import KINDS as CASE_KINDS
from connectors.salesforce.mapping.typing import SUITABLE, kind_of
from kammodel.publish.fields import OURS as WRITTEN

_FIXED = frozenset({"source_id", "created_at", "updated_at", "deleted", "merged_into_id", "changed_at", "currency"})
_WITHOUT_FIELD = {
    "opportunities": (Line("loss_reason", "@none", text),),
    # Entitlements keep these in records of their own, CaseMilestone.
    "cases": (
        Line("first_response_at", "@none", instant),
        Line("sla_due_at", "@none", instant),
        Line("is_sla_met", "@none", boolean),
        Line("reopened_n", "@none", whole),
    ),
    "contracts": (
        Line("amount", "@none", money),
        Line("is_auto_renewed", "@none", boolean),
        Line("notice_days", "@none", whole),
        Line("renewed_by_id", "@none", record_id),
    ),
    "accounts": (
        Line("lifecycle_stage", "@none", text),
        Line("is_target", "@none", boolean),
        Line("icp_tier", "@none", text),
    ),
}
"""Columns that no standard field fills."""
_PAST = frozenset({"amount", "probability", "close_on"})
HISTORY = "opportunity_history"


@dataclass(frozen=True)
class _Worded:
    """A column of words of ours. `beside`: the chosen field comes first, then those that count without it."""

    ours: tuple[str, ...]
    known: Mapping[str, str]
    otherwise: str | None = None
    beside: bool = False

    def codec(self, words: Mapping[str, str]) -> Codec:
        meant = {**self.known, **{theirs.lower(): ours for theirs, ours in words.items()}}
        if self.beside:
            return first_word(meant, otherwise=str(self.otherwise))
        return one_of(meant, otherwise=self.otherwise)


_TOUCHES = ("call", "email", "meeting", "note", "task", "message", "mass_email")
_WORDED = {
    ("accounts", "type"): _Worded(
        ("customer", "prospect", "partner", "competitor", "internal", "other"), TYPES, otherwise="other"
    ),
    ("opportunities", "kind"): _Worded(("new", "expansion", "renewal"), DEAL_KINDS),
    ("tasks", "kind"): _Worded(_TOUCHES, TASK_KINDS, otherwise="task", beside=True),
    ("events", "kind"): _Worded(_TOUCHES, EVENT_KINDS, otherwise="meeting", beside=True),
    ("cases", "kind"): _Worded(("problem", "question", "feature_request", "other"), CASE_KINDS, otherwise="other"),
}


def pointed(one: Declared, overrides: Overrides, fields: Mapping[str, Record]) -> Declared:
    """The stream with the columns of the mapping file read from the fields that it names.

    `fields` is what describe shows of the object. Raises MappingInvalid for a column that we do not have or that
    cannot be chosen, and for a field that is not there, is hidden, or is of a type that does not fit.
    """
    if one.name == HISTORY:
        return replace(one, mapping=replace(one.mapping, lines=tuple(_with_past(one.mapping.lines, overrides))))
    choosing = _Choosing(one, overrides, fields)
    lines = {line.ours: line for line in one.mapping.lines}
    lines |= {column: choosing.line(column, choice) for column, choice in overrides.of(one.name).items()}
    return replace(one, mapping=replace(one.mapping, lines=tuple(lines.values())))


def unknown_past(overrides: Overrides) -> dict[str, str]:
    """What the history of opportunities cannot tell, since Salesforce keeps the past of its own fields only."""
    chosen = overrides.of("opportunities")
    return {
        f"{HISTORY}.{column}": f"opportunities.{column} is read from {chosen[column].field}, whose past Salesforce "
        "does not keep: figures as of a past day do not know it"
        for column in sorted(_PAST & chosen.keys())
    }


def _with_past(lines: Iterable[Line], overrides: Overrides) -> list[Line]:
    """Less the columns that speak of another field than the opportunities now do: two figures must not be mixed."""
    lost = _PAST & overrides.of("opportunities").keys()
    return [line for line in lines if line.ours.removeprefix("prev_") not in lost]


@dataclass(frozen=True)
class _Choosing:
    """The choices for one stream, of an object with these fields."""

    stream: Declared
    overrides: Overrides
    fields: Mapping[str, Record]

    def line(self, column: str, choice: Choice) -> Line:
        """The line that reads a column from the chosen field."""
        lines = (*self.stream.mapping.lines, *_WITHOUT_FIELD.get(self.stream.name, ()))
        line = next((line for line in lines if line.ours == column), None)
        free = [line.ours for line in lines if self._may_be_chosen(line)]
        if line is None:
            raise self._fault(column, f"there is no such column{offer(column, free)}")
        if column not in free:
            raise self._fault(column, f"this column cannot be read from another field{offer('', free)}")
        theirs = self._field(column, choice.field, line)
        worded = _WORDED.get((self.stream.name, column))
        if worded is None:
            if choice.words is not None:
                raise self._fault(column, f'words are for columns of ours that hold words: write {column} = "{theirs}"')
            return Line(column, theirs, line.codec, optional=True)
        codec = worded.codec(self._words(column, choice.words or {}, worded.ours))
        columns = tuple(dict.fromkeys((theirs, *line.columns))) if worded.beside else theirs
        return Line(column, columns, codec, optional=True)

    def _may_be_chosen(self, line: Line) -> bool:
        single = isinstance(line.theirs, str) and (not is_made(line.theirs) or line.theirs == "@none")
        worded = (self.stream.name, line.ours) in _WORDED
        return line.ours not in _FIXED and (single or worded) and kind_of(line.codec) in SUITABLE

    def _field(self, column: str, named: str, line: Line) -> str:
        """The field's own spelling. Only what describe has shown gets into a query."""
        theirs = {name.lower(): name for name in self.fields}.get(named.lower())
        if theirs is None:
            hint = offer(named, self.fields) or "; its API name stands in Setup, Object Manager, Fields & Relationships"
            where = f"{self.stream.kind} shows this user no field {_shown(named)} (not there, or field-level security)"
            raise self._fault(column, where + hint)
        if theirs in {field.salesforce_name for field in WRITTEN}:
            raise self._fault(column, f"{theirs} is written by kam itself; choose a field that people fill")
        if is_private(self.stream.kind, theirs):
            raise self._fault(column, f"{theirs} tells who somebody is or what was written, which kam does not read")
        told, suitable = self.fields[theirs].get("type"), SUITABLE[kind_of(line.codec)]
        if told is not None and told not in suitable:
            fitting = ", ".join(sorted(suitable))
            raise self._fault(column, f"{theirs} is of type {_shown(str(told))}; this column needs one of {fitting}")
        self._check_target(column, theirs, line)
        return theirs

    def _check_target(self, column: str, theirs: str, line: Line) -> None:
        """A lookup has to lead to the kind of record that the column is about."""
        wanted = _targets(self.fields.get(line.columns[0])) if kind_of(line.codec) == "salesforce_id" else set()
        leads = _targets(self.fields.get(theirs))
        if wanted and leads and not wanted & leads:
            needed = ", ".join(sorted(wanted))
            raise self._fault(column, f"{theirs} leads to {', '.join(sorted(leads))}; this column needs {needed}")

    def _words(self, column: str, words: Mapping[str, str], known: Sequence[str]) -> Mapping[str, str]:
        seen: dict[str, str] = {}
        for theirs, ours in words.items():
            if ours not in known:
                text = f"{_shown(theirs)} stands for {_shown(ours)}, which is no word of ours{offer(ours, known)}"
                raise self._fault(f"{column}.words", text)
            if seen.setdefault(theirs.lower(), ours) != ours:
                text = f"{_shown(theirs)} stands for two words of ours; case makes no difference"
                raise self._fault(f"{column}.words", text)
        return words

    def _fault(self, key: str, text: str) -> MappingInvalid:
        return self.overrides.fault((self.stream.name, key), text, self.stream.mapping.entity)


def _targets(field: Record | None) -> set[str]:
    told = field.get("referenceTo") if field else None
    return {str(kind) for kind in told} if isinstance(told, list) else set()


def _shown(theirs: str) -> str:
    """Text of a file or an org, on one line."""
    return theirs.encode("unicode_escape").decode() if not theirs.isprintable() else theirs

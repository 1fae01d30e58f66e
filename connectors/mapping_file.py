"""The mapping file: which fields of an org fill columns of ours (KAM_MAPPING_FILE, TOML).

    [salesforce.accounts]
    strategic_value = "Strategic_Rating__c"

    [salesforce.opportunities]
    kind = { field = "Deal_Type__c", words = { "Neugeschäft" = "new" } }

A section names a CRM and one of its streams, a key a column of ours. Whether such streams, columns and fields exist is
for the connector to check, which knows the org.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from kammodel.entities import Sourced
from kammodel.errors import NotConfigured

_Word = Annotated[str, Field(min_length=1)]


class MappingInvalid(NotConfigured):
    """The mapping file cannot be used as it stands; the text names the file, the key and what to do.

    `place`: stream and column, where it is about one; `entity`: what the column is of.
    """

    def __init__(self, text: str, place: tuple[str, ...] = (), entity: type[Sourced] | None = None) -> None:
        super().__init__(text)
        self.place, self.entity = place, entity


class Choice(BaseModel):
    """The field that fills a column; `words`: what its values stand for, compared without case."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    field: _Word
    words: dict[_Word, _Word] | None = None


def _spelled_out(given: Any) -> Any:
    return {"field": given} if isinstance(given, str) else given


_SHAPE = TypeAdapter(dict[str, dict[str, dict[str, Annotated[Choice, BeforeValidator(_spelled_out)]]]])


@dataclass(frozen=True)
class Overrides:
    """The choices for one CRM, by stream and column. `file` is named in what is said of them."""

    file: str = ""
    crm: str = ""
    streams: Mapping[str, Mapping[str, Choice]] | None = None

    def of(self, stream: str) -> Mapping[str, Choice]:
        return (self.streams or {}).get(stream, {})

    def check_streams(self, known: Iterable[str]) -> None:
        """Raises MappingInvalid for a stream that the CRM does not have."""
        names = sorted(known)
        for stream in self.streams or {}:
            if stream not in names:
                raise self.fault((stream,), f"there is no such stream{offer(stream, names)}")

    def fault(self, place: tuple[str, ...], text: str, entity: type[Sourced] | None = None) -> MappingInvalid:
        """What to raise about a stream or column: one line with file and key."""
        return MappingInvalid(f"{self.file}, {_key((self.crm, *place))}: {text}", place, entity)


NONE = Overrides()


def is_private(kind: str, field: str) -> bool:
    """Whether a field of a record tells who somebody is, or what was written to them: no column is read from it, so
    that a mapping file cannot undo what `privacy` promises. `kind` and `field` as the CRM names them, in any case."""
    own, name = kind.lower(), field.lower()
    of_person = own in _PERSONS and (name in _NAMES or any(part in name for part in _OF_PERSONS))
    of_talk = own in _TALKS and any(part in name for part in _OF_TALKS)
    return of_person or of_talk


_PERSONS = frozenset({"contact", "contacts"})
_NAMES = frozenset({"name", "firstname", "middlename", "lastname", "nickname"})
_OF_PERSONS = ("email", "phone", "mobile", "birth", "street", "address", "salutation", "photo")
_TALKS = frozenset(
    {"task", "event", "case", "calls", "emails", "meetings", "notes", "tasks", "communications", "tickets"}
)
_OF_TALKS = (
    "subject",
    "body",
    "description",
    "comments",
    "html",
    "_text",
    "headers",
    "content",
    "preview",
    "transcript",
)


def offer(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says a name is unknown: the nearest one, else all of them if they are few."""
    lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), lower, n=1)
    if near:
        return f"; did you mean {lower[near[0]]}?"
    return f"; known are {', '.join(sorted(lower.values()))}" if 0 < len(lower) <= 25 else ""


def read_mapping_file(path: Path, crms: Iterable[str]) -> dict[str, Overrides]:
    """The choices of a file, by CRM. Raises MappingInvalid where it is missing, no TOML, or of another shape."""
    text = _text(path)
    try:
        given = _SHAPE.validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise MappingInvalid(f"{path} (KAM_MAPPING_FILE) is no TOML: {fault}") from None
    except ValidationError as fault:
        raise MappingInvalid(f"{path}, {_first(fault)}") from None
    known = tuple(crms)
    for crm in given:
        if crm not in known:
            raise MappingInvalid(f"{path}, {_key([crm])}: there is no such CRM{offer(crm, known)}")
    return {crm: Overrides(str(path), crm, streams) for crm, streams in given.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise MappingInvalid(f"{path} (KAM_MAPPING_FILE) is not UTF-8 text") from None
    except OSError as fault:
        raise MappingInvalid(f"{path} (KAM_MAPPING_FILE) cannot be read: {fault.strerror}") from None


def _first(fault: ValidationError) -> str:
    """Where the first mistake is, and what belongs there; its value is not repeated."""
    first = fault.errors(include_input=False, include_url=False, include_context=False)[0]
    place = [str(part) for part in first["loc"]]
    key = _key(place) or "the file"
    if first["type"] == "extra_forbidden":
        return f"{key}: only field and words may stand here"
    if len(place) < 3:
        return f'{key}: a section is needed, such as [salesforce.accounts] with strategic_value = "Rating__c"'
    return f'{key}: a field\'s name is needed, "Rating__c" or {{ field = "Rating__c", words = {{ "A" = "new" }} }}'


def _key(place: Iterable[str]) -> str:
    """A key as it stands in the file, on one line whatever it holds."""
    return ".".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in place)

"""The dialect of a job's CSV: what stands between values, and how lines end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.salesforce.refusals import error

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True)
class Dialect:
    """By the names of the API."""

    delimiter_name: str = "COMMA"
    line_ending_name: str = "LF"

    @property
    def delimiter(self) -> str:
        """Between two values."""
        return DELIMITERS[self.delimiter_name]

    @property
    def line_ending(self) -> str:
        """After each row."""
        return LINE_ENDINGS[self.line_ending_name]

    def shown(self) -> dict[str, str]:
        """As a job says it."""
        return {"lineEnding": self.line_ending_name, "columnDelimiter": self.delimiter_name}


def dialect_of(body: Mapping[str, Any]) -> Dialect:
    """The dialect that a new job asks for. Raises Refusal 400."""
    if body.get("contentType", "CSV") != "CSV":
        raise error(400, "INVALIDJOB", f"Invalid contentType: {body['contentType']}")
    found = Dialect(body.get("columnDelimiter", "COMMA"), body.get("lineEnding", "LF"))
    if found.delimiter_name not in DELIMITERS:
        raise error(400, "INVALIDJOB", f"Invalid columnDelimiter: {found.delimiter_name}")
    if found.line_ending_name not in LINE_ENDINGS:
        raise error(400, "INVALIDJOB", f"Invalid lineEnding: {found.line_ending_name}")
    return found

"""Reads the body of an answer: as JSON, or, where there are many values and few fields, straight into columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from connectors.errors import AnswerUnclear, UnexpectedAnswer
from connectors.hubspot.transport import Sent


@dataclass(frozen=True)
class Answer:
    """A 2xx answer: its status and its JSON object, empty where there was no body."""

    status: int
    body: dict[str, Any]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The rows of an answer that must have some."""
        rows = self.body.get("results")
        if not isinstance(rows, list) or not set(map(type, rows)) <= {dict}:
            raise UnexpectedAnswer("HubSpot sent no list of results where its documentation promises one")
        return rows

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The single errors of a 207."""
        errors = self.body.get("errors")
        return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def has_rows(answer: Answer) -> None:
    """A check for an answer that must have some: raises UnexpectedAnswer."""
    _ = answer.results


def read_json(sent: Sent, call: str) -> Answer:
    """Raises AnswerUnclear where the body is no JSON, or not all of it; UnexpectedAnswer where it is no object,
    or one that says nothing: HubSpot sends no such thing, something before it may."""
    if sent.status == 204:
        return Answer(204, {})
    try:
        body = orjson.loads(sent.raw)
    except orjson.JSONDecodeError:
        text = f"HubSpot answered {call} with {sent.status} and no JSON, or only part of it"
        raise AnswerUnclear(text, status=sent.status) from None
    if not isinstance(body, dict) or not body:
        raise UnexpectedAnswer(f"HubSpot answered {call} with JSON that is no object, or empty", status=sent.status)
    return Answer(sent.status, body)


Mend = Callable[[dict[str, Any]], dict[str, Any]]


def read_columns(sent: Sent, call: str, shape: pl.Struct, mend: Mend | None = None) -> pl.DataFrame:
    """The object as one row with the fields of `shape`, others left out; a number is text where the shape says so.

    No Python object for each value: a quarter of the time for answers of many small objects. Raises as read_json, and
    UnexpectedAnswer where a value is neither null nor of its shape; `mend` may bring such an object into it.
    """
    row = _as_row(sent.raw, shape)
    if row is None or set(row.null_count().row(0)) == {1}:
        body = read_json(sent, call).body
        row = _as_row(orjson.dumps(mend(body)), shape) if mend else None
    if row is None:
        raise UnexpectedAnswer(f"HubSpot answered {call} otherwise than it documents", status=sent.status)
    return row


def _as_row(raw: bytes, shape: pl.Struct) -> pl.DataFrame | None:
    try:
        row = pl.Series([raw.decode()]).str.json_decode(shape).struct.unnest()
    except (pl.exceptions.ComputeError, UnicodeDecodeError):
        return None
    return row if row.height == 1 else None

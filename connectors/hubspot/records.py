"""Reads records by id, and finds out what became of those that do not come back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import RequestRefused, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, has_rows
from connectors.hubspot.client import Client
from connectors.hubspot.mapping.declaring import MODIFIED

Record = dict[str, Any]
BATCH, BATCH_WITH_HISTORY = 100, 50
"""Records a call, in lists as in batch reads. https://developers.hubspot.com/docs/api-reference (2026-11-23)"""


@dataclass(frozen=True)
class Wish:
    """What to ask of each record of a kind (`companies`, `deals`, ...). `scope` is named if it is refused.
    `stamp`: the property that tells when it changed."""

    kind: str
    properties: tuple[str, ...]
    history: tuple[str, ...] = ()
    scope: str | None = None
    stamp: str = MODIFIED

    @property
    def size(self) -> int:
        return BATCH_WITH_HISTORY if self.history else BATCH

    def query(self) -> list[tuple[str, str | int]]:
        """As query parameters, each key repeated as hubspot-api-client does it."""
        asked: list[tuple[str, str | int]] = [("properties", name) for name in self.properties]
        return asked + [("propertiesWithHistory", name) for name in self.history]

    def body(self) -> dict[str, list[str]]:
        asked = {"properties": list(self.properties)}
        return asked | ({"propertiesWithHistory": list(self.history)} if self.history else {})


@dataclass
class Fetched:
    """`gone`: id -> the id of the record it was merged into, or None."""

    records: list[Record] = field(default_factory=list)
    gone: dict[str, str | None] = field(default_factory=dict)


def checked(record: Record) -> Record:
    """The record with its id as text; refused if it is none."""
    record_id, properties = record.get("id"), record.get("properties")
    if type(record_id) is str and record_id and type(properties) is dict:
        return record
    if type(record_id) is not int or type(properties) is not dict:
        raise UnexpectedAnswer("HubSpot sent a record without an id or without properties")
    return {**record, "id": str(record_id)}


def changed_at(record: Record, wish: Wish) -> dt.datetime | None:
    """When it was changed; None where that cannot be read."""
    return _instant(record["properties"].get(wish.stamp) or record.get("updatedAt"))


def was_archived(record: Record, since: dt.datetime) -> bool:
    """Whether it was put into the bin since then; an unknown time counts as just now, so that the row is read."""
    at = _instant(record.get("archivedAt"))
    return at is None or at >= since


def _instant(text: object) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def fetch(client: Client, wish: Wish, ids: Sequence[str]) -> Fetched:
    """The records with these ids. An id is gone only where HubSpot says so: what it merely leaves out is asked
    for again, alone in the end, because a batch that came short must not read as deletions."""
    fetched = Fetched()
    for chunk in chunks(ids, wish.size):
        left_out = _batch(client, wish, chunk, fetched)
        if left_out:
            left_out = _batch(client, wish, left_out, fetched)
        for record_id in left_out:
            _single(client, wish, record_id, fetched)
    return fetched


def chunks(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def not_found(answer: Answer) -> set[str]:
    """The ids that a 207 says do not exist (any more)."""
    told = [e for e in answer.errors if str(e.get("category")) == "OBJECT_NOT_FOUND"]
    return {i for error in told for i in context_ids(error)}


def context_ids(error: Record) -> list[str]:
    """One entry of a 207 may speak of many ids: those in `context.ids`, else its own."""
    context = error.get("context")
    named = (context.get("ids") or context.get("id") or []) if isinstance(context, dict) else []
    listed = named if isinstance(named, list) else [named]
    return [str(i) for i in listed] or ([str(error["id"])] if error.get("id") else [])


def _is_one(answer: Answer) -> None:
    checked(answer.body)


def _batch(client: Client, wish: Wish, ids: Sequence[str], fetched: Fetched) -> list[str]:
    body = {"inputs": [{"id": i} for i in ids], **wish.body()}
    answer = client.post(paths.batch_read(wish.kind), body, scope=wish.scope, check=has_rows)
    records = [checked(r) for r in answer.results]
    fetched.records += records
    lost = not_found(answer) & set(ids)
    fetched.gone |= dict.fromkeys(lost)
    answered = lost | {r["id"] for r in records}
    return [i for i in ids if i not in answered]


def _single(client: Client, wish: Wish, record_id: str, fetched: Fetched) -> None:
    try:
        answer = client.get(paths.one(wish.kind, record_id), wish.query(), scope=wish.scope, check=_is_one)
    except RequestRefused as fault:
        if fault.status != 404:
            raise
        fetched.gone[record_id] = None
        return
    record = checked(answer.body)
    if record["id"] == record_id:
        fetched.records.append(record)
    else:
        # An old id still answers after a merge, with the record that survived.
        fetched.gone[record_id] = record["id"]

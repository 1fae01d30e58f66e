"""One request, taken apart: its path, query and body, each checked so that nothing unknown passes unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.sandbox.hubspot.kinds import Kind, kind_of
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.refusals import Json, invalid, invalid_json, not_inferred, unknown_to_sandbox


@dataclass(frozen=True)
class Reply:
    """What a handler answers; `body` None is no body at all."""

    status: int
    body: Json | None = None


@dataclass(frozen=True)
class Ask:
    """A request to a portal. `version` is the one in the path: `v3`, `v4`, or a date such as `2026-09`.

    `query` has every parameter with all its values. `link` is scheme, host and path, for paging links.
    """

    portal: Portal
    version: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]] = field(default_factory=dict)
    raw: bytes = b""
    link: str = ""
    host: str = ""

    def kind(self, name: str = "kind") -> Kind:
        """The kind of record that a part of the path names. Raises a Refusal where the portal has none such."""
        return self.known(self.path[name])

    def known(self, word: str) -> Kind:
        """The kind with that name. Raises a Refusal where the portal has none such."""
        kind = known_kind(word)
        if kind.name in self.portal.settings.absent_kinds:
            raise not_inferred(word)
        return kind

    def many(self, name: str) -> list[str]:
        """A list parameter: repeated, separated by commas, or both."""
        return [part for value in self.query.get(name, ()) for part in value.split(",") if part]

    def one(self, name: str) -> str | None:
        """The last value of a parameter; None where it is absent or empty."""
        values = self.query.get(name)
        return (values[-1] or None) if values else None

    def flag(self, name: str) -> bool:
        """A truth value in any case, false where absent."""
        word = (self.one(name) or "false").lower()
        if word not in {"true", "false"}:
            raise invalid(f"{name} is neither true nor false")
        return word == "true"

    def whole(self, name: str, otherwise: int) -> int:
        """A whole number of at least 0."""
        word = self.one(name)
        if word is None:
            return otherwise
        if not (word.isascii() and word.isdigit()):
            raise invalid(f"Invalid {name}: it is no whole number")
        return int(word)

    def limit(self, otherwise: int, most: int) -> int:
        """The `limit` parameter, from 1 to `most`."""
        limit = self.whole("limit", otherwise)
        if not 1 <= limit <= most:
            raise invalid(f"Invalid limit {limit}: it must be between 1 and {most}")
        return limit

    def body(self, *known: str) -> Json:
        """The JSON object of the body, which may have these keys."""
        return checked_object(self._json(), known, "the body")

    def entries(self) -> Any:
        """The body where it is a list, for whoever checks it."""
        return self._json()

    def _json(self) -> Any:
        try:
            return orjson.loads(self.raw or b"")
        except orjson.JSONDecodeError as fault:
            raise invalid_json(fault.lineno, fault.colno, fault.msg) from None


def checked_object(value: Any, known: Iterable[str], where: str) -> Json:
    """A JSON object with no other keys than the known ones."""
    if not isinstance(value, dict):
        raise invalid(f"Invalid input JSON: {where} is no object")
    for key in value:
        if key not in known:
            raise unknown_to_sandbox(f"key {key} in {where}")
    return value


def listed(body: Json, key: str, most: int, *, least: int = 0) -> list[Any]:
    """A list of the body, of at most so many entries."""
    entries = body.get(key, [])
    if not isinstance(entries, list):
        raise invalid(f"Invalid input JSON: {key} is no list")
    if not least <= len(entries) <= most:
        raise invalid(f"{key} has {len(entries)} entries: the limit is {most}, and at least {least}")
    return entries


def texts(body: Json, key: str) -> list[str]:
    """A list of texts of the body; empty where absent."""
    entries = listed(body, key, 10_000)
    if not all(isinstance(entry, str) for entry in entries):
        raise invalid(f"Invalid input JSON: {key} is no list of texts")
    return entries


def id_of(entry: Any, where: str, *more: str) -> str:
    """The id of an input: HubSpot takes it as text or as a number."""
    found = checked_object(entry, ("id", *more), where).get("id")
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise invalid(f"Invalid input JSON: {where} has no id")
    return str(found)


def known_kind(word: str) -> Kind:
    """The kind with that name. Raises a Refusal."""
    kind = kind_of(word)
    if kind is None:
        raise not_inferred(word)
    return kind

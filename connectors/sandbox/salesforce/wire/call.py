"""A call as handlers see it, and what they answer with."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import not_found, unknown_to_sandbox, unparsable
from connectors.sandbox.salesforce.table import Table

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer: a JSON body, or text of another kind."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    media_type: str = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Call:
    """A call that is signed in. `here` is the path of the version asked: `/services/data/v66.0`."""

    org: Org
    access: Access
    method: str
    here: str
    version: int
    parts: Mapping[str, str]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def table(self, name: str | None = None) -> Table:
        """The object named in the path, if the user may see it. Raises Refusal 404."""
        wanted = name or self.parts["sobject"]
        table = self.org.tables.get(wanted.lower())
        if table is None or table.sobject.since > self.version or not self.access.may(table.sobject, "Read"):
            raise not_found()
        return table

    def json(self) -> Any:
        """The body. Raises Refusal 400 where it is not JSON."""
        return parsed(self.body)

    def json_object(self, known: Collection[str] | None = None) -> Json:
        """The body as an object with no other keys than the known ones. Raises Refusal."""
        read = self.json()
        if not isinstance(read, dict):
            raise unparsable("The HTTP entity body must contain a JSON object at [line:1, column:1]")
        if known is not None:
            only(read, known)
        return read


def parsed(body: bytes) -> Any:
    """JSON. Raises Refusal 400."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise unparsable(f"{problem.msg} at [line:{problem.lineno}, column:{problem.colno}]") from problem


def only(read: Mapping[str, Any], known: Collection[str], what: str = "JSON key") -> None:
    """Raise Refusal 500 for a key that the sandbox does not know."""
    for key in read:
        if key not in known:
            raise unknown_to_sandbox(f"{what} {key}")


def flag(value: Any, what: str) -> bool:
    """A boolean, which some clients send as text. Raises Refusal 400."""
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in {"true", "false"}:
        return str(value).strip().lower() == "true"
    raise unparsable(f"Cannot deserialize instance of boolean from value {value} for {what}")


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The body of a request, which may come gzipped. Raises Refusal."""
    if not encoding or encoding.lower() == "identity":
        return body
    if encoding.lower() != "gzip":
        raise unknown_to_sandbox(f"Content-Encoding {encoding}")
    try:
        return gzip.decompress(body)
    except (OSError, EOFError) as problem:
        raise unparsable(f"the body is not gzip: {problem}") from problem

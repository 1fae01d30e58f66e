"""Serves a CRM of which one page of records goes wrong on its way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import polars as pl
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Harm = Literal["lost", "cut", "twice", "again"]
"""Without its rows, without the last half of them, with each of them twice, with those of the page before instead: of
the same list, where it has an address of its own."""
HARMS: tuple[Harm, ...] = ("lost", "cut", "twice", "again")
_PAGES = re.compile(
    r"GET /crm/v3/objects/[^/]+$|POST /crm/v3/objects/[^/]+/(search|batch/read)$"
    r"|GET /services/data/v[\d.]+/(query|queryAll)(/.*)?$|GET /services/data/v[\d.]+/jobs/query/[^/]+/results$"
)
_LOCATOR = re.compile(r"(?<=/query/).*|(?<=/queryAll/).*")
_ROWS = ("results", "records")
Rows = list[Any]


@dataclass
class Spoilt:
    """Counts pages with rows by their place; the one at `place` is harmed, what the answer says around them is not."""

    inner: ASGIApp
    place: int | None = None
    harm: Harm = "lost"
    met: list[str] = field(default_factory=list)
    _last: dict[str, Rows] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = f"{scope.get('method')} {scope.get('path')}"
        if not _PAGES.match(called):
            await self.inner(scope, receive, send)
            return
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        # What is packed cannot be harmed.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.inner({**scope, "headers": plain}, receive, keep)
        body = self._harmed(called, b"".join(message.get("body", b"") for message in sent))
        start = next(message for message in sent if message["type"] == "http.response.start")
        told = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": [*told, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    def _harmed(self, called: str, body: bytes) -> bytes:
        rows, write = _of_json(body) if body[:1] in (b"{", b"[") else _of_csv(body)
        if not rows:
            return body
        self.met.append(called)
        of = _LOCATOR.sub("", called).rstrip("/")
        before = self._last.get(of)
        self._last[of] = rows
        if len(self.met) - 1 != self.place:
            return body
        again = before if before and _shape(before[0]) == _shape(rows[0]) else rows
        return write({"lost": [], "cut": rows[: len(rows) // 2], "twice": rows + rows, "again": again}[self.harm])


def _shape(row: Any) -> Any:
    return row.keys() if isinstance(row, dict) else len(row)


def _of_json(body: bytes) -> tuple[Rows, Callable[[Rows], bytes]]:
    told = orjson.loads(body)
    key = next((k for k in _ROWS if isinstance(told, dict) and isinstance(told.get(k), list)), "")
    return (told[key] if key else []), lambda kept: orjson.dumps({**told, key: kept})


def _of_csv(body: bytes) -> tuple[Rows, Callable[[Rows], bytes]]:
    frame = pl.read_csv(body, infer_schema=False) if body.strip() else pl.DataFrame()

    def write(kept: Rows) -> bytes:
        return pl.DataFrame(kept, frame.schema, orient="row").write_csv(quote_style="always").encode()

    return frame.rows(), write

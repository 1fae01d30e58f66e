"""Serves a sandbox CRM over HTTP on loopback, with its faults: the seam between ASGI apps and the network."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from connectors.sandbox.faults import Call, Fault, Faults

HOST = "127.0.0.1"
_EDGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

Refuse = Callable[[Fault, Request], Response | None]
"""The vendor's own answer to `429`, `429_retry_after`, `503` and `expired_token`; None: the call is not refused
that way (an expired token means nothing to the call that asks for one) and is answered as usual."""


class FaultyApp:
    """An app, with the faults that were asked for, and a log of what came in."""

    def __init__(self, app: ASGIApp, faults: Faults, refuse: Refuse) -> None:
        self.app, self.faults, self.refuse = app, faults, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        fault = self.faults.take(f"{request.method} {request.url.path}")
        noted = False

        def note(status: int) -> None:
            # Before the answer goes out: who has read it finds the call in the log.
            nonlocal noted
            if not noted:
                noted = True
                self.faults.note(Call(request.method, request.url.path, request.url.query, status, fault))

        try:
            await self._answer(fault, request, send, note)
        finally:
            note(0)

    async def _answer(self, fault: Fault | None, request: Request, send: Send, note: Callable[[int], None]) -> None:
        if fault == "dropped_before":
            await _drain(request)
            note(0)
            _transport(send).abort()
            return
        if fault in {"dropped_after", "truncated"}:
            answer = await _collected(self.app, request)
            note(0)
            if fault == "truncated":
                await _send_half(answer, send)
                _transport(send).close()
            else:
                _transport(send).abort()
            return
        refusal = self._refusal(fault, request) if fault else None
        if refusal is not None:
            await _drain(request)
            note(refusal.status_code)
            await refusal(request.scope, request.receive, send)
            return
        await _passed(self.app, request, send, note)

    def _refusal(self, fault: Fault, request: Request) -> Response | None:
        return HTMLResponse(_EDGE, 502) if fault == "html_502" else self.refuse(fault, request)


@dataclass(frozen=True)
class Served:
    """A CRM that is being served. `url` has no trailing slash."""

    url: str
    faults: Faults


@contextmanager
def served(app: ASGIApp, refuse: Refuse, *, port: int = 0) -> Iterator[Served]:
    """Serves an app on loopback until the block ends. Port 0 takes a free one."""
    faults = Faults()
    listener = _listen(port)
    config = uvicorn.Config(
        FaultyApp(app, faults, refuse),
        # Its cycle object carries the transport, which the faults have to cut.
        http=H11Protocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        # Its own configuration sets the level back for a moment, in which another server would begin to talk.
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server, listener), name="sandbox", daemon=True)
    thread.start()
    try:
        yield Served(f"http://{HOST}:{listener.getsockname()[1]}", faults)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    # Listening from here on: who connects before the loop runs waits in the queue, and nobody has to poll.
    listener.listen(128)
    return listener


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[listener]))


def _transport(send: Send) -> asyncio.Transport:
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle):
        raise TypeError("a connection can be cut under uvicorn's h11 protocol only")
    transport: asyncio.Transport = cycle.transport
    return transport


async def _drain(request: Request) -> None:
    await request.body()


async def _passed(app: ASGIApp, request: Request, send: Send, note: Callable[[int], None]) -> None:
    async def watching(message: Message) -> None:
        if message["type"] == "http.response.start":
            note(message["status"])
        await send(message)

    await app(request.scope, request.receive, watching)


@dataclass
class _Answer:
    start: dict[str, Any]
    body: bytes


async def _collected(app: ASGIApp, request: Request) -> _Answer:
    answer = _Answer({}, b"")

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.start = dict(message)
        else:
            answer.body += message.get("body", b"")

    await app(request.scope, request.receive, keep)
    return answer


async def _send_half(answer: _Answer, send: Send) -> None:
    headers = [(k, v) for k, v in answer.start["headers"] if k.lower() not in {b"content-length", b"transfer-encoding"}]
    headers.append((b"content-length", str(max(2, len(answer.body))).encode()))
    await send({**answer.start, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})

"""A HubSpot portal over HTTP: signs calls in, counts them, finds their handler, writes its answer."""

from __future__ import annotations

import asyncio
import gzip
import re
import uuid
from collections.abc import Mapping

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot.access import Tokens
from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.quotas import Quotas
from connectors.sandbox.hubspot.refusals import (
    Json,
    Refusal,
    error_body,
    expired_credentials,
    no_such_path,
    search_exceeded,
    unknown_to_sandbox,
    window_exceeded,
)
from connectors.sandbox.hubspot.routes import Match, Router, canonical, routes
from connectors.sandbox.hubspot.searching import Searches
from connectors.sandbox.hubspot.troubles import edge_page, is_of_the_edge, troubled

_LONGEST_TARGET = 16_200
_WORTH_PACKING = 500
_PAGE = re.compile(r"(GET /crm/v3/objects/[^/]+|POST /crm/v3/objects/[^/]+/search)")


def hubspot_app(portal: Portal) -> ASGIApp:
    """The portal as an ASGI app. Strict: what it does not know is a 500 that names it."""
    return HubSpotApp(portal)


def refuse(fault: Fault, request: Request) -> Response | None:
    """HubSpot's own words for a fault on request; None where it means nothing to the call."""
    path = canonical(request.url.path.rstrip("/"))[0]
    if fault in {"429", "429_retry_after"}:
        body = search_exceeded() if path.endswith("/search") else window_exceeded()
        return _response(429, body, {"Retry-After": "1"} if fault == "429_retry_after" else {})
    if fault == "503":
        return _response(503, error_body("The service is temporarily unavailable", "SERVICE_UNAVAILABLE"), {})
    if fault == "empty_page" and _PAGE.fullmatch(f"{request.method} {path}"):
        return _response(200, {"total": 0, "results": []} if path.endswith("/search") else {"results": []}, {})
    if fault == "expired_token" and not path.startswith("/oauth/"):
        return _response(401, expired_credentials(0, iso(0)).body, {})
    return None


class HubSpotApp:
    """One portal with its tokens and quotas."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.tokens, self.quotas = Tokens(portal), Quotas(portal)
        self._router = Router(routes(self.tokens, self.quotas, Searches()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        if self.portal.settings.latency_s:
            await asyncio.sleep(self.portal.settings.latency_s)
        response = self._answer(request, raw)
        await response(scope, receive, send)

    def _answer(self, request: Request, raw: bytes) -> Response:
        headers: dict[str, str] = {}
        status = self.portal.troubles.take(f"{request.method} {request.url.path}")
        if status is not None:
            return _troubled(status)
        try:
            match = self._match(request)
            with self.portal.lock:
                if not match.route.open:
                    is_oauth = self.tokens.check(request.headers.get("authorization", ""))
                    headers = self.quotas.take(match.route.pool, is_oauth=is_oauth)
                reply = match.route.handler(self._ask(request, match, raw))
        except Refusal as refusal:
            return _response(refusal.status, refusal.body, headers | refusal.headers)
        return _reply(reply, headers, request.headers)

    def _match(self, request: Request) -> Match:
        path = request.url.path
        if len(path) + len(request.url.query) > _LONGEST_TARGET:
            raise Refusal(414, error_body("URI too long", "URI_TOO_LONG"))
        match = self._router.match(request.method, path)
        if match is None:
            raise unknown_to_sandbox(f"{request.method} {path}")
        if match.version not in self.portal.settings.families:
            raise no_such_path()
        return match

    def _ask(self, request: Request, match: Match, raw: bytes) -> Ask:
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name not in match.route.query:
                raise unknown_to_sandbox(f"query parameter {name} of {request.method} {request.url.path}")
            query.setdefault(name, []).append(value)
        host = self.portal.settings.link_base or f"{request.url.scheme}://{request.url.netloc}"
        return Ask(self.portal, match.version, match.path, query, raw, host + request.url.path, host)


def _troubled(status: int) -> Response:
    if is_of_the_edge(status):
        return HTMLResponse(edge_page(status), status)
    refusal = troubled(status)
    return _response(status, refusal.body, refusal.headers)


def _reply(reply: Reply, headers: Mapping[str, str], asked: Headers) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=dict(headers))
    return _response(reply.status, reply.body, headers, packed="gzip" in asked.get("accept-encoding", ""))


def _response(status: int, body: Json, headers: Mapping[str, str], *, packed: bool = False) -> Response:
    raw = orjson.dumps(body)
    told = {"X-HubSpot-Correlation-Id": str(body.get("correlationId") or uuid.uuid4()), **headers}
    if packed and len(raw) >= _WORTH_PACKING:
        # The quickest level: this runs on loopback, and shows only that a client can unpack.
        raw, told = gzip.compress(raw, compresslevel=1, mtime=0), told | {"Content-Encoding": "gzip"}
    return Response(raw, status, told, media_type="application/json;charset=utf-8")

"""A Salesforce org as an ASGI app: sign-in, versions, limits and headers around the handlers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.faults import Fault
from connectors.sandbox.salesforce.bulk.jobs import Jobs
from connectors.sandbox.salesforce.metadata.deploy import Deploys
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal, error, expired_session, not_found, unknown_to_sandbox
from connectors.sandbox.salesforce.wire.call import Call, Reply, only, unpacked
from connectors.sandbox.salesforce.wire.composite import Composite
from connectors.sandbox.salesforce.wire.paths import all_routes
from connectors.sandbox.salesforce.wire.routes import find
from connectors.sandbox.salesforce.wire.sessions import Sessions
from connectors.sandbox.salesforce.wire.soap import fault as soap_fault
from connectors.sandbox.salesforce.wire.soap import soap
from connectors.sandbox.salesforce.wire.token import revoke, token, userinfo

_VERSION = re.compile(r"/services/data/v(\d+)\.0(?:/(.*))?")
_SFORCE_HEADERS = frozenset(
    {
        "sforce-query-options",
        "sforce-call-options",
        "sforce-mru",
        "sforce-duplicate-rule-header",
        "sforce-auto-assign",
    }
)
_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DataStorageMB": 10_240,
    "FileStorageMB": 10_240,
}
_QUERY = re.compile(r"/services/data/v\d+\.0/query(All)?/?")
_NOTHING = {"totalSize": 0, "done": True, "records": []}
_SEASONS = {0: "Winter", 1: "Spring", 2: "Summer"}
_BIG = 1_000


class SalesforceApp:
    """Serves one org. `sessions`, `deploys` and `jobs` are open to tests and stories."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.sessions = Sessions(org)
        self.deploys = Deploys(org)
        self.jobs = Jobs(org)
        self._routes = all_routes(org, self.deploys, Composite(self.inner), self.jobs, self.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox does not speak {scope['type']}")
        request = Request(scope, receive)
        body = await request.body()
        with self.org.lock:
            response = self._respond(request, body)
        await response(scope, receive, send)

    def inner(self, call: Call, method: str, url: str, body: bytes) -> Reply:
        """Answer a call inside of another one; it is not counted."""
        path, _, query = url.partition("?")
        params = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        clean = {unquote(key): unquote(value.replace("+", " ")) for key, value in params.items()}
        found = _VERSION.fullmatch(path)
        try:
            if found is None:
                raise not_found()
            version = self._version(found[1])
            steps = [unquote(step) for step in (found[2] or "").split("/") if step]
            route, handler, parts = find(self._routes, method, steps)
            only(clean, route.params, "query parameter")
            here = f"/services/data/v{version}.0"
            return handler(Call(self.org, call.access, method, here, version, parts, clean, call.headers, body))
        except Refusal as refusal:
            return Reply(refusal.body, refusal.status, refusal.headers)

    def limits(self, call: Call) -> Reply:
        """What the org may use, and what is left of it."""
        most = call.org.settings.daily_api_requests
        answer = {name: {"Max": value, "Remaining": value} for name, value in _LIMITS.items()}
        answer |= self.jobs.limits()
        answer["DailyApiRequests"] = {"Max": most, "Remaining": most - self.sessions.used()}
        return Reply(answer)

    def _respond(self, request: Request, body: bytes) -> Response:
        too_long = self._too_long(request)
        if too_long is not None:
            return too_long
        headers = {name.lower(): value for name, value in request.headers.items()}
        counted = False
        try:
            sent = unpacked(body, headers.get("content-encoding"))
            reply, counted = self._route(request, headers, sent)
        except Refusal as refusal:
            reply = Reply(refusal.body, refusal.status, refusal.headers)
            counted = refusal.status != 401 and bool(_VERSION.fullmatch(request.url.path))
        return self._sent(reply, headers, counted=counted)

    def _route(self, request: Request, headers: Mapping[str, str], body: bytes) -> tuple[Reply, bool]:
        path = unquote(request.url.path)
        base = _base(request)
        if path.rstrip("/") == "/services/data" and request.method == "GET":
            return Reply(self._versions()), False
        if path.rstrip("/") == "/services/oauth2/token" and request.method == "POST":
            return token(self.org, self.sessions, headers, body, base), False
        if path.rstrip("/") == "/services/oauth2/revoke" and request.method == "POST":
            return revoke(self.sessions, body), False
        if path.rstrip("/") == "/services/oauth2/userinfo" and request.method == "GET":
            return userinfo(self.org, self.sessions.user_of(_session(headers))), False
        if path.startswith("/services/Soap/") and request.method == "POST":
            return soap(self.org, self.sessions, self.deploys, path, body=body, base=base), False
        found = _VERSION.fullmatch(request.url.path)
        if found is None:
            raise unknown_to_sandbox(f"path {request.method} {path}")
        return self._rest(request, headers, body, found), True

    def _rest(self, request: Request, headers: Mapping[str, str], body: bytes, found: re.Match[str]) -> Reply:
        version = self._version(found[1])
        access = self.org.access(self.sessions.user_of(_session(headers)))
        only({name: 1 for name in headers if name.startswith("sforce-")}, _SFORCE_HEADERS, "header")
        # The path as it came: a step may hold an escaped slash.
        raw = request.scope.get("raw_path", request.url.path.encode()).decode().partition("?")[0]
        steps = [unquote(step) for step in raw.split("/")[4:] if step]
        route, handler, parts = find(self._routes, request.method, steps)
        only(dict(request.query_params), route.params, "query parameter")
        if route.counted:
            self.sessions.count()
        here = f"/services/data/v{version}.0"
        params = dict(request.query_params)
        return handler(Call(self.org, access, request.method, here, version, parts, params, headers, body))

    def _version(self, text: str) -> int:
        oldest, newest = self.org.settings.versions
        version = int(text)
        if version < oldest:
            raise error(410, "UNSUPPORTED_API_VERSION", f"API version v{version}.0 has been retired")
        if version > newest:
            raise not_found()
        return version

    def _versions(self) -> list[dict[str, str]]:
        oldest, newest = self.org.settings.versions
        return [
            {"label": _label(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
            for n in range(oldest, newest + 1)
        ]

    def _too_long(self, request: Request) -> Response | None:
        """The edge's own answers, which are pages and not JSON."""
        limit = self.org.settings.uri_bytes
        uri = len(request.scope.get("raw_path", b"")) + len(request.scope.get("query_string", b""))
        if uri > limit:
            return HTMLResponse("<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", 414)
        if uri + sum(len(name) + len(value) + 4 for name, value in request.headers.raw) > limit:
            page = "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>"
            return HTMLResponse(page, 431)
        return None

    def _sent(self, reply: Reply, headers: Mapping[str, str], *, counted: bool) -> Response:
        out = dict(reply.headers)
        if counted:
            out["Sforce-Limit-Info"] = f"api-usage={self.sessions.used()}/{self.org.settings.daily_api_requests}"
        if reply.text is not None:
            content = reply.text.encode()
        elif reply.status == 204:
            return Response(status_code=204, headers=out)
        else:
            pretty = orjson.OPT_INDENT_2 if headers.get("x-prettyprint") == "1" else 0
            content = orjson.dumps(reply.body, option=pretty)
        if len(content) > _BIG and "gzip" in headers.get("accept-encoding", "").lower():
            content = gzip.compress(content, compresslevel=1)
            out["Content-Encoding"] = "gzip"
        return Response(content, reply.status, out, media_type=reply.media_type)


def salesforce_app(org: Org) -> ASGIApp:
    """The app of an org."""
    return SalesforceApp(org)


def refuse(fault: Fault, request: Request) -> Response | None:
    """Salesforce's answers to the faults. Being over the rate means too many long calls at once: a 403 here."""
    path = request.url.path
    if fault == "empty_page":
        is_page = request.method == "GET" and _QUERY.fullmatch(path)
        return Response(orjson.dumps(_NOTHING), media_type="application/json;charset=UTF-8") if is_page else None
    if fault == "expired_token":
        if path.startswith("/services/oauth2/") or "/Soap/u/" in path:
            return None
        expired = expired_session()
        if path.startswith("/services/Soap/"):
            return Response(soap_fault(expired.code, expired.message).text, 500, media_type="text/xml")
        return _refused(expired)
    if fault == "503":
        return _refused(error(503, "SERVER_UNAVAILABLE", "The server is currently unavailable to process your request"))
    limit = error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")
    return _refused(limit, {"Retry-After": "1"} if fault == "429_retry_after" else {})


def _session(headers: Mapping[str, str]) -> str:
    kind, _, session = headers.get("authorization", "").partition(" ")
    if kind not in {"Bearer", "OAuth"}:
        raise error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    return session.strip()


def _refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(refusal.body), refusal.status, dict(headers or {}), media_type="application/json;charset=UTF-8"
    )


def _base(request: Request) -> str:
    """The address that the caller knows this org by: an adapter that rewrites hosts says the original one."""
    original = request.headers.get("x-orig-host")
    return f"https://{original}" if original else f"{request.url.scheme}://{request.headers['host']}"


def _label(version: int) -> str:
    year, season = divmod(version - 2, 3)
    # v66 is Spring '26, v67 Summer '26, v68 Winter '27.
    return f"{_SEASONS[season]} '{(year + 5) % 100:02d}"

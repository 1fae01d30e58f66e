"""Several calls in one: composite and composite/batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson

from connectors.sandbox.salesforce.refusals import error, unknown_to_sandbox
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply, flag, only

_MOST = 25
_MOST_LARGE = 5
"""Queries and Collections among the calls of a composite. Not confirmed on a real org."""
_LARGE = re.compile(r"/services/data/v\d+\.0/(query|queryAll|composite/sobjects)(/|\?|$)")
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
Dispatch = Callable[[Call, str, str, bytes], Reply]


class Composite:
    """Handlers that make other handlers answer. `dispatch` answers one inner call and never raises Refusal."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    def batch(self, call: Call) -> Reply:
        """Independent calls, at most 25."""
        body = call.json_object({"haltOnError", "batchRequests"})
        requests = _listed(body, "batchRequests")
        results: list[Json] = []
        failed = False
        for request in requests:
            only(request, {"method", "url", "richInput"})
            if failed and flag(body.get("haltOnError", False), "haltOnError"):
                halted = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}]
                results.append({"statusCode": 412, "result": halted})
                continue
            url = "/services/data/" + str(request["url"]).removeprefix("/services/data/").lstrip("/")
            reply = self._dispatch(call, str(request["method"]), url, _bytes(request.get("richInput")))
            failed = failed or reply.status >= 400
            results.append({"statusCode": reply.status, "result": reply.body})
        return Reply({"hasErrors": failed, "results": results})

    def composite(self, call: Call) -> Reply:
        """Calls that may refer to what earlier ones answered."""
        body = call.json_object({"allOrNone", "collateSubrequests", "compositeRequest"})
        answered: dict[str, Any] = {}
        responses: list[Json] = []
        requests = _listed(body, "compositeRequest")
        if sum(bool(_LARGE.match(str(request.get("url")))) for request in requests) > _MOST_LARGE:
            raise error(400, "LIMIT_EXCEEDED", f"The limit of {_MOST_LARGE} queries and collections was exceeded")
        with call.org.lock:
            for request in requests:
                only(request, {"method", "url", "referenceId", "body", "httpHeaders"})
                reference = str(request["referenceId"])
                url = _filled(str(request["url"]), answered, in_url=True)
                sent = orjson.loads(_filled(orjson.dumps(request.get("body")).decode(), answered, in_url=False))
                if flag(body.get("allOrNone", False), "allOrNone") and str(request["method"]) != "GET":
                    raise unknown_to_sandbox("composite allOrNone over writes")
                if "/composite/sobjects" in url and not call.org.settings.composite_takes_collections:
                    refused = error(400, "INVALID_INPUT", "Collections are not supported in a composite request")
                    reply = Reply(refused.body, refused.status)
                else:
                    reply = self._dispatch(call, str(request["method"]), url, _bytes(sent))
                answered[reference] = reply.body
                one = {"body": reply.body, "httpHeaders": dict(reply.headers), "httpStatusCode": reply.status}
                responses.append({**one, "referenceId": reference})
        return Reply({"compositeResponse": responses})


def _listed(body: Json, key: str) -> list[Json]:
    requests = body.get(key)
    if not isinstance(requests, list) or not requests:
        raise error(400, "JSON_PARSER_ERROR", f"{key}: a list of requests is needed")
    if len(requests) > _MOST:
        raise error(400, "LIMIT_EXCEEDED", f"The limit of {_MOST} subrequests was exceeded")
    return requests


def _bytes(body: Any) -> bytes:
    return b"" if body is None else orjson.dumps(body)


def _filled(text: str, answered: dict[str, Any], *, in_url: bool) -> str:
    def one(match: re.Match[str]) -> str:
        value = answered.get(match[1])
        for name, place in re.findall(r"\.(\w+)|\[(\d+)\]", match[2]):
            value = value[name] if name else value[int(place)]  # type: ignore[index]
        return quote(str(value)) if in_url else str(value)

    return _REFERENCE.sub(one, text)

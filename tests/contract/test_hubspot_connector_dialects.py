"""A server may word its answers otherwise than the sandbox does: the HubSpot connector reads the same rows."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import AccountWrite, Slice
from connectors.sandbox.hubspot.ids import hubspot_id
from kammodel.publish.fields import FIELDS
from tests.contract.hubspot_copy import Copy, connected, read_all
from tests.contract.hubspot_world import NOW, Front, open_front, portal

ALPHA, GONE = str(hubspot_id("companies", 1)), str(hubspot_id("companies", 5))
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)
STREAMS = ("owners", "pipeline_stages", "exchange_rates", "accounts", "opportunities", "calls")
WRITTEN = tuple(f for f in FIELDS if f.key in {"tier", "score", "scored_on"})

Json = Any
Say = Callable[[str, Json], Json]


class Dialect:
    """The sandbox in other words: `say` changes bodies on their way out, `limit` shortens pages."""

    def __init__(self, app: ASGIApp, say: Say, limit: int | None = None) -> None:
        self.app, self.say, self.limit = app, say, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        if self.limit:
            scope, raw = _shortened(scope, raw, self.limit)
        start: Message = {}
        body = b""

        async def again() -> Message:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def keep(message: Message) -> None:
            nonlocal start, body
            start = message if message["type"] == "http.response.start" else start
            body += message.get("body", b"")

        headers = [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]
        await self.app({**scope, "headers": headers}, again, keep)
        told = orjson.dumps(self.say(request.url.path, orjson.loads(body))) if body else b""
        await Response(told, start["status"], media_type="application/json")(scope, receive, send)


def _shortened(scope: Scope, raw: bytes, limit: int) -> tuple[Scope, bytes]:
    query = [(k, str(limit) if k == "limit" else v) for k, v in parse_qsl(scope["query_string"].decode())]
    if scope["path"].endswith("/search"):
        raw = orjson.dumps(orjson.loads(raw) | {"limit": limit})
    return {**scope, "query_string": urlencode(query).encode()}, raw


def each(body: Json, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Json:
    """The body with every object in it changed, inner ones first."""
    if isinstance(body, dict):
        return change({key: each(value, change) for key, value in body.items()})
    return [each(part, change) for part in body] if isinstance(body, list) else body


def as_is(path: str, body: Json) -> Json:
    return body


def typed_values(path: str, body: Json) -> Json:
    """Ids and property values as JSON numbers and truth values."""

    def value(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        if text in {"true", "false"}:
            return text == "true"
        return int(text) if re.fullmatch(r"[1-9]\d*", text) else text

    def change(found: dict[str, Any]) -> dict[str, Any]:
        properties = found.get("properties")
        told = {"properties": {k: value(v) for k, v in properties.items()}} if isinstance(properties, dict) else {}
        return found | told | ({"id": value(found["id"])} if "id" in found else {})

    return each(body, change)


def links_as_text(path: str, body: Json) -> Json:
    """What the specification says: `toObjectId` and type ids as text."""
    return each(body, lambda found: {k: str(v) if k in {"toObjectId", "typeId"} else v for k, v in found.items()})


def bare(path: str, body: Json) -> Json:
    """Nothing that is not needed."""
    spare = {"url", "link", "startedAt", "completedAt", "numErrors", "correlationId", "status", "subCategory"}
    spare |= {"teams", "writePermissions", "sourceType", "sourceId", "updatedByUserId", "email"}

    def change(found: dict[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in found.items() if k not in spare or (k == "link" and "after" not in found)}
        return {k: v for k, v in kept.items() if (k, v) != ("archived", False)}

    return each(body, change)


def spelled_out(path: str, body: Json) -> Json:
    """Null where the sandbox leaves out, empty lists where it has none."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        if "results" in found:
            return {"paging": None, "errors": [], "numErrors": 0} | found
        return {"associations": None, "archivedAt": None} | found if "properties" in found else found

    return each(body, change)


def no_further(path: str, body: Json) -> Json:
    """`paging: {next: null}` on the last page."""
    return body | {"paging": {"next": None}} if "results" in body and "paging" not in body else body


def epoch_millis(path: str, body: Json) -> Json:
    """Property values and history in milliseconds, the envelope without milliseconds or with an offset."""
    moment = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z")

    def millis(text: Any) -> Any:
        if not (isinstance(text, str) and moment.fullmatch(text)):
            return text
        return str(int(dt.datetime.fromisoformat(text).timestamp() * 1000))

    def change(found: dict[str, Any]) -> dict[str, Any]:
        if isinstance(found.get("properties"), dict):
            told = {"properties": {k: millis(v) for k, v in found["properties"].items()}}
            ends = {k: found[k].replace(".000Z", "Z") for k in ("createdAt", "updatedAt", "archivedAt") if found.get(k)}
            return found | told | ends
        if "timestamp" in found:
            return found | {"timestamp": millis(found["timestamp"]), "value": millis(found["value"])}
        return found

    return each(body, change)


def unlinked_are_empty(path: str, body: Json) -> Json:
    """Records without links come with an empty list instead of an error entry."""
    if "/associations/" not in path:
        return body
    empty = [{"from": {"id": i}, "to": []} for e in body.get("errors", []) for i in e["context"]["fromObjectId"]]
    return {"results": [*body["results"], *empty]}


def unlinked_are_silent(path: str, body: Json) -> Json:
    """Records without links are left out."""
    return {"results": body["results"]} if "/associations/" in path and "results" in body else body


def errors_are_cut(path: str, body: Json) -> Json:
    """Only the first error entry is shown, `numErrors` counts all."""
    return body | {"errors": body["errors"][:1]} if body.get("errors") and "/associations/" in path else body


def missing_ids_apart(path: str, body: Json) -> Json:
    """One error entry for each missing id, under `id`."""
    if "/batch/" not in path or "/associations/" in path or not body.get("errors"):
        return body
    entries = [{"category": e["category"], "id": i} for e in body["errors"] for i in e["context"].get("ids", [])]
    return body | {"errors": entries, "numErrors": len(entries)}


DIALECTS: tuple[tuple[Say, int | None], ...] = (
    (typed_values, None),
    (links_as_text, None),
    (bare, None),
    (spelled_out, None),
    (no_further, None),
    (epoch_millis, None),
    (unlinked_are_empty, None),
    (unlinked_are_silent, None),
    (errors_are_cut, None),
    (missing_ids_apart, None),
    (as_is, 2),
)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def conversation(front: Front, say: Say, limit: int | None = None) -> tuple[Any, ...]:
    """A full load, changes, an increment, provisioning, a write, and what is held then."""
    there = front.show(portal())
    assert front.app is not None
    front.app = Dialect(front.app, say, limit)
    copy, held = Copy(), {}
    with connected(front) as connector:
        read_all(connector, copy, Slice(None, NOW + SECOND), STREAMS)
        there.clock.advance(HOUR)
        there.update("deals", hubspot_id("deals", 6), {"dealstage": "closedwon"})
        there.update("companies", ALPHA, {"numberofemployees": "300"})
        there.archive("calls", hubspot_id("calls", 1))
        read_all(connector, copy, Slice(NOW, NOW + HOUR + SECOND), STREAMS)
        provisioned = [connector.provision(FIELDS, "en") for _ in range(2)]
        writes = [AccountWrite(i, {"tier": "key", "score": "7.5", "scored_on": "2026-11-02"}) for i in (ALPHA, GONE)]
        outcomes = [(o.source_id, o.outcome) for batch in connector.write_fields(WRITTEN, writes) for o in batch]
        for frame in connector.read_fields(WRITTEN, [ALPHA, GONE]):
            held |= {row["source_id"]: row for row in frame.to_dicts()}
    return copy.tables, copy.rejects, provisioned, outcomes, held


@pytest.fixture(scope="module")
def plain(front: Front) -> tuple[Any, ...]:
    return conversation(front, as_is)


def test_the_plain_conversation(plain: tuple[Any, ...]) -> None:
    """What the others are measured against is itself right."""
    tables, rejects, provisioned, outcomes, held = plain
    assert (rejects, tables["account"][ALPHA]["employees"]) == ([], 300)
    assert tables["opportunity"][str(hubspot_id("deals", 6))]["status"] == "won"
    assert (len(provisioned[0].created), provisioned[1].created) == (len(FIELDS), ())
    assert outcomes == [(ALPHA, "written"), (GONE, "gone")]
    assert held == {ALPHA: {"source_id": ALPHA, "tier": "key", "score": "7.5", "scored_on": "2026-11-02"}}


@pytest.mark.parametrize(("say", "limit"), DIALECTS, ids=lambda part: getattr(part, "__name__", str(part)))
def test_other_words_give_the_same_rows(front: Front, plain: tuple[Any, ...], say: Say, limit: int | None) -> None:
    """Optional parts missing or spelled out, other types, other spellings of time, shorter pages than asked for."""
    told = conversation(front, say, limit)
    for part, (theirs, ours) in enumerate(zip(told, plain, strict=True)):
        assert theirs == ours, part

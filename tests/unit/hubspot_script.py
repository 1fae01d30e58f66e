"""A server that answers what a test tells it to, and a client of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from connectors.hubspot.client import Client
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience

TOKEN = "pat-eu1-secret"
FINE = (200, {}, {"results": [{"id": "1"}]})
Reply = tuple[int, dict[str, str], Any]


class Script:
    """Replies in order, the last one for ever after; and what was asked."""

    def __init__(self, *replies: Reply | str) -> None:
        self.replies, self.asked = list(replies), []
        self.waits: list[float] = []

    def next(self) -> Reply | str:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Handler(BaseHTTPRequestHandler):
    """Plays a script. `drop` closes the connection, `cut` sends half of what it announced."""

    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null") if length else None
        self.script.asked.append((self.command, self.path, dict(self.headers), body))
        reply = self.script.next()
        if reply == "drop":
            self.close_connection = True
            self.connection.close()
            return
        status, headers, content = (200, {}, {"results": []}) if reply == "cut" else reply
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw) * (2 if reply == "cut" else 1)))
        self.end_headers()
        self.wfile.write(raw)
        self.close_connection = reply == "cut"

    do_POST = do_PATCH = do_GET  # noqa: N815  the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def server(script: Script, parallel: int = 1) -> Iterator[Client]:
    """A client of a server that plays the script; one call at a time, since replies come in order."""
    handler = type("Scripted", (Handler,), {"script": script})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{listening.server_port}"
    settings = HubSpotSettings(base_url=url, access_token=TOKEN, parallel_calls=parallel)
    client = Client(settings, Patience(tries=3, sleep=script.waits.append))
    try:
        yield client
    finally:
        client.close()
        listening.shutdown()
        thread.join()
        listening.server_close()


def told(status: int, **body: Any) -> Reply:
    return status, {}, {"status": "error", "message": "a value of a stranger", "correlationId": "c-1", **body}

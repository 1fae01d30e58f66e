"""A Prefect server that goes away right after it was seen: one line says so."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.kam_process import begun, ended

HUBSPOT = {"KAM_HUBSPOT__ACCESS_TOKEN": "pat-x", "KAM_HUBSPOT__BASE_URL": "http://127.0.0.1:9"}


class Leaving(BaseHTTPRequestHandler):
    """Answers that it is well, and hangs up on all else."""

    def do_GET(self) -> None:
        if self.path.endswith("/health"):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_server_that_goes_away_is_told_in_one_line(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Leaving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/api"
        code, _, told = ended(
            begun(tmp_path, "score", PREFECT_API_URL=address, PREFECT_CLIENT_MAX_RETRIES="0", **HUBSPOT)
        )
        server.shutdown()
    assert code == 1
    assert told.count("\n") == 1, told
    assert f"the Prefect server at {address} answers no more" in told

"""What a Prefect server has scheduled of ours next; asked over HTTP alone, for importing Prefect takes two seconds."""

from __future__ import annotations

import base64
import json
import os
import urllib.request
from typing import Any

from flows.words import Words

_SECONDS = 10
_NEXT = {
    "sort": "EXPECTED_START_TIME_ASC",
    "limit": 1,
    "flows": {"name": {"like_": "kam-"}},
    "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
}


def next_run(say: Words) -> dict[str, str] | None:
    """The next run of ours on the Prefect server of PREFECT_API_URL, by its flow and deployment, and when it is due.
    `error`: why none can be told. None where no server is configured."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return None
    try:
        runs = _asked(address, "flow_runs/filter", _NEXT)
        if not runs:
            return {"error": say("s_nothing")}
        name = _asked(address, f"flows/{runs[0]['flow_id']}")["name"]
        if runs[0].get("deployment_id"):
            name += f"/{_asked(address, 'deployments/' + runs[0]['deployment_id'])['name']}"
        return {"name": str(name), "at": str(runs[0]["expected_start_time"])}
    except (OSError, ValueError, KeyError) as fault:
        return {"error": say("s_mute", fault=type(fault).__name__)}


def _asked(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    key = os.environ.get("PREFECT_API_AUTH_STRING")
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"} if key else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address.rstrip('/')}/{path}", data, headers)  # noqa: S310 - the user's own
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        return json.load(answer)

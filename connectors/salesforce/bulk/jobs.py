"""A job of the Bulk API 2.0: made, looked at until it ends, taken away.

simple-salesforce's bulk2 is not used: it renews no session, reads no null, knows no deleted rows, and loses the job
with the process. https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/ (read 2026-11-28)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from connectors.errors import AnswerUnclear, ConnectorError, RequestRefused, SliceLost, TryAgainLater
from connectors.salesforce import paths
from connectors.salesforce.client import Client

State = Literal["open", "under way", "complete", "failed"]

_STATES: dict[str, State] = {
    "Open": "open",
    "UploadComplete": "under way",
    "InProgress": "under way",
    "JobComplete": "complete",
    "Failed": "failed",
    "Aborted": "failed",
}
ENDED: tuple[State, ...] = ("complete", "failed")
_FIRST_WAIT, _LONGEST_WAIT, _MOST_LOOKS = 0.25, 30.0, 260
"""Seconds between two looks at a job, doubled each time, and looks: about two hours in all. Each look is a call."""
_CODE = re.compile(r"^\w+(?=\s*:)|\b[A-Z]+(?:_[A-Z]+)+\b")
"""The word in front of a message, and words spelled like codes within it."""


@dataclass(frozen=True)
class Job:
    """What Salesforce says of a job. `rows`: those it has worked on; `failed`: those of them it did not take.

    `reason`: why it failed, as codes; the vendor's text may quote our data.
    """

    id: str
    state: State
    rows: int | None = None
    failed: int = 0
    reason: str | None = None


def create(client: Client, kind: str, body: dict[str, Any], *, asks: str) -> Job:
    """A new job. It may be made twice if the answer gets lost: one that nobody looks for does no harm, and ends
    after seven days."""
    purpose: Literal["read", "write"] = "read" if kind == paths.QUERY_JOBS else "write"
    return _read(client.send("POST", kind, body, purpose=purpose, asks=asks, check=_check))


def look(client: Client, kind: str, job_id: str) -> Job:
    """The job as it is now. Raises SliceLost where Salesforce does not know it any more."""
    try:
        return _read(client.get(paths.job(kind, job_id)))
    except RequestRefused as fault:
        if fault.status == 404:
            raise SliceLost(f"Salesforce does not know the job {job_id[:18]} any more", status=404) from fault
        raise


def wait(client: Client, kind: str, job_id: str, looks: int = _MOST_LOOKS) -> Job:
    """The job once it has ended, one way or the other. What takes too long is left for a later run."""
    for seconds in islice(waits(), looks):
        found = look(client, kind, job_id)
        if found.state in ENDED:
            return found
        client.sleep(seconds)
    raise TryAgainLater(f"the job {job_id[:18]} is still under way in Salesforce; run again to go on with it")


def end(client: Client, kind: str, job_id: str, state: Literal["UploadComplete", "Aborted"]) -> None:
    """Says that all was sent, or that the job is not wanted. Said twice it is refused, which is fine."""
    try:
        client.send("PATCH", paths.job(kind, job_id), {"state": state})
    except RequestRefused as fault:
        if look(client, kind, job_id).state == "open":
            raise fault from None


def take_away(client: Client, kind: str, job_id: str) -> bool:
    """Gives the room for its results back, and says whether it is gone. What cannot be taken away goes by itself after
    seven days: no reason to lose what the job told."""
    with suppress(ConnectorError):
        client.delete(paths.job(kind, job_id))
        return True
    return False


def give_up(client: Client, kind: str, job_ids: Iterable[str]) -> list[str]:
    """Ends jobs that nobody will look for any more, and takes them away: one that goes on by itself would write over
    what a later run wrote. Returns those that are gone. While Salesforce does not answer they stay, and go after
    seven days."""
    gone: list[str] = []
    with suppress(ConnectorError):
        for job_id in job_ids:
            try:
                end(client, kind, job_id, "Aborted")
                # Only what has ended can be deleted.
                client.delete(paths.job(kind, job_id))
            except SliceLost:
                pass
            except RequestRefused as fault:
                if fault.status != 404:
                    continue
            gone.append(job_id)
    return gone


def _read(answer: Any) -> Job:
    _check(answer)
    told = str(answer.get("errorMessage") or "")
    return Job(
        id=answer["id"],
        state=_STATES.get(str(answer.get("state")), "under way"),
        rows=_count(answer.get("numberRecordsProcessed")),
        failed=_count(answer.get("numberRecordsFailed")) or 0,
        reason=", ".join(dict.fromkeys(_CODE.findall(told)))[:120] or None,
    )


def _check(answer: Any) -> None:
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise AnswerUnclear("Salesforce answered for a job without its id")


def _count(value: object) -> int | None:
    """A number of rows, spelled as a number or a text."""
    text = str(value)
    return int(text) if text.isdecimal() else None


def waits() -> Iterator[float]:
    """Seconds between two looks at a job, one after the other."""
    seconds = _FIRST_WAIT
    for _ in range(_MOST_LOOKS):
        yield seconds
        seconds = min(_LONGEST_WAIT, seconds * 2)

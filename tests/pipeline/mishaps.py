"""What can go wrong at a call of a run: a fault, an outage, the end of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool

from connectors.sandbox.faults import KINDS, Fault

Mishap = Fault | Literal["outage", "odd_200", "other_status", "day_over", "killed_before", "killed_after"]
"""`outage`: the edge answers eight calls in a row. `odd_200`: something before the CRM answers in its place, with an
empty JSON object. `other_status`: one of OTHERS, another from call to call. `day_over`: the calls of the day are
spent. `killed_*`: the process ends as a call is about to go out, or once it was carried out."""
KILLED: tuple[Mishap, ...] = ("killed_before", "killed_after")
MISHAPS: tuple[Mishap, ...] = (*KINDS, "outage", *KILLED)
ODD: Mishap = "odd_200"
OTHER_STATUS: Mishap = "other_status"
DAY_OVER: Mishap = "day_over"
OUTAGE = 8


class Killed(BaseException):
    """The end of the process, which nothing of ours catches."""


@dataclass
class _Between:
    """Stands between the connections and the CRM, and counts the calls, whichever thread makes them."""

    call: int
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def armed(self) -> Iterator[None]:
        carried = HTTPConnectionPool.urlopen

        def urlopen(pool: HTTPConnectionPool, *args: Any, **kwargs: Any) -> Any:
            return self.answer(self._number(), lambda: carried(pool, *args, **kwargs))

        with pytest.MonkeyPatch.context() as patch:
            # Beneath requests as beneath hubspot-api-client.
            patch.setattr(HTTPConnectionPool, "urlopen", urlopen)
            yield

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        raise NotImplementedError

    def _number(self) -> int:
        with self._lock:
            number, self.seen = self.seen, self.seen + 1
            return number


@dataclass
class Stop(_Between):
    """Ends the process at a call; what it tries to send afterwards goes nowhere."""

    after: bool = False

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        if number == self.call and self.after:
            carry().close()
        if number >= self.call:
            raise Killed
        return carry()


@dataclass(frozen=True)
class Answer:
    """What comes instead of the CRM's answer. `carried`: the CRM did what was asked all the same."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    carried: bool = False


_PAGE = b"<html><title>error</title></html>"
OTHERS = (
    Answer(423, b'{"status":"error","message":"locked","category":"LOCKED"}', {"Retry-After": "1"}),
    Answer(477, b'{"status":"error","message":"migrating","category":"MIGRATION_IN_PROGRESS"}', {"Retry-After": "1"}),
    Answer(500, b'{"status":"error","message":"internal error","correlationId":"0"}'),
    Answer(500, b'{"status":"error","message":"internal error","correlationId":"0"}', carried=True),
    Answer(504, _PAGE),
    Answer(504, _PAGE, carried=True),
    Answer(521, _PAGE),
    Answer(522, _PAGE),
    Answer(523, _PAGE),
    Answer(524, _PAGE, carried=True),
    Answer(530, _PAGE),
)
"""What hubspot.md (3.4) has beside the faults of the sandbox. After 500, 504 and 524 nobody knows what was done."""
_DAY_OVER = Answer(
    429,
    b'{"status":"error","message":"You have reached your daily limit.","policyName":"DAILY","errorType":"RATE_LIMIT"}',
)
INSTEAD: tuple[Mishap, ...] = (ODD, OTHER_STATUS, DAY_OVER)


def instead(mishap: Mishap, call: int) -> Instead:
    """What answers the call in place of the CRM."""
    if mishap == ODD:
        return Instead(call, answered=Answer(200, b"{}"))
    return Instead(call, answered=_DAY_OVER if mishap == DAY_OVER else OTHERS[call % len(OTHERS)])


@dataclass
class Instead(_Between):
    """Answers one call in place of the CRM."""

    answered: Answer = field(kw_only=True)

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        if number != self.call:
            return carry()
        if self.answered.carried:
            carry().close()
        headers = {"Content-Type": "application/json", **self.answered.headers}
        return HTTPResponse(self.answered.body, headers, self.answered.status, preload_content=True)

"""What HubSpot answers when something is in the way: statuses that are no fault of the call.

https://developers.hubspot.com/docs/api-reference/error-handling (read 2026-11-28). It names the statuses, not their
bodies: those of 423 and 477 are assumed to be of the usual shape, those of the edge (52x, 530) are pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.sandbox.hubspot.refusals import Refusal, error_body

MIGRATION_S = 3600
_WORDS = {
    423: ("The resource is locked. Please try again later.", "LOCKED"),
    477: ("This account is being moved to another data center.", "MIGRATION_IN_PROGRESS"),
    500: ("internal error", "INTERNAL_ERROR"),
    503: ("The service is temporarily unavailable", "SERVICE_UNAVAILABLE"),
    504: ("The request timed out", "GATEWAY_TIMEOUT"),
}


@dataclass
class Trouble:
    """The next `times` calls whose `METHOD path` contains `part` are answered with a status and are not done."""

    part: str
    status: int
    times: int = 1


class Troubles:
    """What is in the way of coming calls."""

    def __init__(self) -> None:
        self._planned: list[Trouble] = []

    def plan(self, part: str, status: int, *, times: int = 1) -> None:
        """Put something in the way."""
        self._planned.append(Trouble(part, status, times))

    def take(self, what: str) -> int | None:
        """The status with which a call, `METHOD path`, is answered instead; None where nothing is in its way."""
        for trouble in self._planned:
            if trouble.part in what:
                trouble.times -= 1
                if trouble.times < 1:
                    self._planned.remove(trouble)
                return trouble.status
        return None


def is_of_the_edge(status: int) -> bool:
    """Whether the network before HubSpot answers with such a status, with a page instead of JSON."""
    return status not in _WORDS


def troubled(status: int) -> Refusal:
    """HubSpot's own JSON for a status."""
    headers = {"Retry-After": str(MIGRATION_S)} if status == 477 else {}
    return Refusal(status, error_body(*_WORDS[status]), headers)


def edge_page(status: int) -> str:
    """The page of the edge for a status."""
    return f"<!DOCTYPE html><html><head><title>Error {status}</title></head><body><h1>{status}</h1></body></html>"

"""The quotas on a simulated clock: what is allowed is used, and HubSpot never has to refuse us."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.contract import CallCount
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from tests.contract.hubspot_world import Front, open_front, portal

USED = 0.85
"""Of the calls that a limit allows, what we use at least in the long run."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@dataclass
class Simulated:
    """A client for whom waiting is moving the portal's clock."""

    there: Portal
    client: Client

    def rate(self, call: Callable[[Client], object], calls: int) -> float:
        """Calls a second of that clock."""
        began = self.there.clock.now()
        for _ in range(calls):
            call(self.client)
        return calls / (self.there.clock.now() - began).total_seconds()


def simulated(front: Front, **limits: Any) -> Simulated:
    there = front.show(portal(None, rate_limits=True, **limits))

    def sleep(seconds: float) -> None:
        there.clock.advance(dt.timedelta(seconds=seconds))

    settings = HubSpotSettings(base_url=front.url, access_token=ACCESS_TOKEN, call_share=1, call_reserve=0)
    patience = Patience(sleep=sleep)
    return Simulated(there, Client(settings, patience, CallCount(), now=lambda: there.clock.now().timestamp()))


CALLS: dict[str, Callable[[Client], object]] = {
    "general": lambda client: client.get(paths.OWNERS, [("limit", 1)]),
    "associations": lambda client: client.post(
        paths.associations("deals", "companies"), {"inputs": [{"id": "1"}]}, pool="associations"
    ),
    "search": lambda client: client.post(paths.search("companies"), {"filterGroups": [], "limit": 1}, pool="search"),
}


@pytest.mark.parametrize(
    ("pool", "limits", "allowed", "calls"),
    [
        ("general", {"window_requests": 190}, 19.0, 420),
        ("general", {"window_requests": 100}, 10.0, 210),
        ("associations", {"associations_window_requests": 150}, 15.0, 320),
        ("search", {}, 5.0, 80),
    ],
)
def test_the_allowed_rate_is_used_and_kept(
    front: Front, pool: str, limits: dict[str, int], allowed: float, calls: int
) -> None:
    """At least 85 % of what each pool allows, whatever the portal's plan, and not one call refused."""
    at = simulated(front, **limits)
    rate = at.rate(CALLS[pool], calls)
    at.client.close()
    assert USED * allowed <= rate <= 0.95 * allowed
    assert {call.status for call in front.faults.log} <= {200, 207}
    assert at.client.calls.total == len(front.faults.log) == calls


@pytest.mark.parametrize("stated", ["own", "general", "none"])
@pytest.mark.parametrize(("general", "own"), [(100, 100), (190, 150), (250, 200)])
def test_what_answers_about_associations_state_does_not_matter(
    front: Front, stated: str, general: int, own: int
) -> None:
    """Their own limit, the general one or none: the plan, which general answers show first, tells what is allowed."""
    limits = {"window_requests": general, "associations_window_requests": own}
    at = simulated(front, **limits, associations_limit_stated=stated)
    CALLS["general"](at.client)
    rate = at.rate(CALLS["associations"], 2 * own)
    at.client.close()
    assert USED * own / 10 <= rate <= 0.95 * own / 10
    assert {call.status for call in front.faults.log} <= {200, 207}


def test_pools_do_not_wait_for_each_other(front: Front) -> None:
    """Links and searches go on while the general window is full."""
    at = simulated(front)

    def one_of_each(client: Client) -> None:
        for call in CALLS.values():
            call(client)

    searches_alone = 4.5
    rate = at.rate(one_of_each, 40)
    at.client.close()
    assert rate == pytest.approx(searches_alone, rel=0.05)
    assert {call.status for call in front.faults.log} <= {200, 207}

"""Whatever goes wrong with whichever call, the HubSpot connector ends where an undisturbed run ends, or says so."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.contract import AccountWrite, Slice
from connectors.errors import ConnectorError, QuotaSpent, SignInRefused, TryAgainLater
from connectors.hubspot.connector import HubSpotConnector
from connectors.sandbox.faults import KINDS, Fault
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from kammodel.publish.fields import FIELDS
from tests.contract.hubspot_copy import Copy, connected, stream_of
from tests.contract.hubspot_world import NOW, Front, open_front, portal
from tests.seed import SEED

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
STREAMS = ("owners", "exchange_rates", "accounts", "opportunities", "calls")
HOUR, SECOND = dt.timedelta(hours=1), dt.timedelta(seconds=1)
WRITTEN = tuple(f for f in FIELDS if f.key in {"tier", "score"})


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@dataclass
class Run:
    """A full load, some changes, an increment, and a write-back; a step that fails is run again, once."""

    front: Front
    there: Portal
    copy: Copy = field(default_factory=Copy)
    outcomes: dict[str, str] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def through(self) -> "Run":
        self._read(Slice(None, NOW + SECOND))
        self._change()
        self._read(Slice(NOW, NOW + HOUR + SECOND))
        self._attempt(lambda c: c.provision(FIELDS, "en"))
        self._attempt(self._write)
        self._attempt(self._read_back)
        return self

    def result(self) -> tuple[Any, ...]:
        companies = self.there.shelf(self.there.known("companies")).records
        scores = {i: record.values.get("kam_score") for i, record in companies.items()}
        return self.copy.tables, self.copy.rejects, self.outcomes, self.held, scores

    def _attempt(self, step: Callable[[HubSpotConnector], Any]) -> None:
        try:
            self._once(step)
        except ConnectorError as fault:
            self.told.append(str(fault))
            self._once(step)

    def _once(self, step: Callable[[HubSpotConnector], Any]) -> None:
        # One call at a time: with several, which of them has which number differs from run to run.
        with connected(self.front, parallel_calls=1) as connector:
            step(connector)

    def _read(self, span: Slice) -> None:
        """Resumes each stream where it stopped."""
        places: dict[str, str | None] = dict.fromkeys(STREAMS)
        done: set[str] = set()

        def step(connector: HubSpotConnector) -> None:
            for name in STREAMS:
                stream = stream_of(connector, name)
                for page in connector.read(stream, span, places[name]) if name not in done else ():
                    self.copy.take(stream, page)
                    places[name] = page.resume
                done.add(name)

        self._attempt(step)

    def _change(self) -> None:
        self.there.clock.advance(HOUR)
        self.there.update("companies", IBERIA, {"country": "Portugal"})
        self.there.update("deals", hubspot_id("deals", 6), {"dealstage": "closedwon"})
        self.there.archive("companies", ACME)
        self.there.merge("companies", ALPHA, BETA)

    def _write(self, connector: HubSpotConnector) -> None:
        writes = [AccountWrite(i, {"score": "5", "tier": "key"}) for i in (ALPHA, IBERIA, BETA)]
        for batch in connector.write_fields(WRITTEN, writes):
            self.outcomes |= {o.source_id: o.outcome for o in batch}
        # A row that is to be tried again is tried again by the next run.
        if {"retry", "unclear"} & set(self.outcomes.values()):
            raise TryAgainLater("rows were left over")

    def _read_back(self, connector: HubSpotConnector) -> None:
        self.held = {}
        for frame in connector.read_fields(WRITTEN, [ALPHA, IBERIA, ACME]):
            self.held |= {row["source_id"]: (row["score"], row["tier"]) for row in frame.to_dicts()}


def run(front: Front, *faults: tuple[int, Fault]) -> Run:
    there = front.show(portal())
    for call, fault in faults:
        front.faults.at(call, fault)
    return Run(front, there).through()


@pytest.fixture(scope="module")
def undisturbed(front: Front) -> tuple[Any, ...]:
    return run(front).result()


@pytest.fixture(scope="module")
def calls(front: Front, undisturbed: tuple[Any, ...]) -> int:
    """How many calls the undisturbed run makes."""
    run(front)
    return len(front.faults.log)


def test_the_undisturbed_run(undisturbed: tuple[Any, ...]) -> None:
    """What all others are measured against is itself right."""
    tables, rejects, outcomes, held, scores = undisturbed
    assert rejects == []
    assert {i: row["deleted"] for i, row in tables["account"].items()} == {
        ALPHA: False,
        IBERIA: False,
        BETA: True,
        GONE: True,
        ACME: True,
    }
    assert tables["account"][BETA]["merged_into_id"] == ALPHA
    assert outcomes == {ALPHA: "written", IBERIA: "written", BETA: "gone"}
    assert held == {ALPHA: ("5", "key"), IBERIA: ("5", "key")}
    assert scores[int(IBERIA)] == "5"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_now_and_then_changes_nothing(
    front: Front, undisturbed: tuple[Any, ...], calls: int, kind: Fault
) -> None:
    """Six calls of the run go wrong, chosen by the seed (KAM_TEST_SEED), none of them the next try of another."""
    chance = random.Random(f"{SEED}{kind}")
    positions = chance.sample(range(chance.randrange(4), calls, 4), 6)
    disturbed = run(front, *((position, kind) for position in positions))
    assert disturbed.result() == undisturbed, f"seed {SEED}, positions {positions}"
    assert [call.fault for call in front.faults.log if call.fault] == [kind] * 6
    assert not [text for text in disturbed.told if "\n" in text]


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_any_call_changes_nothing(
    front: Front, undisturbed: tuple[Any, ...], calls: int, kind: Fault
) -> None:
    """Every single call of the run, one at a time."""
    for position in range(calls):
        assert run(front, (position, kind)).result() == undisturbed, f"call {position}"


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "expired_token"])
def test_a_fault_that_stays_is_told_in_one_line(front: Front, kind: Fault) -> None:
    """After six tries the run stops with what to expect: it may be tried again. A re-run then goes through."""
    there = front.show(portal())
    front.faults.on_path("/crm/v3/objects/companies", kind, times=7)
    front.faults.at(0, "429")
    with connected(front) as connector, pytest.raises(TryAgainLater) as caught:
        connector.streams()
    assert "/crm/v3/objects/companies" in str(caught.value)
    front.faults.clear()
    assert there is front.app.portal  # type: ignore[union-attr]
    with connected(front) as connector:
        assert "accounts" in {s.name for s in connector.streams()}


def test_a_token_that_stays_expired_is_for_a_person(front: Front) -> None:
    """One more call, then the variable to set is named."""
    front.show(portal())
    front.faults.on_path("/account-info", "expired_token", times=5)
    with connected(front) as connector:
        with pytest.raises(SignInRefused, match="KAM_HUBSPOT__ACCESS_TOKEN"):
            connector.identify()
        assert connector.calls.total == 2


def test_a_wrong_token_is_not_tried_twice(front: Front) -> None:
    """One line that names the variable, never the token."""
    shown = portal()
    shown.settings.access_token = "another"
    front.show(shown)
    with connected(front) as connector:
        with pytest.raises(SignInRefused, match="KAM_HUBSPOT__ACCESS_TOKEN") as caught:
            connector.identify()
        assert connector.calls.total == 1
    assert "pat-" not in str(caught.value)


def test_a_spent_day_stops_the_run(front: Front) -> None:
    """No spinning until midnight."""
    front.show(portal(rate_limits=True, daily_requests=3, daily_requests_by_others=3))
    with connected(front) as connector:
        with pytest.raises(QuotaSpent, match="midnight"):
            connector.streams()
        assert connector.calls.total == 1


@pytest.mark.parametrize(
    ("settings", "by_others", "made", "named"),
    [
        ({"call_share": 0.5, "call_reserve": 0}, 0, 5, "KAM_HUBSPOT__CALL_SHARE=0.5 of the 10 today"),
        ({"call_share": 1, "call_reserve": 0.2}, 4, 4, "KAM_HUBSPOT__CALL_RESERVE=0.2"),
    ],
)
def test_a_run_leaves_calls_to_others(
    front: Front, settings: dict[str, float], by_others: int, made: int, named: str
) -> None:
    """It makes no more than its share of the day's calls, and none of those that are kept for others."""
    front.show(portal(rate_limits=True, daily_requests=10, daily_requests_by_others=by_others))
    # One at a time: an answer does not tell of calls that are still under way.
    with connected(front, parallel_calls=1, **settings) as connector:
        with pytest.raises(QuotaSpent, match=named):
            connector.streams()
        assert connector.calls.total == made


def test_the_rate_limits_are_kept_by_waiting(front: Front) -> None:
    """With real limits and a clock that moves while we wait, the run ends as without limits."""
    there = front.show(portal(rate_limits=True, window_requests=20, associations_window_requests=5))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        there.clock.advance(dt.timedelta(seconds=seconds))

    copy = Copy()
    with connected(front, wait) as connector:
        for stream in connector.streams():
            for page in connector.read(stream, Slice(None, NOW + SECOND)):
                copy.take(stream, page)
    assert len(copy.live("account")) == 4
    assert sum(waits) > 10

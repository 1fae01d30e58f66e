"""What a whole run will take, planning and writing included, against the CRM's own meter and clock: both CRMs, and each
kind of run. The clock of a portal is moved by waiting for its limits, that of an org by each answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.contract import Connector
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.settings import PortalSettings
from connectors.sandbox.surroundings import Surroundings
from flows import pipeline
from flows.pipeline import check_fields, pull
from flows.pipeline.estimating import estimate_pull
from flows.pipeline.foreseeing import with_write_back
from flows.results import EstimateReceipt, PlanReceipt, WriteBackEstimate
from tests.contract.test_estimated_minutes import SLOW, answering_in, connected
from tests.contract.test_estimating import DAY, edit
from tests.pipeline.company import HOUR, NOW, Office, office, small_book

MINUTE = dt.timedelta(minutes=1)
"""Before a run, so that no limit of the estimate's weighs on it."""
SCORING = dt.timedelta(seconds=2)
"""What scoring takes by that clock, which nothing that is computed moves by itself."""


@dataclass(frozen=True)
class Ran:
    """An estimate, the plan of the run that it was of, the calls that the CRM has seen of that run, and its seconds."""

    before: EstimateReceipt
    plan: PlanReceipt
    metered: int
    seconds: float

    @property
    def after_reading(self) -> WriteBackEstimate:
        assert self.before.write_back is not None
        return self.before.write_back

    @property
    def is_near(self) -> bool:
        said, seconds = self.after_reading, self.seconds
        if said.scoring_minutes is None:
            seconds -= SCORING.total_seconds()
        # Signing in at the pace of other calls would be a tenth off.
        in_time = abs(60 * said.run_minutes - seconds) <= 0.08 * seconds
        return in_time and abs(said.run_calls - self.metered) <= 0.1 * self.metered


@pytest.fixture(params=["salesforce", "hubspot"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    book = small_book(230)
    late = sorted(book.deals, key=lambda deal: deal.updated_at)[-150:]
    few = replace(book, people=[], deals=late, touches=[], around=Surroundings())
    company = same_in(few, Clock(NOW), request.param, portal_settings=PortalSettings(**SLOW))
    with office(company, tmp_path) as opened:
        sign_in(opened)
        opened.provision()
        yield opened


def sign_in(desk: Office) -> Connector:
    """A new process."""
    if desk.served.hubspot is None:
        desk.reconnect()
    else:
        desk.connectors[0].close()
        desk.connectors[:] = [connected(desk)]
    return desk.connectors[0]


def metered(desk: Office) -> int:
    """Calls that the CRM has seen."""
    served = desk.served.salesforce or desk.served.hubspot
    assert served is not None
    return len(served.faults.log)


def clock_of(desk: Office) -> Callable[[], dt.datetime]:
    return desk.clock.now if desk.served.hubspot is not None else answering_in(desk, 0.3)


def estimated(desk: Office) -> EstimateReceipt:
    connector = sign_in(desk)
    before = estimate_pull(connector, desk.store, clock_of(desk))
    return with_write_back(before, connector, desk.store, desk.config())


def score(desk: Office) -> None:
    began = desk.clock.now()
    desk.clock.advance(SCORING)
    looks = iter([began])
    pipeline.score(desk.store, desk.config(), lambda: next(looks, desk.clock.now()))


def ran(desk: Office) -> Ran:
    """The estimate by one process, the run by another, as `kam run` goes about it; then an hour passes."""
    before, now = estimated(desk), clock_of(desk)
    desk.clock.advance(MINUTE)
    connector, calls, began = sign_in(desk), metered(desk), now()
    check_fields(connector)
    pull(connector, desk.store, now)
    score(desk)
    (plan,) = desk.plan()
    desk.apply()
    seconds = (now() - began).total_seconds()
    desk.clock.advance(HOUR)
    return Ran(before, plan, metered(desk) - calls, seconds)


def test_runs_take_what_was_said(desk: Office) -> None:
    """A first one writes every account; one sees its own writes come back; one has nothing to do; one looks at accounts
    that were edited, which are half of them; and one is a year later, when values are others by the day."""
    first = ran(desk)
    echo = ran(desk)
    quiet = ran(desk)
    edit(desk)
    desk.clock.advance(HOUR)
    edited = ran(desk)
    desk.clock.advance(400 * DAY)
    later = ran(desk)
    every = {"first": first, "echo": echo, "quiet": quiet, "edited": edited, "later": later}
    told = {n: (one.after_reading, one.metered, one.seconds, one.plan.compared) for n, one in every.items()}
    assert [name for name, one in every.items() if not one.is_near] == [], told
    looked = {name: (one.after_reading.accounts, one.plan.compared) for name, one in every.items()}
    assert [name for name, (said, seen) in looked.items() if abs(said - seen) > 0.1 * seen] == [], told
    assert (first.plan.compared > 200, quiet.plan.compared, edited.plan.compared > 100) == (True, 0, True)
    assert (first.after_reading.scoring_minutes, echo.after_reading.scoring_minutes) == (None, 0.03)
    assert first.after_reading.writing == first.plan.write_calls > 0
    assert (echo.after_reading.writing, quiet.after_reading.writing) == (0, 0)
    assert echo.after_reading.writing_at_most == first.plan.write_calls
    assert later.after_reading.written == later.plan.accounts_to_write > 0

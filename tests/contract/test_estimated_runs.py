"""What a whole run will take, planning and writing included, against the CRM's own meter: both CRMs, and each kind of
run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.surroundings import Surroundings
from flows.pipeline import check_fields, pull
from flows.pipeline.estimating import estimate_pull
from flows.pipeline.foreseeing import with_write_back
from flows.results import EstimateReceipt, PlanReceipt, WriteBackEstimate
from tests.contract.test_estimating import DAY, edit, metered
from tests.pipeline.company import HOUR, NOW, Office, office, small_book


@dataclass(frozen=True)
class Ran:
    """An estimate, the plan of the run that it was of, and the calls that the CRM has seen of that run."""

    before: EstimateReceipt
    plan: PlanReceipt
    metered: int

    @property
    def after_reading(self) -> WriteBackEstimate:
        assert self.before.write_back is not None
        return self.before.write_back

    @property
    def is_near(self) -> bool:
        return abs(self.after_reading.run_calls - self.metered) <= 0.1 * self.metered


@pytest.fixture(params=["salesforce", "hubspot"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    book = small_book(230)
    late = sorted(book.deals, key=lambda deal: deal.updated_at)[-150:]
    few = replace(book, people=[], deals=late, touches=[], around=Surroundings())
    company = same_in(few, Clock(NOW), request.param, portal_settings=unhurried())
    with office(company, tmp_path) as opened:
        opened.provision()
        yield opened


def estimated(desk: Office) -> EstimateReceipt:
    desk.reconnect()
    (connector,) = desk.connectors
    return with_write_back(estimate_pull(connector, desk.store, desk.clock.now), connector, desk.store, desk.config())


def ran(desk: Office) -> Ran:
    """The estimate by one process, the run by another, as `kam run` goes about it; then an hour passes."""
    before = estimated(desk)
    metered(desk)
    desk.reconnect()
    check_fields(desk.connectors[0])
    pull(desk.connectors[0], desk.store, desk.clock.now)
    desk.score()
    (plan,) = desk.plan()
    desk.apply()
    desk.clock.advance(HOUR)
    return Ran(before, plan, metered(desk))


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
    told = {n: (one.after_reading, one.metered, one.plan.compared, one.plan.write_calls) for n, one in every.items()}
    assert [name for name, one in every.items() if not one.is_near] == [], told
    looked = {name: (one.after_reading.accounts, one.plan.compared) for name, one in every.items()}
    assert [name for name, (said, seen) in looked.items() if abs(said - seen) > 0.1 * seen] == [], told
    assert (first.plan.compared > 200, quiet.plan.compared, edited.plan.compared > 100) == (True, 0, True)
    assert first.after_reading.writing == first.plan.write_calls > 0
    assert (echo.after_reading.writing, quiet.after_reading.writing) == (0, 0)
    assert echo.after_reading.writing_at_most == first.plan.write_calls
    assert later.after_reading.written == later.plan.accounts_to_write > 0

"""Nobody is forgotten beside a run that is at work on the same org: it would store again what it holds of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager

import polars as pl
import pytest
from sqlmodel import select

from flows import steps
from flows.pipeline import backfill
from flows.pipeline.leasing import Held, Taken, sole_reader, sole_writer
from flows.pipeline.scoring import ForgottenMeanwhile
from flows.pipeline.undoing import plans_to_undo
from flows.runtime import Runtime
from kammodel.entities import Account, Lease, ScoreSnapshot
from tests.pipeline.private_office import PrivateOffice, private_office

CRM = "hubspot"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOffice]:
    """What both CRMs hold is read."""
    with private_office(tmp_path_factory.mktemp("forgetting_alone") / "home") as opened:
        opened.pull()
        yield opened


def at_work(at: Runtime, crm: str, doing: str) -> AbstractContextManager[Held]:
    """Another run, on an org."""
    who = at.connector(crm).identify()
    if doing == "reading":
        return sole_reader(at.store, who, at.clock)
    return sole_writer(at.store, who.source, who.instance, at.clock)


def accounts(at: Runtime, crm: str) -> list[str]:
    rows = at.store.read(Account, ["source", "source_id", "deleted"])
    return rows.filter(source=crm, deleted=False)["source_id"].to_list()


def named_in_snapshots(at: Runtime) -> str:
    """All that was ever recorded of anybody."""
    with at.store.transaction() as tx:
        return "\n".join(str(one.model_dump()) for one in tx.session.exec(select(ScoreSnapshot)))


@pytest.mark.parametrize("rehearsal", [True, False])
@pytest.mark.parametrize("doing", ["reading", "writing"])
def test_beside_a_run_it_is_refused(office: PrivateOffice, doing: str, *, rehearsal: bool) -> None:
    """It says who is at work, and nothing is gone."""
    with office.runtime() as at:
        before = accounts(at, CRM)
        refused = pytest.raises(Taken, match=rf"^hubspot: another run is {doing} \(process \d+ on .*; try again when")
        with at_work(at, CRM, doing), refused:
            office.forget("account", before[0], CRM, rehearsal=rehearsal)
        assert accounts(at, CRM) == before


def test_a_run_on_another_org_is_no_hindrance(office: PrivateOffice) -> None:
    """Afterwards the orgs are free again, and what comes next reads nothing of them."""
    with office.runtime() as at:
        gone = accounts(at, CRM)[0]
        with at_work(at, "salesforce", "reading"), at_work(at, "salesforce", "writing"):
            assert office.forget("account", gone, CRM, rehearsal=True).records == 1
            assert office.forget("account", gone, CRM).records == 1
        with at.store.transaction() as tx:
            assert tx.session.exec(select(Lease)).all() == []
        steps.pull(at, CRM, full=True, progress=at.progress)
        assert gone not in accounts(at, CRM)


def test_what_is_computed_meanwhile_is_computed_once_more(office: PrivateOffice) -> None:
    """A day was begun with somebody in it: no snapshot of theirs comes after they are gone."""
    with office.runtime() as at:
        gone = accounts(at, CRM)[0]
        begun: list[str] = []

        def forget_once(step: str, done: int, _total: int | None) -> None:
            if done == 0:
                begun.append(step)
            if len(begun) == 1:
                office.forget("account", gone, CRM)

        assert steps.score(at, None, progress=forget_once).appended > 0
        assert begun == ["score", "score"]
        assert gone not in named_in_snapshots(at)


def test_past_days_that_were_begun_with_somebody_are_not_stored(office: PrivateOffice) -> None:
    """Where it happens between two days, those that are done have lost them; the others are asked for again."""
    with office.runtime() as at:
        gone = accounts(at, CRM)[0]
        today = at.clock().date()
        days = [today - dt.timedelta(days=n) for n in (3, 2, 1)]

        def forget_between(_kind: str, done: int, _total: int | None) -> None:
            if done == 1:
                office.forget("account", gone, CRM)

        config, given = at.scoring(days[0]), at.given
        with pytest.raises(ForgottenMeanwhile, match=rf"^somebody was forgotten while {days[1]} was computed"):
            backfill(at.store, config, days, at.clock, given=given, progress=forget_between)
        assert gone not in named_in_snapshots(at)
        assert len(backfill(at.store, config, days, at.clock, given=given).days) == 3
        assert gone not in named_in_snapshots(at)


def test_an_undo_that_was_looked_at_before_brings_nobody_back(office: PrivateOffice) -> None:
    """It takes back the rest."""
    with office.runtime() as at:
        at.connector(CRM).provision(at.fields, "en")
        steps.score(at, None, progress=at.progress)
        planned = steps.plan(at, CRM, None, full=False, progress=at.progress)
        steps.apply(at, CRM, planned.plan_id, progress=at.progress)
        (undone,) = plans_to_undo(at.store, planned.plan_id)
        looked_at = steps.undo_of(at, undone, progress=at.progress)
        gone = str(looked_at.cells["source_id"][0])
        office.forget("account", gone, CRM)
        steps.keep_undo(at, looked_at, progress=at.progress)
        with at.store.transaction() as tx:
            left = tx.frame("SELECT DISTINCT source_id FROM planned_cell", {"source_id": pl.String()})["source_id"]
    assert (left.len() > 1, gone in left.to_list()) == (True, False)

"""Nobody is forgotten beside a run that is at work on the same org: it would store again what it holds of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from sqlmodel import select

from flows import steps
from flows.pipeline.leasing import Held, Taken, sole_reader, sole_writer
from flows.runtime import Runtime
from kammodel.entities import Account, Lease
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

"""A store that is lost, its ledger with it: the stamps in the CRM prove what is ours, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.pipeline.adopting import adopt
from kammodel.store import Store
from kammodel.store.plans import ledger
from tests.pipeline.company import HOUR, Office
from tests.pipeline.published import published, type_in

CRMS = ("salesforce", "hubspot")


def lose_the_store(desk: Office, folder: Path) -> None:
    """A new, empty store in place of the old one."""
    desk.store.close()
    desk.store = Store(f"sqlite:///{folder / 'new.db'}")


@pytest.mark.parametrize("crm", CRMS)
def test_a_lost_ledger_does_not_freeze_us(crm: str, tmp_path: Path) -> None:
    """A month later other values are wanted: they are written, and only the one that a person typed is held."""
    with published(crm, tmp_path) as desk:
        account = min(id_ for id_, fields in desk.held_by(crm).items() if fields["tier"] == "standard")
        type_in(desk, crm, account, tier="strategic")
        lose_the_store(desk, tmp_path)
        desk.clock.advance(30 * 24 * HOUR)
        with desk.store:
            _, _, (planned,), (applied,) = desk.run()
            assert (planned.cells_held, planned.cells_to_write > 50) == (1, True)
            assert applied.written == planned.cells_to_write
            assert desk.held_by(crm)[account]["tier"] == "strategic"


@pytest.mark.parametrize("crm", ["hubspot"])
def test_adopt_fills_the_ledger_with_what_is_proven(crm: str, tmp_path: Path) -> None:
    """Not with a person's value, unless a person says so; a second time there is nothing new."""
    with published(crm, tmp_path) as desk:
        with desk.store.transaction() as tx:
            before = set(ledger(tx, crm, desk.connectors[0].identify().instance).rows())
        account = min(id_ for id_, fields in desk.held_by(crm).items() if fields["tier"] == "standard")
        type_in(desk, crm, account, tier="strategic")
        lose_the_store(desk, tmp_path)
        with desk.store:
            desk.pull()
            told = adopt(desk.connectors[0], desk.store, desk.clock.now)
            assert (told.unproven, told.adopted) == (1, told.proven)
            with desk.store.transaction() as tx:
                found = set(ledger(tx, crm, desk.connectors[0].identify().instance).rows())
            assert before - found == {(account, "tier", "standard")} | {row for row in before if row[2] is None}
            assert found <= before
            assert adopt(desk.connectors[0], desk.store, desk.clock.now).adopted == 0
            assert adopt(desk.connectors[0], desk.store, desk.clock.now, everything=True, dry_run=True).adopted == 1

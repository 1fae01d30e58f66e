"""A field that a CRM shows no longer stops the run before it reads, names what stands on it, and moves no tier."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from connectors.sandbox.company import Company, ServedCompany
from kammodel.store import Store
from tests.flows.kam_command import kam

Hide = Callable[..., None]


def tiers(tmp_path: Path) -> list[tuple[object, ...]]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'kam.db'}") as store, store.transaction() as tx:
        return sorted(tx.session.connection().exec_driver_sql("SELECT * FROM score_snapshot").fetchall(), key=str)


def written(company: Company) -> list[object]:
    """What stands in our fields of both CRMs."""
    assert company.org is not None
    assert company.portal is not None
    shelf = company.portal.shelf(company.portal.known("companies"))
    companies = [shelf.live(id_) for id_ in shelf.live_ids()]
    held: list[object] = [
        sorted(k for k in r.items() if k[0].startswith("KAM_")) for r in company.org.records("Account")
    ]
    return held + [sorted(kv for kv in r.values.items() if kv[0].startswith("kam_")) for r in companies if r]


def hide_probability(company: Company, *, hidden: bool) -> None:
    assert company.org is not None
    fields = frozenset({"Opportunity.Probability"} if hidden else ())
    company.org.settings = replace(company.org.settings, hidden_fields=fields)


def hide_amount(company: Company, *, hidden: bool) -> None:
    assert company.portal is not None
    company.portal.settings.hidden_properties = frozenset({"deals.amount"} if hidden else ())


HIDDEN: tuple[tuple[Hide, str, str], ...] = (
    (hide_probability, "opportunities.Probability", "criteria concerned: potential; KPIs concerned: weighted_pipeline"),
    (hide_amount, "opportunities.amount", "criteria concerned: volume, potential, loyalty, service_need; KPIs"),
)


def test_a_hidden_field_stops_the_run_and_moves_no_tier(crms: ServedCompany, tmp_path: Path) -> None:
    """One after the other in each CRM; once both are seen again, all is well."""
    assert kam("provision").exit_code == 0
    assert kam("run").exit_code == 0
    before, held = tiers(tmp_path), written(crms.company)
    for hide, field, criteria in HIDDEN:
        hide(crms.company, hidden=True)
        result = kam("run")
        hide(crms.company, hidden=False)
        assert (result.exit_code, field in result.stderr, criteria in result.stderr) == (1, True, True)
        assert (tiers(tmp_path), written(crms.company)) == (before, held)
        status = kam("status", "--json")
        told = json.loads(status.stdout)
        assert (status.exit_code, told["verdict"]) == (1, "failed")
        assert field in told["troubles"][0]["what"]
    assert kam("run").exit_code == 0
    assert kam("status").exit_code == 0

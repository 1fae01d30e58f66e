"""A public book of business through the whole job: the known facts come out, and the CRM holds what explain says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest

from connectors.sandbox.company import Company
from connectors.sandbox.salesforce.from_csv import org_from_csv
from flows.pipeline import apply, plan, pull, score_day_of
from kammodel.entities import Account, Opportunity
from kammodel.publish.fields import OURS
from kammodel.scoring import ScoredDay, explain_group, wanted_values
from tests.data.maven import SOURCE, convert
from tests.pipeline.company import Office, office

AS_OF = dt.date(2017, 12, 31)
pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the public data set is not beside the project")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("maven")
    convert(folder / "csv")
    org, report = org_from_csv(folder / "csv", AS_OF)
    assert report.as_of == AS_OF
    with office(Company(org, None, org.clock), folder) as opened:
        opened.as_of = AS_OF
        opened.provision()
        (connector,) = opened.connectors
        pull(connector, opened.store, opened.clock.now)
        plan(connector, opened.store, opened.config(), opened.clock.now)
        assert apply(connector, opened.store, None, opened.clock.now).is_complete
        yield opened


@pytest.fixture(scope="module")
def day(desk: Office) -> ScoredDay:
    return score_day_of(desk.store, desk.config())


def test_the_store_holds_the_book(desk: Office) -> None:
    """85 accounts; 4,238 deals won for 10,005,534, 2,473 lost, the others open; 1,425 belong to no account."""
    deals = desk.store.read(Opportunity)
    assert desk.store.read(Account).height == 85
    assert dict(deals["status"].value_counts().iter_rows()) == {"won": 4238, "lost": 2473, "open": 2089}
    assert deals.filter(status="won")["amount"].sum() == 10_005_534_0000
    assert deals["account_id"].null_count() == 1425


def test_the_figures_are_the_known_ones(day: ScoredDay) -> None:
    """70 groups, Acme Corporation first; the organisation wins 63.15 % by number."""
    assert day.groups.height == 70
    first = day.kpis.join(day.groups, on="group").sort("revenue_ttm", descending=True)["name"][0]
    assert first == "Acme Corporation"
    won, lost = day.kpis["won_n"].sum(), day.kpis["lost_n"].sum()
    assert round(won / (won + lost), 4) == 0.6315
    shares = day.kpis["revenue_ttm"] / day.kpis["revenue_ttm"].sum()
    assert round((shares**2).sum(), 5) == 0.01988


def test_the_crm_holds_the_tiers_that_explain_states(desk: Office, day: ScoredDay) -> None:
    """Of every account, members of a group included, what was computed; and of every seventh what is explained."""
    held = desk.held_by("salesforce")
    assert len(held) == 85
    wanted = wanted_values(day, "salesforce", day.members["source_instance"][0], OURS)
    computed = {row["source_id"]: (row["tier"], row["reason"]) for row in wanted.iter_rows(named=True)}
    assert {account: (fields["tier"], fields["reason"]) for account, fields in held.items()} == computed
    for account in sorted(held)[::7]:
        told = explain_group(day, account)
        assert computed[account] == (told.tier, told.reason)
    tiers = pl.Series([fields["tier"] for fields in held.values()])
    assert set(tiers) >= {"strategic", "key", "growth", "standard"}

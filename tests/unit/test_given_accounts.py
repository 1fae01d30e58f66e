"""Accounts and users that the files name, found in the CRMs."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.entities import Account
from kammodel.given.accounts import placed, references, unknown_accounts, users
from kammodel.identity import account_groups
from tests.unit.kam_world import World, frame_of

LONG, SHORT = "001000000000001AAA", "001000000000001"


@pytest.fixture
def named() -> pl.DataFrame:
    world = World()
    world.account(LONG, cross_reference="portal-77")
    world.account("001000000000002AAA", parent_id=LONG)
    world.account("500")
    world.account("500", source="hubspot", name="another")
    world.account("600", source="hubspot", cross_reference=LONG)
    accounts = frame_of(Account, world.accounts)
    return references(accounts, account_groups(accounts, "salesforce"))


def found(named: pl.DataFrame, reference: str) -> tuple[str, str] | None:
    rows = placed(pl.DataFrame({"account": [reference]}), named)
    return rows.select("source", "source_id").row(0) if rows.height else None


@pytest.mark.parametrize(
    "reference",
    [LONG, SHORT, f"salesforce:{LONG}", f"salesforce:{SHORT}", f"salesforce:org:{LONG}", "portal-77", f" {LONG}"],
)
def test_an_account_has_many_names(named: pl.DataFrame, reference: str) -> None:
    assert found(named, reference) == ("salesforce", LONG)


def test_the_same_company_in_another_crm_is_the_same_group(named: pl.DataFrame) -> None:
    rows = placed(pl.DataFrame({"account": ["600", "001000000000002", LONG]}), named)
    assert rows["group"].n_unique() == 1
    assert rows["source"].to_list() == ["hubspot", "salesforce", "salesforce"]


def test_an_id_of_two_companies_names_neither_until_the_crm_is_said(named: pl.DataFrame) -> None:
    assert found(named, "500") is None
    assert found(named, "hubspot:500") == ("hubspot", "500")
    assert found(named, "salesforce:500") == ("salesforce", "500")


def test_unknown_accounts_are_listed_by_file(named: pl.DataFrame) -> None:
    wallet = pl.DataFrame({"account": ["zzz", LONG, "abc", "zzz", None]})
    assert unknown_accounts({"wallet": wallet, "ratings": None, "team": wallet.rename({"account": "user"})}, named) == {
        "wallet.csv": ["abc", "zzz"]
    }


def test_users_are_named_by_an_id_that_one_crm_has() -> None:
    known = pl.DataFrame({"source": ["salesforce", "hubspot", "hubspot"], "source_id": ["7", "7", "8"]})
    known = known.with_columns(source_instance=pl.lit("one"))
    rows = pl.DataFrame({"user": ["7", "8", "hubspot:7", "9"]})
    assert users(rows, known).select("user", "source", "user_id").rows() == [
        ("8", "hubspot", "8"),
        ("hubspot:7", "hubspot", "7"),
    ]

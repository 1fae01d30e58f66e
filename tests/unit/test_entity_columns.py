"""Columns that say what an owner forecasts, what marketing thinks, and what a contract is worth."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from connectors.hubspot.mapping.accounts import accounts as companies
from connectors.hubspot.mapping.opportunities import opportunities as deals
from connectors.mapping import Mapping, normalize
from connectors.mapping_file import Choice, Overrides
from connectors.salesforce.mapping import declared
from connectors.salesforce.mapping.opportunities import opportunities
from connectors.salesforce.mapping.overriding import pointed


def read(mapping: Mapping, **row: str | None) -> dict[str, Any]:
    """A row of ours out of these fields; all others are empty."""
    raw = pl.DataFrame([dict.fromkeys(mapping.raw_schema()) | row], schema=mapping.raw_schema())
    done = normalize(raw, mapping)
    assert done.rejects.is_empty(), done.rejects
    return done.rows.row(0, named=True)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Omitted", "omitted"),
        ("Pipeline", "pipeline"),
        ("BestCase", "best_case"),
        ("MostLikely", "most_likely"),
        ("Forecast", "commit"),
        ("Closed", "closed"),
        (None, None),
    ],
)
def test_forecast_categories_of_salesforce(theirs: str | None, ours: str | None) -> None:
    row = {"Id": "006D000000IRFma", "CloseDate": "2026-01-31", "LeadSource": "Web"}
    found = read(opportunities(many_currencies=False), **row, ForecastCategory=theirs)
    assert (found["forecast_category"], found["lead_source"]) == (ours, "Web")


@pytest.mark.parametrize(("theirs", "ours"), [("OMIT", "omitted"), ("COMMIT", "commit"), ("BEST_CASE", "best_case")])
def test_forecast_categories_of_hubspot(theirs: str, ours: str) -> None:
    mapping = deals("Europe/Madrid", many_currencies=False).mapping
    assert read(mapping, **{"@id": "1", "hs_manual_forecast_category": theirs})["forecast_category"] == ours


def test_what_marketing_thinks_of_a_company() -> None:
    row = {
        "@id": "1",
        "lifecyclestage": "customer",
        "hs_is_target_account": "true",
        "hs_ideal_customer_profile": "tier_1",
    }
    found = read(companies("x", insist=False).mapping, **row)
    assert (found["lifecycle_stage"], found["is_target"], found["icp_tier"]) == ("customer", True, "tier_1")


def test_a_mapping_file_says_what_a_contract_is_worth() -> None:
    """No standard field does."""
    kinds = {"Worth__c": "currency", "Renews__c": "boolean", "Notice__c": "double", "Next__c": "reference"}
    fields = {name: {"name": name, "type": kind, "referenceTo": ["Contract"]} for name, kind in kinds.items()}
    columns = ("amount", "is_auto_renewed", "notice_days", "renewed_by_id")
    choices = {column: Choice(field=name) for column, name in zip(columns, kinds, strict=True)}
    stream = next(s for s in declared("Hub__c", many_currencies=True, insist=False) if s.name == "contracts")
    mapping = pointed(stream, Overrides("map.toml", "salesforce", {"contracts": choices}), fields).mapping
    values = {"Worth__c": "1200.5", "Renews__c": "true", "Notice__c": "90", "Next__c": "800D000000IRFma"}
    found = read(mapping, Id="800D000000IRFmb", CurrencyIsoCode="EUR", **values)
    assert [found[column] for column in columns] == [12_005_000, True, 90, "800D000000IRFmaIAH"]
    assert found["currency"] == "EUR"

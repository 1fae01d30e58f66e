"""A field that is gone is looked for under names that are spelled like its own."""

from __future__ import annotations

import pytest

from connectors.renaming import renamed


@pytest.mark.parametrize(
    ("missing", "there", "found"),
    [
        ("Segment__c", ["Segments__c", "Name"], "Segments__c"),
        ("annualrevenue", ["annual_revenue", "name"], "annual_revenue"),
        ("Industry", ["IndustryOld__c", "Sector__c"], "IndustryOld__c"),
        ("Industry", ["Sector__c", "Name"], None),
        ("Industry", [], None),
    ],
)
def test_the_nearest_name_is_suggested(missing: str, there: list[str], found: str | None) -> None:
    text = renamed(missing, there, ["Name", missing])
    assert text == (f"; if it is called {found} now, say so in KAM_MAPPING_FILE" if found else "")


def test_a_field_that_is_read_as_another_is_no_suggestion() -> None:
    assert renamed("CloseDate", ["CloseDate2"], ["CloseDate", "CloseDate2"]) == ""

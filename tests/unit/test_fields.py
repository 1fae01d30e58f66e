"""The fields we publish: names, and the one spelling that values are compared in."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.publish.fields import FIELDS, OURS, TIERS, CustomField, Words, canonical, unrounded

WORDS = Words("x", "x")


def spelled(kind: Any, *values: Any, scale: int = 0) -> list[str | None]:
    field = CustomField("k", kind, WORDS, WORDS, scale=scale)
    return pl.DataFrame({"x": list(values)}).select(canonical(field, pl.col("x")).alias("x"))["x"].to_list()


def test_names_of_the_contract() -> None:
    """Salesforce capitalizes each word, HubSpot has small letters; both begin with KAM."""
    names = {f.key: (f.salesforce_name, f.hubspot_name) for f in FIELDS}
    assert names["tier"] == ("KAM_Tier__c", "kam_tier")
    assert names["days_since_touch"] == ("KAM_Days_Since_Touch__c", "kam_days_since_touch")
    assert names["revenue_ttm"] == ("KAM_Revenue_Ttm__c", "kam_revenue_ttm")


def test_fields_of_the_contract() -> None:
    """The fourteen that we write, and the four that a person types and we never write."""
    assert [f.key for f in OURS] == [
        "tier",
        "score",
        "reason",
        "quadrant",
        "rfm",
        "revenue_ttm",
        "revenue_growth",
        "weighted_pipeline",
        "win_rate",
        "days_since_touch",
        "open_cases",
        "coverage",
        "scored_on",
        "stamp",
    ]
    theirs = {"tier_override", "tier_override_reason", "tier_override_until", "strategic_value"}
    assert {f.key for f in FIELDS if not f.ours} == theirs


def test_picklists_have_codes_and_others_have_none() -> None:
    """Codes are English and stable; nobody can set an account to provisional."""
    options = {f.key: [code for code, _ in f.options] for f in FIELDS}
    assert options["tier"] == list(TIERS)
    assert options["tier_override"] == ["strategic", "key", "growth", "standard"]
    assert all(bool(f.options) == (f.kind == "picklist") for f in FIELDS)


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.key)
def test_words_fit_the_crms(field: CustomField) -> None:
    """Labels within 40 characters (Salesforce's limit), help within 255, in both languages."""
    for language in ("en", "es"):
        assert 0 < len(field.label.in_(language)) <= 40
        assert 0 < len(field.help.in_(language)) <= 255
    assert field.scale < field.precision <= 18


def test_an_unknown_language_is_english() -> None:
    """Two are spoken."""
    assert Words("yes", "sí").in_("es") == "sí"
    assert Words("yes", "sí").in_("fr") == "yes"


@pytest.mark.parametrize("kind", ["picklist", "number", "percent", "text", "date"])
def test_blank_is_null(kind: str) -> None:
    """A CRM says null, empty or blank where nothing stands."""
    assert spelled(kind, None, "", "  ", "\n", "x")[:4] == [None] * 4


def test_one_number_has_one_spelling() -> None:
    """However many zeros, signs and exponents: 1.0 is 1, -0 is 0."""
    assert set(spelled("number", "1", "1.0", "1.00", "+1", " 1.000 ", "01", "1E0", "10e-1", scale=2)) == {"1"}
    assert set(spelled("number", "0", "-0", "0.00", "-0.0", "-0.001", "0e5", scale=2)) == {"0"}
    assert spelled("number", "100", "-20", "1E+5", "1200.50", "0.10", scale=2) == [
        "100",
        "-20",
        "100000",
        "1200.5",
        "0.1",
    ]


def test_numbers_of_any_column_type_are_spelled_alike() -> None:
    """What we computed as a float or a whole number equals what a CRM sends as text."""
    assert spelled("number", 1.0, 45.25, 1e16, -0.0, None, scale=2) == ["1", "45.25", "10000000000000000", "0", None]
    assert spelled("number", 7, -3, scale=2) == ["7", "-3"]
    assert spelled("percent", 0.1 + 0.2, scale=1) == ["0.3"]


def test_numbers_are_rounded_half_to_even_at_the_fields_decimals() -> None:
    """The CRM keeps no more decimals than the field has, and neither does the comparison."""
    assert spelled("number", "0.05", "0.15", "0.25", "-0.05", "-0.15", scale=1) == ["0", "0.2", "0.2", "0", "-0.2"]
    assert spelled("number", "2.5", "3.5", "-2.5", "2.51", scale=0) == ["2", "4", "-2", "3"]


def finer(*values: str | None, scale: int = 1) -> list[str | None]:
    field = CustomField("k", "number", WORDS, WORDS, scale=scale)
    return pl.DataFrame({"x": list(values)}).select(unrounded(field, pl.col("x")).alias("x"))["x"].to_list()


def test_what_a_crm_holds_keeps_its_decimals() -> None:
    """However spelled, to the tenth."""
    assert finer("82.34", "82.340", "8.234E1", " 82.34 ") == ["82.34"] * 4
    assert finer("82.30", "82.3", "-0.0", "-82.34") == ["82.3", "82.3", "0", "-82.34"]
    assert finer("", None, "soon", "NaN") == [None, None, "soon", "NaN"]
    assert finer("0.00000000004", "0.0000000001") == ["0", "0.0000000001"]


def test_decimals_of_a_double_are_none() -> None:
    """Some CRMs send all that a double holds; sixteen digits of it mean something."""
    assert finer("82.2999999999999971578290569595992565155029296875", "1234567.6999999999534338712692260742") == [
        "82.3",
        "1234567.7",
    ]
    assert finer("1234567890123456.78", "123456789012345.67", scale=2) == ["1234567890123456.78", "123456789012345.67"]
    assert finer("82.340000000000003410605131648480892181396484375") == ["82.34"]


def test_only_numbers_have_decimals() -> None:
    for kind, text in (("text", "1.50"), ("picklist", "1.50"), ("date", "2026-01-31T00:00")):
        field = CustomField("k", kind, WORDS, WORDS)  # type: ignore[arg-type]
        both = pl.DataFrame({"x": [text]}).select(a=unrounded(field, pl.col("x")), b=canonical(field, pl.col("x")))
        assert both["a"].to_list() == both["b"].to_list()


def test_huge_numbers_do_not_break_the_column() -> None:
    """28 digits are exact; beyond them the text stays, so that a difference is seen."""
    long, longer = "9" * 28, "9" * 29
    assert spelled("number", long, longer, "1e30", "-" + longer, "1", scale=2) == [
        long,
        longer,
        "1e30",
        "-" + longer,
        "1",
    ]


def test_text_in_a_number_field_stays() -> None:
    """A difference must be seen, not hidden: what is no number is not made null."""
    assert spelled("number", "n/a", "1,5", "NaN", "12 %", scale=1) == ["n/a", "1,5", "NaN", "12 %"]


def test_texts_and_codes_keep_everything_but_blanks_around_them() -> None:
    """Case, inner blanks, lines and zeros are content."""
    assert spelled("text", " a  b\nc ", "1.0", "Key", "\U0001f600") == ["a  b\nc", "1.0", "Key", "\U0001f600"]
    assert spelled("picklist", "key", "Key") == ["key", "Key"]


def test_dates_are_days() -> None:
    """A date column, a day as text and a moment of that day are the same."""
    assert spelled("date", "2026-01-31", "2026-01-31T00:00:00.000Z", "soon") == ["2026-01-31", "2026-01-31", "soon"]
    assert spelled("date", dt.date(2026, 1, 31)) == ["2026-01-31"]

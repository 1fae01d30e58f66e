"""The history of a deal's properties as one row per change."""

from typing import Any

import polars as pl
import pytest

from connectors.hubspot.history import entries_frame, history_frame, stage_dates

STAGES = pl.DataFrame(
    {
        "@pipeline_id": ["p", "p", "q"],
        "@stage_id": ["new", "won", "new"],
        "@status": ["open", "won", "lost"],
        "@probability": ["0.2", "1.0", "0.0"],
    }
)
JAN, FEB, MAR = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00.5Z", "1772323200000"
JAN_MS, FEB_MS, MAR_MS = "1767225600000", "1769904000500", "1772323200000"
SEEN = ["@opportunity_id", "@changed_at", "@dealstage", "@amount", "@closedate", "@status"]


def deal(deal_id: str, **history: list[tuple[str | None, Any]]) -> dict[str, Any]:
    """Each property's history, newest first, as HubSpot lists it."""
    listed = {name: [{"timestamp": at, "value": value} for at, value in entries] for name, entries in history.items()}
    return {"id": deal_id, "properties": {}, "propertiesWithHistory": listed}


def test_one_row_for_each_moment_of_change() -> None:
    """Values hold until their next change and are null before their first; ISO and milliseconds are one clock."""
    told = deal(
        "1",
        dealstage=[(MAR, "won"), (JAN, "new")],
        amount=[(MAR, "20"), (FEB, "10")],
        closedate=[(FEB, "2026-03-31")],
        pipeline=[(JAN, "p")],
    )
    frame = history_frame([told], STAGES)
    assert frame.select(SEEN).rows() == [
        ("1", JAN_MS, "new", None, None, "open"),
        ("1", FEB_MS, "new", "10", "2026-03-31", "open"),
        ("1", MAR_MS, "won", "20", "2026-03-31", "won"),
    ]
    assert frame["@id"].to_list() == [f"1:{ms}" for ms in (JAN_MS, FEB_MS, MAR_MS)]


def test_a_cleared_value_stays_cleared() -> None:
    """It is an empty text from then on, not the value of before."""
    told = deal("1", dealstage=[(MAR, "won"), (JAN, "new")], amount=[(FEB, ""), (JAN, "10")])
    assert history_frame([told], STAGES)["@amount"].to_list() == ["10", "", ""]


def test_within_one_millisecond_the_newest_stands() -> None:
    """HubSpot lists it first."""
    told = deal("1", dealstage=[(JAN, "won"), (JAN, "new")])
    assert history_frame([told], STAGES)["@dealstage"].to_list() == ["won"]


def test_the_pipeline_alone_makes_no_row_but_tells_the_stage() -> None:
    """Two pipelines may use one stage id."""
    told = deal("1", dealstage=[(FEB, "new"), (JAN, "new")], pipeline=[("2026-01-15T00:00:00Z", "q"), (JAN, "p")])
    frame = history_frame([told], STAGES)
    assert frame.select("@changed_at", "@status").rows() == [(JAN_MS, "open"), (FEB_MS, "lost")]


def test_deals_do_not_mix() -> None:
    """One deal's values are not carried on into the next; a deal that came twice is read once."""
    first, second = deal("1", dealstage=[(JAN, "won")], amount=[(JAN, "10")]), deal("2", dealstage=[(FEB, "new")])
    frame = history_frame([first, second, first], STAGES)
    assert sorted(frame.select("@id", "@amount").rows()) == [(f"1:{JAN_MS}", "10"), (f"2:{FEB_MS}", None)]


def test_what_cannot_be_read_makes_no_row() -> None:
    """Times that are none, and histories of another shape."""
    odd = {"id": "3", "properties": {}, "propertiesWithHistory": {"dealstage": "x", "amount": [None, "y"]}}
    told = [deal("1", dealstage=[("soon", "new"), (None, "won")]), {"id": "2", "properties": {}}, odd]
    frame = history_frame(told, STAGES)
    assert frame.is_empty()
    assert frame.columns[:2] == ["@id", "@opportunity_id"]
    assert history_frame([], STAGES).schema == frame.schema


ENTERED = "hs_v2_date_entered_"


def test_dates_of_stages_are_found_among_the_properties() -> None:
    """Whole names before longer ones, the newer kind before the older; what is no stage's, or another's, is none."""
    names = [
        f"{ENTERED}new",
        "hs_date_entered_new",
        "hs_date_entered_old",
        f"{ENTERED}17_995",
        f"{ENTERED}17_4",
        f"{ENTERED}current_stage",
        f"{ENTERED}gone",
        "hs_v2_date_exited_won",
        "amount",
    ]
    assert dict(stage_dates(names, ["new", "old", "17", "17_4", "won"])) == {
        f"{ENTERED}new": "new",
        "hs_date_entered_old": "old",
        f"{ENTERED}17_995": "17",
        f"{ENTERED}17_4": "17_4",
    }
    assert stage_dates(["amount"], ["new"]) == stage_dates(names, []) == ()


@pytest.mark.parametrize("stages", [["closed", "closed_won"], ["closed_won", "closed"]])
def test_a_date_is_that_of_the_longest_stage_that_fits(stages: list[str]) -> None:
    """What begins like one stage is no date of it where it begins like a longer one as well."""
    assert stage_dates([f"{ENTERED}closed_won_91"], stages) == ((f"{ENTERED}closed_won_91", "closed_won"),)


@pytest.mark.parametrize("name", [f"{ENTERED}3d5c_1f36_77", f"{ENTERED}3d5c-1f36"])
def test_a_stage_is_found_however_its_id_is_spelled_in_a_name(name: str) -> None:
    """Names of properties are lower case; what else an id may have stands for itself, or is an underscore."""
    assert stage_dates([name], ["3D5C-1f36"]) == ((name, "3D5C-1f36"),)


def test_the_date_of_whatever_stage_it_is_now_is_that_of_none() -> None:
    """Not even where a stage is named like that."""
    assert stage_dates([f"{ENTERED}current_stage"], ["current"]) == ()


def test_one_row_for_each_stage_that_was_entered() -> None:
    """What the deal is worth and when it closes is what it is now; an empty or unreadable time makes no row."""
    records = pl.DataFrame(
        {
            "@id": ["1", "2", "3"],
            "@status": ["won", "open", "open"],
            "pipeline": ["p", "q", "p"],
            "amount": ["20", None, "5"],
            "closedate": ["2026-03-31", None, None],
            "in_new": [JAN, FEB, ""],
            "in_won": [MAR, None, "soon"],
        }
    )
    frame = entries_frame(records, [("in_new", "new"), ("in_won", "won")], STAGES)
    columns = ["@id", "@opportunity_id", "@entered_at", "@dealstage", "amount", "closedate", "@status", "@probability"]
    assert frame.select(columns).rows() == [
        (f"1:{JAN_MS}", "1", JAN_MS, "new", "20", "2026-03-31", "open", "0.2"),
        (f"1:{MAR_MS}", "1", MAR_MS, "won", "20", "2026-03-31", "won", "1.0"),
        (f"2:{FEB_MS}", "2", FEB_MS, "new", None, None, "lost", "0.0"),
    ]


def test_of_two_stages_in_one_millisecond_the_later_one_stands() -> None:
    """In the order of the pipeline."""
    records = pl.DataFrame({"@id": ["1"], "pipeline": ["p"], "in_new": [JAN], "in_won": [JAN]})
    assert entries_frame(records, [("in_won", "won"), ("in_new", "new")], STAGES)["@dealstage"].to_list() == ["new"]
    assert entries_frame(records, [("in_new", "new"), ("in_won", "won")], STAGES)["@dealstage"].to_list() == ["won"]


@pytest.mark.parametrize("name", ["value", "name", "variable", "ms", "order"])
def test_a_property_may_have_any_name(name: str) -> None:
    """A mapping file may ask for whatever the portal has."""
    records = pl.DataFrame({"@id": ["1"], "pipeline": ["p"], name: ["12"], "in_new": [JAN]})
    assert entries_frame(records, [("in_new", "new")], STAGES).select(name, "@dealstage").rows() == [("12", "new")]

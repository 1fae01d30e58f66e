"""HubSpot's records as text columns: envelope, links, stages, and who is gone."""

from typing import Any

import polars as pl
import pytest

from connectors.errors import UnexpectedAnswer
from connectors.hubspot.frames import (
    as_text,
    gone_frame,
    joined_ids,
    primary_of,
    records_frame,
    shaped,
    with_link,
    with_stage,
)
from connectors.hubspot.mapping import OWNERS
from connectors.hubspot.records import checked


def record(record_id: str, **properties: Any) -> dict[str, Any]:
    return {"id": record_id, "properties": properties}


def test_values_are_text_or_null() -> None:
    """As HubSpot spells them; what it sends as JSON numbers or truth values is spelled so too."""
    assert [as_text(v) for v in (None, "", "a", 7, 1.5, True, False)] == [None, "", "a", "7", "1.5", "true", "false"]


def test_a_record_becomes_a_row() -> None:
    """The properties asked for, null where HubSpot left one out, and the envelope's columns."""
    stamps = {"hs_lastmodifieddate": "2026-01-02T00:00:00Z"}
    records = [
        {**record("1", name="A", **stamps), "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "x", "archived": True},
        {**record("2", createdate="2026-02-01T00:00:00Z"), "updatedAt": "2026-02-02T00:00:00Z", "archived": False},
        record("3", hs_createdate="2026-03-01T00:00:00Z", name=5),
    ]
    assert records_frame(records, ["name"]).rows() == [
        ("A", "1", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "true"),
        (None, "2", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "false"),
        ("5", "3", "2026-03-01T00:00:00Z", None, "false"),
    ]


def test_no_records_are_a_frame_of_text() -> None:
    """The types do not come from the rows."""
    frame = records_frame([], ["name"])
    assert frame.schema == dict.fromkeys(["name", "@id", "@created_at", "@updated_at", "@archived"], pl.String)


@pytest.mark.parametrize("bad", [{}, {"id": "1"}, {"id": None, "properties": {}}, {"id": True, "properties": {}}])
def test_a_record_without_id_or_properties_is_refused(bad: dict[str, Any]) -> None:
    """It is not what HubSpot documents; a number for an id is."""
    with pytest.raises(UnexpectedAnswer):
        checked(bad)
    assert checked({"id": 7, "properties": {}})["id"] == "7"


def test_frames_are_cut_to_the_mapping() -> None:
    """Other columns go, missing ones are null."""
    frame = shaped(pl.DataFrame({"@name": ["A"], "other": ["x"]}), OWNERS)
    assert frame.columns == list(OWNERS.raw_schema())
    assert frame.row(0, named=True) == {
        "@id": None,
        "@created_at": None,
        "@updated_at": None,
        "@name": "A",
        "@active": None,
    }


def test_gone_are_the_missing_and_the_merged() -> None:
    """Former ids lead to the record that swallowed them, and a merge tells more than a miss."""
    records = [record("9", hs_merged_object_ids="1;2; ;9"), record("8", hs_merged_object_ids=None), record("7")]
    found = gone_frame({"2": None, "3": None, "4": "5"}, records)
    assert found is not None
    assert dict(found.iter_rows()) == {"1": "9", "2": "9", "3": None, "4": "5"}
    assert gone_frame({}, [record("7")]) is None


def links(*rows: tuple[str, str, bool]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"from": pl.String, "to": pl.String, "marked": pl.Boolean}, orient="row")


def test_the_marked_target_is_primary_else_the_lowest_id() -> None:
    """By number, not by letter; several without a mark are counted as unclear."""
    frame, unclear = primary_of(
        links(
            ("a", "10", False),
            ("a", "9", False),
            ("b", "3", False),
            ("b", "20", True),
            ("c", "7", False),
            ("d", "x", False),
            ("d", "5", False),
        )
    )
    assert dict(frame.iter_rows()) == {"a": "9", "b": "20", "c": "7", "d": "5"}
    assert unclear == 2
    assert primary_of(links())[0].is_empty()


def test_all_targets_in_one_text() -> None:
    """Sorted and each once, so that equal sets are equal texts."""
    frame = joined_ids(links(("a", "9", False), ("a", "10", True), ("a", "9", True), ("b", "1", False)))
    assert dict(frame.iter_rows()) == {"a": "10;9", "b": "1"}


def test_links_are_added_by_id() -> None:
    """A record without one has null; no record is lost or doubled."""
    frame = with_link(
        pl.DataFrame({"@id": ["1", "2"]}), pl.DataFrame({"from": ["1", "7"], "to": ["5", "6"]}), "@account_id"
    )
    assert sorted(frame.rows()) == [("1", "5"), ("2", None)]


STAGES = pl.DataFrame(
    {
        "@pipeline_id": ["p", "q", "q"],
        "@stage_id": ["s", "s", "t"],
        "@status": ["open", "won", "lost"],
        "@probability": ["0.2", "1.0", "0.0"],
    }
)


def test_a_stage_is_looked_up_in_its_pipeline_else_alone() -> None:
    """A pipeline that is gone does not hide that a deal was lost; an unknown stage is unknown. The order stays."""
    frame = pl.DataFrame({"pipeline": ["q", "p", "gone", None, "p"], "dealstage": ["s", "s", "t", "t", "nosuch"]})
    found = with_stage(frame, STAGES, "pipeline", "dealstage")
    assert found.rows() == [
        ("q", "s", "won", "1.0"),
        ("p", "s", "open", "0.2"),
        ("gone", "t", "lost", "0.0"),
        (None, "t", "lost", "0.0"),
        ("p", "nosuch", None, None),
    ]

"""Mappings: what is asked of a CRM, when a mapping counts as changed, and what becomes of each row."""

import json
from typing import Any

import polars as pl
import pytest

from connectors.codecs import Codec, boolean, identifier, money, number, text
from connectors.mapping import Line, Mapping, normalize
from kammodel.entities import Account, Activity, Opportunity, polars_schema

FIRST = Codec("first", pl.coalesce, total=True)
DEALS = Mapping(
    Opportunity,
    (
        Line("source_id", "Id", identifier),
        Line("deleted", "IsDeleted", boolean),
        Line("name", "Name", text),
        Line("amount", "Amount", money),
        Line("currency", ("Own", "@home"), FIRST, optional=True),
        Line("kind", "Own", text, optional=True),
        Line("stage_id", "@stage", text, derived=True),
    ),
)


def deals(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = DEALS.raw_schema()
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")


def test_fields_are_asked_once_in_the_order_of_the_lines() -> None:
    """Columns that the connector makes itself are not asked of the CRM, but belong to the page."""
    assert DEALS.asked() == ["Id", "IsDeleted", "Name", "Amount", "Own", "@home"]
    assert list(DEALS.raw_schema()) == ["Id", "IsDeleted", "Name", "Amount", "Own", "@home", "@stage"]
    assert set(DEALS.raw_schema().values()) == {pl.String()}


def test_a_field_is_optional_if_only_optional_lines_need_it() -> None:
    """One line that cannot do without makes it a must."""
    assert DEALS.optional() == {"Own", "@home"}
    stricter = Mapping(Opportunity, (*DEALS.lines, Line("loss_reason", "Own", text)))
    assert stricter.optional() == {"@home"}


def test_a_mapping_without_a_field_loses_the_lines_that_need_it() -> None:
    """A line of two fields goes if one is missing; nothing else does."""
    assert [ln.ours for ln in DEALS.without({"@home"}).lines] == [
        "source_id",
        "deleted",
        "name",
        "amount",
        "kind",
        "stage_id",
    ]
    assert DEALS.without(set()) == DEALS


def one(line: Line) -> str:
    return Mapping(Account, (Line("source_id", "Id", identifier), line)).fingerprint()


def test_the_fingerprint_changes_with_lines_and_codecs() -> None:
    """Another field, codec, target or order of two fields: the stream is read in full again."""
    lines = (
        Line("name", "Name", text),
        Line("name", "Name", identifier),
        Line("name", "Label", text),
        Line("domain", "Name", text),
        Line("name", ("Name", "Label"), FIRST),
        Line("name", ("Label", "Name"), FIRST),
    )
    assert len({one(line) for line in lines}) == len(lines)


def test_the_fingerprint_does_not_change_with_the_order_of_lines() -> None:
    """Moving a line about in the file costs no full load."""
    assert Mapping(Opportunity, DEALS.lines[::-1]).fingerprint() == DEALS.fingerprint()
    assert len(DEALS.fingerprint()) == 16


def test_a_good_row_has_the_entitys_types() -> None:
    """Columns in the table's order, less those the store fills in; what no line maps is null."""
    given = {"Id": "1", "IsDeleted": "true", "Name": "A", "Amount": "12.5", "@home": "EUR", "@stage": "won"}
    found = normalize(deals(given), DEALS)
    stores = {"source", "source_instance", "synced_at", "content_changed_at"}
    assert list(found.rows.schema.items()) == [(n, t) for n, t in polars_schema(Opportunity).items() if n not in stores]
    row = {name: value for name, value in found.rows.row(0, named=True).items() if value is not None}
    assert row == {
        "source_id": "1",
        "deleted": True,
        "name": "A",
        "amount": 125_000,
        "currency": "EUR",
        "stage_id": "won",
    }
    assert found.rejects.is_empty()


def test_missing_is_null_and_never_zero() -> None:
    """Blank amounts are unknown; a row that does not say so is not deleted, and is counted."""
    found = normalize(deals({"Id": "1", "Amount": " "}), DEALS)
    row = found.rows.row(0, named=True)
    assert (row["amount"], row["name"], row["deleted"]) == (None, None, False)
    activity = normalize(pl.DataFrame({"Id": ["1"]}), Mapping(Activity, (Line("source_id", "Id", identifier),)))
    assert activity.rows["is_counted"].to_list() == [True]


def test_an_unreadable_value_sets_its_row_aside() -> None:
    """With the id, the vendor's field, the reason, and the row as it came; the others go on."""
    bad = {"Id": "2", "Amount": "12,50 €", "Name": 'a"b\n\x00\U0001f600'}
    found = normalize(deals({"Id": "1"}, bad, {"Id": "3"}), DEALS)
    assert found.rows["source_id"].to_list() == ["1", "3"]
    (reject,) = found.rejects.to_dicts()
    assert (reject["source_id"], reject["field"], reject["reason"]) == ("2", "Amount", "not readable as money")
    assert json.loads(reject["raw"]) == dict.fromkeys(DEALS.raw_schema()) | bad


def test_the_first_fault_of_a_row_is_named() -> None:
    """One reject a row, however much is wrong with it: in the order of the lines."""
    found = normalize(deals({"Id": "1", "IsDeleted": "perhaps", "Amount": "x"}), DEALS)
    assert found.rejects.select("field", "reason").rows() == [("IsDeleted", "not readable as boolean")]


def test_fields_of_a_line_of_two_are_named_together() -> None:
    """It is for a person to see which of them is wrong."""
    both = Codec("sum", lambda a, b: number.decode(a) + number.decode(b))
    mapping = Mapping(Account, (Line("source_id", "Id", identifier), Line("strategic_value", ("A", "B"), both)))
    raw = pl.DataFrame({"Id": ["1", "2", "3"], "A": ["1", "x", None], "B": ["2", "1", " "]})
    found = normalize(raw, mapping)
    assert found.rows.select("source_id", "strategic_value").rows() == [("1", 3.0), ("3", None)]
    assert found.rejects["field"].to_list() == ["A+B"]


def test_a_row_without_an_id_is_set_aside_under_its_content() -> None:
    """The same row gets the same name in every run, another row another one."""
    found = normalize(deals({"Name": "A"}, {"Id": " ", "Name": "A"}, {"Name": "B"}, {"Name": "A"}), DEALS)
    assert found.rows.is_empty()
    assert found.rejects.select("field", "reason").unique().rows() == [("id", "missing")]
    names = found.rejects["source_id"].to_list()
    assert names[0] == names[3]
    assert len(set(names)) == 3
    assert all(name.startswith("row-") for name in names)


@pytest.mark.parametrize(
    ("amounts", "good", "bad"),
    [
        (("1", "2"), [20_000], 0),
        (("x", "2"), [20_000], 0),
        (("1", "x"), [], 1),
        (("x", "y"), [], 1),
    ],
)
def test_of_two_rows_with_one_id_the_last_counts(amounts: tuple[str, str], good: list[int], bad: int) -> None:
    """Readable or not: an older version does not pass for a newer one that cannot be read."""
    found = normalize(deals(*({"Id": "1", "Amount": a} for a in amounts)), DEALS)
    assert found.rows["amount"].to_list() == good
    assert found.rejects.height == bad
    assert found.rejects["raw"].str.contains(amounts[1]).all()


def test_a_page_of_no_rows() -> None:
    """Gives frames of the same types."""
    empty, full = normalize(deals(), DEALS), normalize(deals({"Id": "1"}, {"Id": "2", "Amount": "x"}), DEALS)
    assert empty.rows.is_empty()
    assert empty.rejects.is_empty()
    assert empty.rows.schema == full.rows.schema
    assert empty.rejects.schema == full.rejects.schema


def test_a_codec_that_may_give_null_sets_nothing_aside() -> None:
    """Unknown words of a picklist are no fault."""
    unknown = Codec("unknown", lambda column: pl.when(column == "a").then(column), total=True)
    mapping = Mapping(Account, (Line("source_id", "Id", text), Line("type", "Type", unknown)))
    found = normalize(pl.DataFrame({"Id": ["1", "2"], "Type": ["a", "b"]}), mapping)
    assert found.rows["type"].to_list() == ["a", None]
    assert found.rejects.is_empty()


def test_rows_keep_their_order() -> None:
    """The order in which the CRM sent them, less what was set aside."""
    found = normalize(deals(*({"Id": str(n), "Amount": "x" if n == 5 else "1"} for n in (9, 5, 7, 1))), DEALS)
    assert found.rows["source_id"].to_list() == ["9", "7", "1"]

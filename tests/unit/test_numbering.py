"""Ids become numbers that are equal where the ids are: of one org, alone or among others."""

from __future__ import annotations

import polars as pl

from kammodel.entities import Activity
from kammodel.numbering import Lookup, Numbers, number, pair


def rows(*ids: str | None, source: str = "salesforce", column: str = "person_ids") -> pl.DataFrame:
    told = {column: pl.Series(ids, dtype=pl.String)}
    return pl.DataFrame({"source": [source] * len(ids), "source_instance": ["1"] * len(ids), **told})


def numbered(numbers: Numbers, frame: pl.DataFrame, column: str = "person_ids") -> list[int | None]:
    return numbers.with_numbers(frame, [column])[number(column)].to_list()


def test_equal_ids_have_one_number_in_whatever_column() -> None:
    numbers = Numbers()
    first, second, again = numbered(numbers, rows("p", "q", "p"))
    assert first == again != second
    assert numbered(numbers, rows("q", column="person_id"), "person_id") == [second]


def test_no_id_and_an_empty_one_have_no_number() -> None:
    assert numbered(Numbers(), rows("", None, "p")) == [None, None, 0]


def test_the_same_id_of_another_org_is_another() -> None:
    numbers = Numbers()
    here = numbered(numbers, rows("7"))
    both = pl.concat([rows("7"), rows("7", source="hubspot")])
    assert numbered(numbers, both)[:1] == here
    assert numbered(numbers, both)[1:] != here
    assert numbered(numbers, rows("7", source="hubspot")) == numbered(numbers, both)[1:]


def test_several_ids_are_taken_apart() -> None:
    numbers = Numbers()
    both = pl.concat([rows("p;q"), rows("p;r", source="hubspot"), rows("s", None)])
    found = numbers.each(numbers.with_numbers(both, ["person_ids"]), number("person_ids"))
    found = found.sort("person_ids", number("person_ids"))
    alone = pl.concat([rows("p", "q"), rows("p", "r", source="hubspot"), rows("s")])
    assert found[number("person_ids")].to_list() == numbered(numbers, alone)
    assert found["person_ids"].to_list() == ["p;q", "p;q", "p;r", "p;r", "s"]


def test_numbers_are_given_once() -> None:
    numbers = Numbers()
    once = numbers.added(Activity, rows("p"))
    assert numbers.added(Activity, once) is once


def test_a_lookup_knows_what_it_was_told_and_nothing_else() -> None:
    found = Lookup(pl.Series([3, 1], dtype=pl.UInt32), pl.Series(["c", "a"]))
    assert found.of(pl.Series([1, 2, 3, None, 9], dtype=pl.UInt32)).to_list() == ["a", None, "c", None, None]


def test_a_lookup_of_nothing_finds_nothing() -> None:
    nothing = Lookup(pl.Series(dtype=pl.UInt32), pl.Series(dtype=pl.UInt32))
    assert nothing.of(pl.Series([0, None], dtype=pl.UInt32)).to_list() == [None, None]


def test_pairs_are_equal_where_both_are() -> None:
    most = 2**32 - 1
    frame = pl.DataFrame({"a": [0, most, most, 0], "b": [most, 0, 0, 1]}, schema={"a": pl.UInt32, "b": pl.UInt32})
    assert frame.select(pair("a", "b").is_first_distinct()).to_series().to_list() == [True, True, False, True]

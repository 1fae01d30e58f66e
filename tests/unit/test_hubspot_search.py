"""Changed ids by keyset, and the proof that a slice came whole."""

import datetime as dt
from typing import Any

import pytest

from connectors.contract import Slice
from connectors.errors import TryAgainLater, UnexpectedAnswer
from connectors.hubspot.records import Wish
from connectors.hubspot.search import changed_ids, missing
from tests.unit.hubspot_script import Reply, Script, server

WISH = Wish("companies", ("name",))
SINCE = dt.datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 1, 2, 0, 0, 0, 123_999, tzinfo=dt.UTC)
SPAN = Slice(SINCE, UNTIL)


def answer(*ids: Any, total: Any) -> Reply:
    return 200, {}, {"total": total, "results": [{"id": i, "properties": {}} for i in ids]}


def found(script: Script, span: Slice = SPAN, last: str | None = None) -> list[tuple[list[str], int]]:
    with server(script) as client:
        return [(f.ids, f.total) for f in changed_ids(client, WISH, span, last)]


def test_the_question() -> None:
    """A closed window in whole milliseconds, [since, until), ascending by id, ids and stamps only, 200 at a time."""
    script = Script(answer(total=0))
    assert found(script) == [([], 0)]
    ((_, path, _, body),) = script.asked
    assert path == "/crm/v3/objects/companies/search"
    assert body == {
        "filterGroups": [
            {
                "filters": [
                    {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": "1767312000123"},
                    {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1767225600000"},
                ]
            }
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": ["hs_object_id", "hs_lastmodifieddate"],
        "limit": 200,
    }


def test_the_first_millisecond_is_never_zero() -> None:
    """HubSpot answers a zero with an error 500."""
    script = Script(answer(total=0))
    found(script, Slice(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), UNTIL))
    assert script.asked[0][3]["filterGroups"][0]["filters"][1]["value"] == "1"


def test_ids_are_walked_by_keyset() -> None:
    """Each question asks above the last id, so that 10,000 rows are no limit; the total falls as we go."""
    script = Script(answer("8", "9", total=3), answer("10", total=1))
    assert found(script) == [(["8", "9"], 3), (["10"], 1)]
    filters = [body["filterGroups"][0]["filters"] for *_, body in script.asked]
    assert [f["value"] for f in filters[1] if f["propertyName"] == "hs_object_id"] == ["9"]
    assert len(filters[0]) == 2


def test_it_goes_on_from_a_place() -> None:
    """The last id of an interrupted run."""
    script = Script(answer("12", total=1))
    assert found(script, last="10") == [(["12"], 1)]
    assert script.asked[0][3]["filterGroups"][0]["filters"][2] == {
        "propertyName": "hs_object_id",
        "operator": "GT",
        "value": "10",
    }


def test_ids_out_of_order_or_twice_are_put_right() -> None:
    """By number, each once; the walk goes on from the highest."""
    script = Script(answer("10", "9", "9", 100, total=5), answer("101", "100", total=1))
    assert found(script)[0] == (["9", "10", "100"], 5)
    assert script.asked[1][3]["filterGroups"][0]["filters"][2]["value"] == "100"


def test_a_search_that_stands_still_is_refused() -> None:
    """Only ids that we had: it would never end."""
    with pytest.raises(UnexpectedAnswer, match="does not move on"):
        found(Script(answer("1", "2", total=9), answer("1", "2", total=7)))


@pytest.mark.parametrize("bad", ["x", "", "-1", "1.5", None])
def test_an_id_that_is_no_number_is_refused(bad: Any) -> None:
    """The keyset stands on numbers."""
    with pytest.raises(UnexpectedAnswer, match="numeric id"):
        found(Script(answer(bad, total=1)))


@pytest.mark.parametrize("total", [None, "3", True, 1.5])
def test_a_search_without_a_total_is_refused(total: Any) -> None:
    """Without it we would not know the end."""
    with pytest.raises(UnexpectedAnswer, match="no total"):
        found(Script(answer("1", total=total)))


def test_rows_counted_and_not_shown_are_asked_for_again() -> None:
    """The index does so in bad moments; if it stays so, the run stops."""
    script = Script(answer(total=2), answer("1", "2", total=2))
    assert found(script) == [(["1", "2"], 2)]
    with pytest.raises(TryAgainLater, match="shows none"):
        found(Script(answer(total=2)))


def lacking(read: int, *totals: int) -> tuple[int, list[float], int]:
    """How many rows are missing; the waits and the calls that it took to find out."""
    waits: list[float] = []
    script = Script(*(answer(total=t) if t == 0 else answer("1", total=t) for t in totals))
    with server(script) as client:
        found = missing(client, WISH, SPAN, read, waits.append)
    return found, waits, len(script.asked)


def test_a_whole_slice_is_proven_by_one_count() -> None:
    """As many rows as the CRM counts, or more: what changes meanwhile leaves the window."""
    assert lacking(3, 3) == (0, [], 1)
    assert lacking(3, 1) == (0, [], 1)
    assert lacking(0, 0) == (0, [], 1)


def test_the_index_is_given_time() -> None:
    """A row deleted a moment ago is still counted for some seconds."""
    assert lacking(2, 3, 3, 2) == (0, [2.0, 10.0], 3)


def test_a_short_slice_is_told() -> None:
    """After 42 seconds fewer rows came than are counted."""
    assert lacking(2, 3) == (1, [2.0, 10.0, 30.0], 4)

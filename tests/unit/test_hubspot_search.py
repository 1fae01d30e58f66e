"""Changed ids by keyset, and the proof that a slice came whole."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from connectors.contract import Slice
from connectors.errors import ShortAnswer, TryAgainLater, UnexpectedAnswer
from connectors.hubspot import search
from connectors.hubspot.records import Wish
from connectors.hubspot.search import changed_ids, created_before, merged_since
from tests.unit.hubspot_script import Reply, Script, server

WISH = Wish("companies", ("name",))
SINCE = dt.datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 1, 2, 0, 0, 0, 123_999, tzinfo=dt.UTC)
SPAN = Slice(SINCE, UNTIL)


def answer(*ids: Any, total: Any) -> Reply:
    return 200, {}, {"total": total, "results": [{"id": i, "properties": {}} for i in ids]}


def found(
    script: Script, span: Slice = SPAN, last: str | None = None, sleep: Callable[[float], None] = lambda _: None
) -> list[tuple[list[str], int]]:
    with server(script) as client:
        return [(f.ids, f.total) for f in changed_ids(client, WISH, span, last, sleep)]


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


@pytest.fixture
def _pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 2)


@pytest.mark.usefixtures("_pages_of_two")
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


@pytest.mark.usefixtures("_pages_of_two")
def test_ids_out_of_order_or_twice_are_put_right() -> None:
    """By number, each once; the walk goes on from the highest."""
    script = Script(answer("10", "9", "9", total=3), answer("100", "10", total=1))
    assert found(script) == [(["9", "10"], 3), (["100"], 1)]
    assert script.asked[1][3]["filterGroups"][0]["filters"][2]["value"] == "10"


@pytest.mark.usefixtures("_pages_of_two")
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


def test_an_answer_that_comes_short_is_asked_for_again() -> None:
    """It shows as many as it counts, up to a page: nothing that moves between two answers has a part in it."""
    waits: list[float] = []
    script = Script(answer("1", total=2), answer("1", total=2), answer("1", "2", total=2))
    assert found(script, sleep=waits.append) == [(["1", "2"], 2)]
    assert waits == [2.0, 10.0]


def test_an_answer_that_stays_short_is_told() -> None:
    """After 42 seconds."""
    waits: list[float] = []
    with pytest.raises(ShortAnswer, match="counts 2 companies more than it shows"):
        found(Script(answer("1", total=3)), sleep=waits.append)
    assert waits == [2.0, 10.0, 30.0]


@pytest.mark.parametrize(
    ("kind", "name"), [("companies", "createdate"), ("deals", "createdate"), ("calls", "hs_createdate")]
)
def test_what_was_created_before_is_counted_by_one_call(kind: str, name: str) -> None:
    """With its highest id, which no edit moves."""
    script = Script(answer("77", total=3))
    with server(script) as client:
        assert created_before(client, Wish(kind, ()), UNTIL, 99) == (77, 3)
    ((*_, body),) = script.asked
    assert body["filterGroups"][0]["filters"] == [
        {"propertyName": name, "operator": "LT", "value": "1767312000123"},
        {"propertyName": "hs_object_id", "operator": "LTE", "value": "99"},
    ]
    assert (body["sorts"][0]["direction"], body["limit"]) == ("DESCENDING", 1)


def test_only_kinds_that_tell_their_merged_ids_are_asked_for_them() -> None:
    """All ids that a changed record has taken in."""
    told = {"id": "5", "properties": {"hs_merged_object_ids": "1;2"}}
    script = Script((200, {}, {"total": 1, "results": [told]}))
    with server(script) as client:
        assert list(merged_since(client, WISH, SINCE)) == []
        assert list(merged_since(client, Wish("companies", ("hs_merged_object_ids",)), SINCE)) == ["1", "2"]
    assert len(script.asked) == 1

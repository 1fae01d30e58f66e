"""What a write to companies went over is found in the history of their properties."""

import pytest

from connectors.contract import AccountWrite
from connectors.hubspot.writing import Writer
from tests.unit.hubspot_script import Reply, Script, server
from tests.unit.test_hubspot_writing import FIELD, FIELDS, done


def past(*versions: tuple[str, str], name: str = "kam_tier") -> Reply:
    """The answer to a look back: values and their sources, newest first."""
    listed = [{"value": value, "sourceType": source, "timestamp": "2026-01-01T00:00:00Z"} for value, source in versions]
    return 200, {}, {"results": [{"id": "1", "properties": {}, "propertiesWithHistory": {name: listed}}]}


@pytest.mark.parametrize(
    ("versions", "over"),
    [
        ([("key", "INTEGRATION"), ("growth", "CRM_UI")], {}),
        ([("key", "INTEGRATION")], {}),
        ([("key", "INTEGRATION"), ("standard", "CRM_UI"), ("growth", "INTEGRATION")], {"tier": "standard"}),
        ([("key", "INTEGRATION"), ("", "CRM_UI"), ("growth", "INTEGRATION")], {"tier": None}),
        # Somebody edited it after us, or again, or chose the same as we did, before us and after another value.
        ([("standard", "CRM_UI"), ("key", "INTEGRATION"), ("growth", "CRM_UI")], {}),
        ([("b", "CRM_UI"), ("key", "INTEGRATION"), ("a", "CRM_UI"), ("growth", "INTEGRATION")], {}),
        ([("key", "CRM_UI"), ("a", "CRM_UI"), ("growth", "INTEGRATION")], {}),
        ([("key", "CRM_UI"), ("growth", "INTEGRATION")], {}),
        ([("key", "CRM_UI"), ("standard", "CRM_UI"), ("key", "INTEGRATION"), ("growth", "CRM_UI")], {}),
        # An edit that was taken back, and one made twice.
        ([("key", "INTEGRATION"), ("growth", "CRM_UI"), ("standard", "CRM_UI"), ("growth", "INTEGRATION")], {}),
        ([("key", "API"), ("b", "CRM_UI"), ("a", "CRM_UI"), ("growth", "API")], {"tier": "b"}),
        ([("standard", "CRM_UI"), ("growth", "INTEGRATION")], {}),
        # Sources that nobody has heard of.
        ([("key", "X"), ("standard", "Y"), ("growth", "X")], {"tier": "standard"}),
        ([], {}),
    ],
)
def test_what_a_write_went_over_is_the_value_before_it(
    versions: list[tuple[str, str]], over: dict[str, str | None]
) -> None:
    """Unless it is the value that we had found there."""
    script = Script(done("1"), past(*versions))
    with server(script) as client:
        asked = [AccountWrite("1", {"tier": "key"}, {"tier": "growth"})]
        ((outcome,),) = Writer(client, script.waits.append).write(FIELDS, asked)
    assert (outcome.outcome, outcome.overwritten) == ("written", over)
    assert script.asked[1][3]["propertiesWithHistory"] == ["kam_tier"]


@pytest.mark.parametrize(
    ("versions", "unseen"),
    [
        ([("key", "INTEGRATION"), ("standard", "CRM_UI"), ("growth", "INTEGRATION")], 0),
        ([("standard", "CRM_UI"), ("key", "INTEGRATION"), ("growth", "CRM_UI")], 0),
        ([("key", "CRM_UI"), ("growth", "INTEGRATION")], 0),
        ([], 1),
        # It does not list ours yet: that ends with what we had found, or long ago.
        ([("growth", "CRM_UI")], 1),
        ([("growth", "INTEGRATION"), ("standard", "CRM_UI")], 1),
        # From an unknown source, beside some that are known; and something else has changed it since.
        ([("key", "X"), ("standard", "CRM_UI"), ("growth", "INTEGRATION")], 1),
        ([("standard", "API"), ("key", "INTEGRATION"), ("growth", "INTEGRATION")], 1),
    ],
)
def test_a_history_that_ends_with_neither_ours_nor_a_persons_tells_nothing(
    versions: list[tuple[str, str]], unseen: int
) -> None:
    """In such a cell nobody knows what we went over."""
    script = Script(done("1"), past(*versions))
    with server(script) as client:
        writer = Writer(client, script.waits.append)
        list(writer.write(FIELDS, [AccountWrite("1", {"tier": "key"}, {"tier": "growth"})]))
    assert writer.unseen == unseen


@pytest.mark.parametrize("answer", [past(), (500, {}, b"")])
def test_what_is_not_for_people_is_not_missed(answer: Reply) -> None:
    """Nobody types a stamp."""
    script = Script(done("1"), answer)
    with server(script) as client:
        writer = Writer(client, script.waits.append)
        values: dict[str, str | None] = {"tier": "key", "stamp": "1.abcd"}
        list(writer.write([*FIELDS, FIELD["stamp"]], [AccountWrite("1", values, dict.fromkeys(values))]))
    assert writer.unseen == 1


@pytest.mark.parametrize(
    ("versions", "over"),
    [(("71.50", "70.0"), {}), (("71.5", "70.04", "70"), {"score": "70.04"}), (("71.5", "70.25"), {"score": "70.25"})],
)
def test_numbers_of_the_past_are_compared_as_numbers(versions: tuple[str, ...], over: dict[str, str]) -> None:
    """However they are spelled, with all their decimals; what somebody entered is told in their own spelling."""
    script = Script(done("1"), past(*((v, "INTEGRATION") for v in versions), name="kam_score"))
    with server(script) as client:
        asked = [AccountWrite("1", {"score": "71.5"}, {"score": "70"})]
        ((outcome,),) = Writer(client, script.waits.append).write(FIELDS, asked)
    assert outcome.overwritten == over


@pytest.mark.parametrize("answer", [(500, {}, b""), (403, {}, {"category": "MISSING_SCOPES"}), (200, {}, {})])
def test_a_look_back_that_fails_costs_no_outcome(answer: Reply) -> None:
    """What was written is written; nothing is known of what it went over."""
    script = Script(done("1"), answer)
    with server(script) as client:
        asked = [AccountWrite("1", {"tier": "key"}, {"tier": "growth"})]
        ((outcome,),) = Writer(client, script.waits.append).write(FIELDS, asked)
    assert (outcome.outcome, outcome.overwritten) == ("written", {})


def test_looking_back_can_be_left_out() -> None:
    """For portals whose calls are few; and where nobody knows what was there, there is nothing to compare with."""
    for looks_back, before in ((False, {"tier": "growth"}), (True, None)):
        script = Script(done("1"))
        with server(script) as client:
            writer = Writer(client, script.waits.append, looks_back=looks_back)
            list(writer.write(FIELDS, [AccountWrite("1", {"tier": "key"}, before)]))
        assert len(script.asked) == 1

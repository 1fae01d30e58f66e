"""A portion of a plan in both CRMs: nothing is sent unseen, and what a person enters meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from flows.pipeline.portions import ENDED, Settling
from kammodel.publish.fields import OURS
from tests.pipeline.edited_crm import ALPHA, IBERIA, READ, WRITE, Crm, edited_crm, planned, two_fronts


@pytest.fixture(scope="module")
def fronts() -> Iterator[dict[str, Any]]:
    with two_fronts() as opened:
        yield opened


@pytest.fixture(params=["salesforce", "hubspot"])
def crm(request: pytest.FixtureRequest, fronts: dict[str, Any]) -> Iterator[Crm]:
    with edited_crm(request.param, fronts[request.param]) as made:
        yield made


def settled(crm: Crm, cells: pl.DataFrame | None = None) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Outcome and code of each cell by the account's id, and what is told of values that were written over."""
    frames = list(Settling(crm.connector, OURS).settle(planned(crm) if cells is None else cells))
    ended = pl.concat(frames)
    assert dict(ended.schema) == {name: type_() if isinstance(type_, type) else type_ for name, type_ in ENDED.items()}
    assert not ended.select("source_id", "field").is_duplicated().any()
    rows = ended.iter_rows(named=True)
    return {(r["source_id"], r["field"]): (r["outcome"], r["code"], r["was_over"], r["is_back"]) for r in rows}


WRITTEN, HELD = ("written", None, False, False), ("held", "EDITED", False, False)
PUT_BACK = ("held", "EDITED", True, True)


def outcomes(crm: Crm, number: int, score: Any, tier: Any) -> dict[tuple[str, str], Any]:
    return {(crm.id(number), "score"): score, (crm.id(number), "tier"): tier}


def test_what_is_as_planned_is_written(crm: Crm) -> None:
    """One look, one call."""
    assert settled(crm) == outcomes(crm, ALPHA, WRITTEN, WRITTEN) | outcomes(crm, IBERIA, WRITTEN, WRITTEN)
    assert crm.held(ALPHA) == ("2", "key")
    assert crm.writes() == 1


def test_what_was_edited_since_the_plan_is_not_sent(crm: Crm) -> None:
    """The other field of the account is; an account of which nothing is left is not sent at all."""
    crm.edit(ALPHA, score="7")
    crm.edit(IBERIA, score="7", tier="growth")
    assert settled(crm) == outcomes(crm, ALPHA, HELD, WRITTEN) | outcomes(crm, IBERIA, HELD, HELD)
    assert (crm.held(ALPHA), crm.held(IBERIA)) == (("7", "key"), ("7", "growth"))


@pytest.mark.parametrize("finer", ["1.04", "2.04"])
def test_a_finer_number_is_an_edit(crm: Crm, finer: str) -> None:
    """It rounds to what stood there, or to what is planned: it is not sent over."""
    crm.edit(ALPHA, score=finer)
    assert settled(crm, planned(crm, ALPHA)) == outcomes(crm, ALPHA, HELD, WRITTEN)
    assert crm.held(ALPHA) == (finer, "key")


@pytest.mark.parametrize("finer", ["1.04", "2.04"])
def test_a_finer_number_that_was_written_over_is_put_back(crm: Crm, finer: str) -> None:
    crm.when(WRITE[crm.name], lambda: crm.edit(ALPHA, score=finer))
    assert settled(crm, planned(crm, ALPHA)) == outcomes(crm, ALPHA, PUT_BACK, WRITTEN)
    assert crm.held(ALPHA) == (finer, "key")


def test_what_stands_there_already_costs_no_call(crm: Crm) -> None:
    """Whoever wrote it."""
    for number in (ALPHA, IBERIA):
        crm.edit(number, score="2", tier="key")
    assert set(settled(crm).values()) == {WRITTEN}
    assert crm.writes() == 0


def test_accounts_that_are_gone_are_not_written(crm: Crm) -> None:
    """They are told without a call for them."""
    crm.delete(ALPHA)
    gone = ("gone", "NOT_FOUND", False, False)
    assert settled(crm, planned(crm, ALPHA)) == outcomes(crm, ALPHA, gone, gone)
    assert crm.writes() == 0


def test_an_edit_between_our_look_and_the_write_is_put_back(crm: Crm) -> None:
    """It was written over, is told, and stands there again as it was typed; the other cells stay ours."""
    crm.when(WRITE[crm.name], lambda: crm.edit(ALPHA, score="7.5"))
    assert settled(crm) == outcomes(crm, ALPHA, PUT_BACK, WRITTEN) | outcomes(crm, IBERIA, WRITTEN, WRITTEN)
    assert (crm.held(ALPHA), crm.held(IBERIA)) == (("7.5", "key"), ("2", "key"))


def test_a_field_that_was_cleared_in_that_moment_is_empty_again(crm: Crm) -> None:
    """That was a person's word too."""
    crm.when(WRITE[crm.name], lambda: crm.edit(ALPHA, score=None))
    assert settled(crm)[crm.id(ALPHA), "score"] == PUT_BACK
    assert crm.held(ALPHA) == (None, "key")


def test_nothing_is_put_back_over_what_was_entered_since(crm: Crm) -> None:
    """A person wrote, we wrote over it, they wrote again before it was put back: theirs stays."""
    crm.when(WRITE[crm.name], lambda: crm.edit(ALPHA, score="7"))
    # The first look is that before the write; HubSpot's look back is a read as well.
    quiet = [lambda: None] * (1 if crm.name == "salesforce" else 2)
    crm.when(READ[crm.name], *quiet, lambda: crm.edit(ALPHA, score="9"))
    assert settled(crm)[crm.id(ALPHA), "score"] == PUT_BACK
    assert crm.held(ALPHA) == ("9", "key")


def test_an_edit_while_a_value_is_put_back_is_put_back_in_its_turn(crm: Crm) -> None:
    """The newest that a person entered stands there in the end."""
    crm.when(WRITE[crm.name], lambda: crm.edit(ALPHA, score="7"), lambda: crm.edit(ALPHA, score="8"))
    assert settled(crm)[crm.id(ALPHA), "score"] == PUT_BACK
    assert crm.held(ALPHA) == ("8", "key")


@pytest.mark.parametrize("fault", ["dropped_after", "truncated"])
def test_a_write_without_an_answer_that_came_to_pass(crm: Crm, fault: Any) -> None:
    """Is seen in the CRM, and not sent again."""
    crm.faults.on_path(WRITE[crm.name], fault)
    assert set(settled(crm).values()) == {WRITTEN}
    assert crm.writes() == 1


@pytest.mark.parametrize("fault", ["dropped_before", "html_502", "503"])
def test_a_write_without_an_answer_that_did_not(crm: Crm, fault: Any) -> None:
    """Is sent again once it is seen that nothing has changed."""
    crm.faults.on_path(WRITE[crm.name], fault, times=2)
    assert set(settled(crm).values()) == {WRITTEN}
    assert crm.writes() == 3
    assert crm.held(ALPHA) == ("2", "key")


@pytest.mark.parametrize("fault", ["dropped_before", "dropped_after"])
def test_an_edit_after_a_write_without_an_answer(crm: Crm, fault: Any) -> None:
    """Stays, whether we had written or not; the rest goes on."""
    crm.faults.on_path(WRITE[crm.name], fault)
    crm.when(READ[crm.name], lambda: None, lambda: crm.edit(ALPHA, score="7"))
    assert settled(crm) == outcomes(crm, ALPHA, HELD, WRITTEN) | outcomes(crm, IBERIA, WRITTEN, WRITTEN)
    assert crm.held(ALPHA) == ("7", "key")


def test_a_write_that_stays_without_an_answer_waits(crm: Crm) -> None:
    """Three times, then it is for a later run."""
    crm.faults.on_path(WRITE[crm.name], "html_502", times=99)
    assert {outcome for outcome, *_ in settled(crm).values()} == {"retry"}
    assert crm.writes() == 3


def test_a_crm_that_cannot_be_read_is_not_written_to(crm: Crm) -> None:
    """Its accounts wait for a later run."""
    crm.faults.on_path(READ[crm.name], "503", times=99)
    assert {outcome for outcome, *_ in settled(crm).values()} == {"retry"}
    assert crm.writes() == 0


def test_a_value_that_cannot_be_put_back_is_told(crm: Crm) -> None:
    """Its cell counts as written, for it holds ours; that a person's value was lost is said."""

    def out_of_order() -> None:
        crm.edit(ALPHA, score="7")
        crm.faults.on_path(WRITE[crm.name], "html_502", times=99)

    crm.when(WRITE[crm.name], out_of_order)
    assert settled(crm)[crm.id(ALPHA), "score"] == ("written", None, True, False)
    assert crm.held(ALPHA) == ("2", "key")

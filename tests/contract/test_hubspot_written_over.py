"""What a batch of writes goes over in HubSpot is found in the history of the properties."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract import AccountWrite, WriteOutcome
from connectors.hubspot.connector import HubSpotConnector
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from kammodel.publish.fields import FIELDS, OURS
from tests.contract.hubspot_copy import connected
from tests.contract.hubspot_world import Front, company, open_front, portal, small_book
from tests.contract.meanwhile import meanwhile

ALPHA, IBERIA, BETA_SL, BETA = (str(hubspot_id("companies", n)) for n in range(1, 5))
UPDATE, READ = "POST /crm/v3/objects/companies/batch/update", "POST /crm/v3/objects/companies/batch/read"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def ready(front: Front, there: Portal) -> Portal:
    """A portal with our fields in it, where each company holds the score 1."""
    front.show(there)
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
    for record in list(there.shelf(there.known("companies")).records.values()):
        if record.archived_at is None:
            there.update("companies", record.id, {"kam_score": "1"})
    front.faults.clear()
    return there


def scored(*ids: str) -> list[AccountWrite]:
    return [AccountWrite(i, {"score": "2", "tier": "key"}, {"score": "1", "tier": None}) for i in ids]


def write(connector: HubSpotConnector, *writes: AccountWrite) -> dict[str, WriteOutcome]:
    return {o.source_id: o for batch in connector.write_fields(OURS, writes) for o in batch}


def asked(front: Front, part: str) -> int:
    return sum(part in f"{call.method} {call.path}" for call in front.faults.log)


def test_an_edit_of_that_moment_is_seen(front: Front) -> None:
    """What a person entered after we looked, or cleared; not what they entered before, or what we write ourselves."""
    there = ready(front, portal())

    def people_edit() -> None:
        there.update("companies", ALPHA, {"kam_score": "7.25", "kam_tier": "growth"})
        there.update("companies", IBERIA, {"kam_score": ""})

    meanwhile(front, UPDATE, people_edit)
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA, IBERIA))
    assert {i: (o.outcome, o.overwritten) for i, o in told.items()} == {
        ALPHA: ("written", {"score": "7.25", "tier": "growth"}),
        IBERIA: ("written", {"score": None}),
    }


def test_an_edit_right_after_ours_is_no_loss(front: Front) -> None:
    """It stands there, and is for the next plan to see."""
    there = ready(front, portal())
    meanwhile(front, READ, lambda: there.update("companies", ALPHA, {"kam_score": "9"}))
    with connected(front) as connector:
        assert write(connector, *scored(ALPHA))[ALPHA].overwritten == {}


@pytest.mark.parametrize("sees", [True, False])
def test_a_look_back_costs_two_calls_a_batch(front: Front, sees: bool) -> None:
    """Fifty companies a call; and it can be switched off."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 121)]
    ready(front, portal(book))
    ids = [str(hubspot_id("companies", n)) for n in range(1, 121)]
    with connected(front, look_back=sees) as connector:
        told = write(connector, *scored(*ids))
        # Two more look at them before.
        assert connector.calls.total == connector.write_calls(120) - 2
    assert {(o.outcome, bool(o.overwritten)) for o in told.values()} == {("written", False)}
    assert (asked(front, UPDATE), asked(front, READ)) == (2, 3 if sees else 0)
    assert bool(connector.unseen) is not sees


def test_a_portal_without_history_tells_nothing(front: Front) -> None:
    """What is written is written."""
    there = ready(front, portal(property_history=False))
    meanwhile(front, UPDATE, lambda: there.update("companies", ALPHA, {"kam_score": "7"}))
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA))
    assert (told[ALPHA].outcome, told[ALPHA].overwritten) == ("written", {})
    assert connector.unseen == 2


def test_a_company_that_went_away_meanwhile(front: Front) -> None:
    """Merged or archived: not written, and nothing is looked for there."""
    there = ready(front, portal())

    def people_tidy_up() -> None:
        there.archive("companies", IBERIA)
        there.merge("companies", ALPHA, BETA)

    meanwhile(front, UPDATE, people_tidy_up)
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA, IBERIA, BETA))
    assert {i: (o.outcome, o.kind) for i, o in told.items()} == {
        ALPHA: ("written", None),
        IBERIA: ("gone", "gone"),
        BETA: ("gone", "gone"),
    }


@pytest.mark.parametrize("fault", ["dropped_before", "dropped_after", "truncated", "html_502", "503"])
def test_a_call_without_an_answer_is_made_once(front: Front, fault: Any) -> None:
    """Whether it was carried out or not; the history tells what it went over, if it was."""
    there = ready(front, portal())
    front.faults.on_path(UPDATE, fault)
    meanwhile(front, UPDATE, lambda: there.update("companies", ALPHA, {"kam_score": "7"}))
    with connected(front) as connector:
        assert write(connector, *scored(ALPHA))[ALPHA].outcome == "unclear"
        over = connector.overwritten(OURS, scored(ALPHA))
    assert asked(front, UPDATE) == 1
    assert over == ({ALPHA: {"score": "7"}} if fault in {"dropped_after", "truncated"} else {})


@pytest.mark.parametrize("fault", ["429", "429_retry_after"])
def test_a_call_that_is_plainly_refused_is_made_again(front: Front, fault: Any) -> None:
    """Nothing was carried out."""
    ready(front, portal())
    front.faults.on_path(UPDATE, fault)
    with connected(front) as connector:
        assert write(connector, *scored(ALPHA))[ALPHA].outcome == "written"
    assert asked(front, UPDATE) == 2


def test_what_is_spent_does_not_hide_what_was_gone_over(front: Front) -> None:
    """The look back goes out though no calls are left: what it is about has been done."""
    there = ready(front, portal(rate_limits=True, window_requests=100_000))
    meanwhile(front, UPDATE, lambda: there.update("companies", ALPHA, {"kam_score": "7"}))
    there.settings.daily_requests = 1_000
    with connected(front, call_share=0.001) as connector:
        told = write(connector, *scored(ALPHA))
    assert told[ALPHA].overwritten == {"score": "7"}

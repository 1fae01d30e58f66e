"""Many accounts are written by a bulk job: each row with its own outcome, and what the job leaves goes in batches."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.contract import AccountWrite
from connectors.errors import FieldsNotProvisioned
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.salesforce_connected import Front, connected, held, open_front, org, provisioned, write

SMALL = Sizes(ingest_from=1, ingest_rows=100)
ALPHA, IBERIA, BETA = (salesforce_id("001", n) for n in (1, 2, 4))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_many_accounts_are_written_by_a_job(front: Front) -> None:
    """Values, nothing for empty, text with quotes and line breaks: what is read back is what was written."""
    provisioned(front)
    reason = 'She said "yes", then\r\nleft; à bientôt'
    with connected(front, sizes=SMALL) as connector:
        outcomes = write(
            connector,
            AccountWrite(ALPHA, {"tier": "key", "score": "71.5", "reason": reason}),
            AccountWrite(IBERIA, {"tier": "growth", "scored_on": "2026-05-01"}),
        )
        assert {i: o.outcome for i, o in outcomes.items()} == {ALPHA: "written", IBERIA: "written"}
        write(connector, AccountWrite(ALPHA, {"tier": None}), AccountWrite(IBERIA, {"score": "1"}))
        found = held(connector, ALPHA, IBERIA)
    assert (found[ALPHA]["tier"], found[ALPHA]["score"], found[ALPHA]["reason"]) == (None, "71.5", reason)
    assert (found[IBERIA]["tier"], found[IBERIA]["score"], found[IBERIA]["scored_on"]) == ("growth", "1", "2026-05-01")
    assert front.asked("PATCH /services/data/v66.0/composite/sobjects") == 0
    assert front.asked("DELETE /services/data/v66.0/jobs/ingest/") == 2


def three(value: str = "5") -> list[AccountWrite]:
    return [AccountWrite(i, {"score": value}) for i in (ALPHA, IBERIA, BETA)]


def outcomes_of(
    front: Front, change: Callable[[Org], None], writes: list[AccountWrite] | None = None
) -> dict[str, Any]:
    change(provisioned(front))
    with connected(front, sizes=SMALL) as connector:
        return {i: (o.outcome, o.code) for i, o in write(connector, *(writes or three())).items()}


def test_each_row_of_a_job_has_its_own_outcome(front: Front) -> None:
    """Rows that a rule refuses, and rows that are gone, are told from those that were taken; with a hint what to do."""

    def change(there: Org) -> None:
        rule = ValidationRule("Account", lambda row: row["Id"] == IBERIA, "Call Ms Secret first", "Industry")
        there.settings.validation_rules.append(rule)
        there.delete("Account", BETA)

    assert outcomes_of(front, change) == {
        ALPHA: ("written", None),
        IBERIA: ("rejected", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        BETA: ("gone", "ENTITY_IS_DELETED"),
    }
    with connected(front, sizes=SMALL) as connector:
        told = write(connector, AccountWrite(IBERIA, {"score": "6"}), AccountWrite(ALPHA, {"score": "6"}))[
            IBERIA
        ].message
    assert told is not None
    assert "exempt the user" in told
    assert "Secret" not in told


@pytest.mark.parametrize(("locked_for", "outcome"), [(2, "written"), (99, "retry")])
def test_locked_rows_of_a_job_are_tried_again_alone(front: Front, locked_for: int, outcome: str) -> None:
    """A lock is nobody's fault: only the row that met it is sent again, in small batches."""
    found = outcomes_of(front, lambda there: there.settings.locked_rows.update({IBERIA: locked_for}))
    assert {i: o for i, (o, _) in found.items()} == {ALPHA: "written", IBERIA: outcome, BETA: "written"}


def test_a_job_that_fails_half_way(front: Front) -> None:
    """What it had done is done; of the rows that it does not speak of nobody knows: they have to be read first."""
    found = outcomes_of(front, lambda there: there.settings.bulk.ingest_failures.append((1, "Timeout: too slow")))
    assert sorted(o for o, _ in found.values()) == ["unclear", "unclear", "written"]
    assert front.asked("composite/sobjects") == 0


def test_a_page_of_html_is_no_result_of_a_job(front: Front) -> None:
    """With status 200 it would read as a CSV without rows, as if the job had taken none: it is asked for again."""
    provisioned(front)
    inner, pages = front.app, [b"<html><body>Down for maintenance</body></html>"]
    assert inner is not None

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        if pages and scope.get("path", "").endswith("successfulResults"):
            await Response(pages.pop(), media_type="text/html")(scope, receive, send)
        else:
            await inner(scope, receive, send)

    front.app = edge
    with connected(front, sizes=SMALL) as connector:
        assert {o.outcome for o in write(connector, *three()).values()} == {"written"}
    assert front.asked("PATCH /services/data/v66.0/composite/sobjects") == 0


def test_a_job_that_cannot_be_taken_away(front: Front) -> None:
    """Its outcomes are told all the same: it goes by itself after some days."""
    provisioned(front)
    front.faults.on_path("DELETE /services/data/v66.0/jobs/ingest/", "503", times=99)
    with connected(front, sizes=SMALL) as connector:
        assert {o.outcome for o in write(connector, *three()).values()} == {"written"}


@pytest.mark.parametrize("fails", [True, False])
def test_fields_that_a_job_does_not_know(front: Front, *, fails: bool) -> None:
    """A column that does not exist stops the write, whether Salesforce refuses it or passes it over in silence."""
    front.show(org(bulk=BulkSettings(unknown_column_fails=fails)))
    with connected(front, sizes=SMALL) as connector, pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, *three())


def test_an_upload_whose_answer_was_lost(front: Front) -> None:
    """A job takes one file; where it is not clear that it has it, another job is made, and the first one dropped."""
    provisioned(front)
    front.faults.on_path("/batches", "dropped_after")
    with connected(front, sizes=SMALL) as connector:
        assert {o.outcome for o in write(connector, *three()).values()} == {"written"}


def test_without_jobs_accounts_are_written_in_batches(front: Front) -> None:
    """Where Bulk is closed, Collections do the same with more calls."""
    provisioned(front, bulk=BulkSettings(daily_batches=0))
    with connected(front, sizes=SMALL) as connector:
        assert connector.write_portion(3) == SMALL.ingest_rows
        assert {o.outcome for o in write(connector, *three()).values()} == {"unclear"}
        assert {o.outcome for o in write(connector, *three()).values()} == {"written"}
        assert connector.write_portion(3) == connector.write_batch

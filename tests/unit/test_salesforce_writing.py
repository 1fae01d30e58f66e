"""How the Salesforce connector reads the answer to a batch of writes."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests
import responses

from connectors.contract import AccountWrite, WriteOutcome
from connectors.errors import FieldsNotProvisioned, RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from kammodel.publish.fields import OURS

HOST = "https://acme.my.salesforce.com"
BATCH = f"{HOST}/services/data/v66.0/composite/sobjects"
FIRST, SECOND = "001000000000001AAA", "001000000000002AAA"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{HOST}/services/oauth2/token", json={"access_token": "t"})
        yield mock


@pytest.fixture
def connector() -> Iterator[SalesforceConnector]:
    settings = SalesforceSettings(instance_url=HOST, client_id="k", client_secret="s")
    held = SalesforceConnector(settings, patience=Patience(tries=2, sleep=lambda _: None))
    yield held
    held.close()


def done(record_id: str) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": []}


def failed(code: str | None, message: str = "a value of a stranger") -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": ["KAM_Score__c"]}]}


def write(connector: SalesforceConnector, *ids: str, **values: str | None) -> list[WriteOutcome]:
    writes = [AccountWrite(i, values or {"score": "1"}) for i in ids]
    return [outcome for batch in connector.write_fields(OURS, writes) for outcome in batch]


def test_what_is_sent(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Numbers with all their digits and without quotes, null to clear, rows in the order given, each on its own."""
    wire.patch(BATCH, json=[done(FIRST), done(SECOND)])
    write(connector, FIRST, SECOND, revenue_ttm="1234567890123456.78", score="87.50", tier="key", reason=None)
    raw = wire.calls[-1].request.body
    assert b'"KAM_Revenue_Ttm__c":1234567890123456.78' in raw
    sent = orjson.loads(raw)
    assert sent["allOrNone"] is False
    assert [r["id"] for r in sent["records"]] == [FIRST, SECOND]
    values = {k: v for k, v in sent["records"][0].items() if k != "KAM_Revenue_Ttm__c"}
    assert values == {
        "attributes": {"type": "Account"},
        "id": FIRST,
        "KAM_Score__c": 87.5,
        "KAM_Tier__c": "key",
        "KAM_Reason__c": None,
    }


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "", ("rejected", "validation")),
        ("ENTITY_IS_LOCKED", "", ("rejected", "lock")),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "", ("rejected", "permission")),
        ("DUPLICATES_DETECTED", "", ("rejected", "duplicate")),
        ("STORAGE_LIMIT_EXCEEDED", "", ("rejected", "quota")),
        ("SOMETHING_NEW", "", ("rejected", "other")),
        ("ENTITY_IS_DELETED", "", ("gone", "gone")),
        ("INVALID_CROSS_REFERENCE_KEY", "", ("gone", "gone")),
        ("SERVER_UNAVAILABLE", "", ("retry", "other")),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "KamTrigger: UNABLE_TO_LOCK_ROW", ("retry", "lock")),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "KamTrigger: null pointer", ("rejected", "validation")),
        (None, "", ("retry", "other")),
    ],
)
def test_what_a_row_says(
    wire: responses.RequestsMock,
    connector: SalesforceConnector,
    code: str | None,
    message: str,
    outcome: tuple[str, str],
) -> None:
    """Gone, not now, or never, and why: by the code, and by the lock that an automation hit."""
    wire.patch(BATCH, json=[failed(code, message)])
    (told,) = write(connector, FIRST)
    assert (told.outcome, told.kind) == outcome
    assert "stranger" not in str(told.message)


def test_rows_that_name_their_ids_are_matched_by_them(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """Whatever the order: the id is the better proof."""
    wire.patch(BATCH, json=[{**failed("DELETED"), "id": SECOND}, done(FIRST)])
    outcomes = write(connector, FIRST, SECOND)
    assert [(o.source_id, o.outcome) for o in outcomes] == [(FIRST, "written"), (SECOND, "rejected")]


def test_rows_in_another_order_are_refused(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """An outcome must not be taken for that of another account."""
    wire.patch(BATCH, json=[failed("DELETED"), done(FIRST)])
    with pytest.raises(UnexpectedAnswer, match="order"):
        write(connector, FIRST, SECOND)


def test_short_ids_are_the_same_ids(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """An answer may name a row by fifteen characters."""
    wire.patch(BATCH, json=[done(FIRST[:15])])
    assert write(connector, FIRST) == [WriteOutcome(FIRST, "written")]


@pytest.mark.parametrize(
    "answer",
    [
        {"json": [done(FIRST)]},
        {"body": "[{"},
        {"status": 500, "json": [{"errorCode": "UNKNOWN_EXCEPTION", "message": ""}]},
        {"status": 502, "body": "<html>"},
        {"status": 503, "body": ""},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.ReadTimeout("late")},
    ],
)
def test_a_write_that_may_have_been_carried_out_is_not_sent_twice(
    wire: responses.RequestsMock, connector: SalesforceConnector, answer: dict[str, Any]
) -> None:
    """An answer that is not whole, a server that broke down, a connection that did: nobody knows what became of it."""
    sent = wire.patch(BATCH, **answer)
    assert [o.outcome for o in write(connector, FIRST, SECOND)] == ["unclear", "unclear"]
    assert sent.call_count == 1


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 503, "headers": {"Retry-After": "1"}, "body": ""},
        {"status": 429, "body": ""},
        {"body": requests.exceptions.ConnectTimeout("nobody there")},
        {"status": 401, "json": [{"errorCode": "INVALID_SESSION_ID", "message": ""}]},
    ],
)
def test_a_write_that_was_plainly_refused_is_sent_again(
    wire: responses.RequestsMock, connector: SalesforceConnector, refusal: dict[str, Any]
) -> None:
    """It has not come to pass."""
    wire.patch(BATCH, **refusal)
    wire.patch(BATCH, json=[done(FIRST)])
    assert [o.outcome for o in write(connector, FIRST)] == ["written"]


@pytest.mark.parametrize("code", ["INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"])
@pytest.mark.parametrize("whole", [True, False])
def test_missing_field_is_about_all_rows(
    wire: responses.RequestsMock, connector: SalesforceConnector, code: str, whole: bool
) -> None:
    """The write stops with the command to run, whether the call or each row is refused."""
    body = [{"errorCode": code, "message": ""}] if whole else [failed(code)]
    wire.patch(BATCH, status=400 if whole else 200, json=body)
    with pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, FIRST)


def test_batches_that_fail_for_now_are_left_to_a_later_run(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """One is left over as `retry`; three in a row are not about the rows, and stop the run."""
    ids = [f"001{n:015}" for n in range(401)]
    wire.patch(BATCH, status=429, body="")
    wire.patch(BATCH, status=429, body="")
    wire.patch(BATCH, json=[done(i) for i in ids[200:400]])
    wire.patch(BATCH, json=[done(ids[400])])
    outcomes = [o.outcome for o in write(connector, *ids)]
    assert outcomes == ["retry"] * 200 + ["written"] * 201
    wire.replace("PATCH", BATCH, status=429, body="")
    with pytest.raises(TryAgainLater):
        write(connector, *[f"001{n:015}" for n in range(600)])


def test_malformed_request_is_an_error(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """What is wrong with the call itself is no outcome of its rows."""
    wire.patch(BATCH, status=400, json=[{"errorCode": "JSON_PARSER_ERROR", "message": ""}])
    with pytest.raises(RequestRefused):
        write(connector, FIRST)


def over(connector: SalesforceConnector) -> WriteOutcome:
    """The outcome of a write over something known."""
    asked = [AccountWrite(FIRST, {"score": "2"}, {"score": "1"})]
    ((outcome,),) = connector.write_fields(OURS, asked)
    return outcome


def halves(look: Any, write: Any, *, look_status: int = 200, status: int = 200) -> dict[str, Any]:
    """The answer to a composite that looks and then writes."""
    parts = [("written", write, status), ("before", look, look_status)]
    return {"compositeResponse": [{"referenceId": r, "body": b, "httpStatusCode": s} for r, b, s in parts]}


def test_what_is_sent_to_look_and_write_at_once(wire: responses.RequestsMock, connector: SalesforceConnector) -> None:
    """Two calls in one, one after the other; what stood there is told with all its digits."""
    stood = {"Id": FIRST[:15], "KAM_Score__c": 70.25}
    wire.post(f"{HOST}/services/data/v66.0/composite", json=halves([stood], [done(FIRST)]))
    assert over(connector) == WriteOutcome(FIRST, "written", overwritten={"score": "70.25"})
    sent = orjson.loads(wire.calls[-1].request.body)
    assert (sent["allOrNone"], sent["collateSubrequests"]) == (False, False)
    look, write_ = sent["compositeRequest"]
    assert (look["method"], look["url"]) == ("POST", "/services/data/v66.0/composite/sobjects/Account")
    assert look["body"] == {"ids": [FIRST], "fields": ["Id", "KAM_Score__c"]}
    assert (write_["method"], write_["url"]) == ("PATCH", "/services/data/v66.0/composite/sobjects")
    assert [r["id"] for r in write_["body"]["records"]] == [FIRST]


@pytest.mark.parametrize(
    "answer",
    [
        {"compositeResponse": []},
        halves([], None),
        halves([], []),
        halves([], [{"errorCode": "UNKNOWN_EXCEPTION", "message": ""}], status=500),
    ],
)
def test_a_composite_that_does_not_tell_of_its_write(
    wire: responses.RequestsMock, connector: SalesforceConnector, answer: Any
) -> None:
    """Nobody knows what became of it."""
    wire.post(f"{HOST}/services/data/v66.0/composite", json=answer)
    assert over(connector).outcome == "unclear"


@pytest.mark.parametrize(
    ("status", "answer", "times"),
    [
        (400, [{"errorCode": "JSON_PARSER_ERROR", "message": ""}], 1),
        (403, [{"errorCode": "FUNCTIONALITY_NOT_ENABLED", "message": ""}], 1),
        (200, halves([], [{"errorCode": "INVALID_INPUT", "message": ""}], status=400), 1),
        (200, halves([{"errorCode": "INVALID_INPUT", "message": ""}], [done(FIRST)], look_status=400), 1),
        (200, halves([None], [done(FIRST)]), 2),
    ],
)
def test_a_composite_that_does_not_look(
    wire: responses.RequestsMock, connector: SalesforceConnector, status: int, answer: Any, times: int
) -> None:
    """Is left out from then on; what it had not written is written without. That an account is not there is fine."""
    composite = wire.post(f"{HOST}/services/data/v66.0/composite", status=status, json=answer)
    wire.patch(BATCH, json=[done(FIRST)])
    assert [over(connector) for _ in range(2)] == [WriteOutcome(FIRST, "written")] * 2
    assert composite.call_count == times


def test_a_batch_that_a_composite_may_not_write_now(
    wire: responses.RequestsMock, connector: SalesforceConnector
) -> None:
    """Is for a later run, as it is without one."""
    lock = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": ""}]
    wire.post(f"{HOST}/services/data/v66.0/composite", json=halves([], lock, status=400))
    assert (over(connector).outcome, over(connector).code) == ("retry", "UNABLE_TO_LOCK_ROW")

"""The sandbox portal's batches: up to a hundred records a call, refused whole or in part."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot.crm.companies.exceptions import ApiException

from connectors.sandbox.hubspot.ids import hubspot_id
from tests.contract.hubspot_world import Front, open_front, portal

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
COMPANIES = "/crm/v3/objects/companies"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def companies(front: Front) -> Any:
    return front.api(lambda c: c.crm.companies.basic_api)


def batches(front: Front) -> Any:
    return front.api(lambda c: c.crm.companies.batch_api)


def error(caught: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    return json.loads(caught.value.body)


def test_a_batch_read_reports_missing_ids(front: Front) -> None:
    """What is there comes, the rest is one entry of a 207."""
    front.show(portal())
    read = batches(front).read({"inputs": [{"id": ALPHA}, {"id": GONE}, {"id": "7"}], "properties": ["name"]})
    assert [c.properties["name"] for c in read.results] == ["Alpha"]
    assert (read.num_errors, read.errors[0].category, read.errors[0].context) == (
        1,
        "OBJECT_NOT_FOUND",
        {"ids": [GONE, "7"]},
    )


def test_a_batch_update_comes_back_in_another_order(front: Front) -> None:
    """Results are matched by id, never by place."""
    front.show(portal())
    inputs = [{"id": i, "properties": {"country": "Italy"}} for i in (ALPHA, IBERIA, BETA)]
    assert [c.id for c in batches(front).update({"inputs": inputs}).results] == [BETA, IBERIA, ALPHA]


def test_one_bad_value_refuses_a_whole_batch(front: Front) -> None:
    """Without trace ids nothing is written."""
    there = front.show(portal())
    inputs = [{"id": ALPHA, "properties": {"country": "Italy"}}, {"id": BETA, "properties": {"type": "FRIEND"}}]
    with pytest.raises(ApiException) as caught:
        batches(front).update({"inputs": inputs})
    assert caught.value.status == 400
    assert there.value(there.existing(there.known("companies"), ALPHA), "country") is None


@pytest.mark.parametrize(("knob", "status"), [(True, 207), (False, 400)])
def test_trace_ids_let_the_good_rows_through(front: Front, knob: bool, status: int) -> None:
    """Each input traced: only the bad one is refused, where the portal does that on update."""
    there = front.show(portal(trace_ids_on_update=knob))
    inputs = [
        {"id": ALPHA, "properties": {"country": "Italy"}, "objectWriteTraceId": "a"},
        {"id": BETA, "properties": {"type": "FRIEND"}, "objectWriteTraceId": "b"},
    ]
    answer = front.post(f"{COMPANIES}/batch/update", {"inputs": inputs})
    assert answer.status_code == status
    if knob:
        assert answer.json()["errors"][0]["context"] == {"objectWriteTraceId": ["b"]}
    country = there.value(there.existing(there.known("companies"), ALPHA), "country")
    assert country == ("Italy" if knob else None)


def test_an_id_twice_refuses_a_whole_batch(front: Front) -> None:
    """Trace ids or not."""
    front.show(portal())
    with pytest.raises(ApiException) as caught:
        batches(front).update({"inputs": [{"id": ALPHA, "properties": {}}, {"id": ALPHA, "properties": {}}]})
    assert (caught.value.status, error(caught)["context"]) == (400, {"ids": [ALPHA]})


def test_merged_and_archived_ids_make_a_batch_update_partial(front: Front) -> None:
    """Unlike a single PATCH, a batch does not follow merges."""
    front.show(portal())
    inputs = [{"id": i, "properties": {"country": "Italy"}} for i in (ALPHA, BETA_SL, GONE)]
    answer = batches(front).update({"inputs": inputs})
    assert [c.id for c in answer.results] == [ALPHA]
    assert answer.errors[0].context == {"ids": [BETA_SL, GONE]}
    assert companies(front).update(BETA_SL, {"properties": {"country": "Italy"}}).id == BETA


def test_more_than_a_hundred_inputs_are_refused(front: Front) -> None:
    """Reads and writes alike; fifty with history."""
    front.show(portal())
    inputs = [{"id": str(i), "properties": {}} for i in range(1, 102)]
    assert front.post(f"{COMPANIES}/batch/update", {"inputs": inputs}).status_code == 400
    ids = [{"id": str(i)} for i in range(1, 52)]
    with_history = {"inputs": ids, "properties": [], "propertiesWithHistory": ["name"]}
    assert front.post(f"{COMPANIES}/batch/read", with_history).status_code == 400
    assert front.post(f"{COMPANIES}/batch/read", {"inputs": ids}).status_code == 207


def test_batch_create_and_archive(front: Front) -> None:
    """201 with the records, links made on the way; then 204."""
    front.show(portal())
    link = {"to": {"id": ALPHA}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]}
    deals = front.api(lambda c: c.crm.deals.batch_api)
    body = {"inputs": [{"properties": {"dealname": "A", "dealstage": "qualified"}, "associations": [link]}]}
    [made] = deals.create(body).results
    path = f"/crm/v3/objects/deals/{made.id}"
    assert front.get(f"{path}?associations=companies").json()["associations"]["companies"]["results"][0]["id"] == ALPHA
    deals.archive({"inputs": [{"id": made.id}]})
    assert front.get(path).status_code == 404

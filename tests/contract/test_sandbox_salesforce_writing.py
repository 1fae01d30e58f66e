"""Writing to the sandbox org over HTTP: single records, Collections, rows that fail, permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import ACME, BETA, GONE, LATER, Desk, open_desk, small_org

Json = dict[str, Any]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def row(record_id: str, **values: Any) -> Json:
    return {"attributes": {"type": "Account"}, "id": record_id, **values}


def patched(desk: Desk, *rows: Json, **more: Any) -> Any:
    """The results of a Collections update."""
    answer = desk.call("PATCH", "composite/sobjects", json={"records": list(rows), **more})
    assert answer.status_code == 200
    return answer.json()


def codes(results: list[Json]) -> list[str]:
    """The status code of each row, `ok` for one that was written."""
    return ["ok" if one["success"] else one["errors"][0]["statusCode"] for one in results]


def test_simple_salesforce_creates_reads_updates_deletes(desk: Desk) -> None:
    """One record's life; null clears, an absent key leaves."""
    org = desk.show(small_org())
    with signed_in(desk.url) as sf:
        made = sf.Account.create({"Name": "New", "Industry": "Energy", "Phone": "1"})["id"]
        org.clock.advance(LATER)
        assert sf.Account.update(made, {"Industry": None}) == 204
        record = sf.Account.get(made)
        assert sf.Account.delete(made) == 204
        with pytest.raises(SalesforceResourceNotFound) as gone:
            sf.Account.get(made)
    assert (record["Industry"], record["Phone"]) == (None, "1")
    assert record["LastModifiedDate"] == record["SystemModstamp"] == "2026-05-01T13:00:00.000+0000"
    assert record["LastModifiedById"] == org.integration_user_id
    assert gone.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_refused_record_has_code_message_and_fields(desk: Desk) -> None:
    """As an array, with errorCode."""
    desk.show(small_org())
    with signed_in(desk.url) as sf, pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Account.update(ACME, {"Site": "x" * 81})
    assert refused.value.content == [
        {
            "errorCode": "STRING_TOO_LONG",
            "fields": ["Site"],
            "message": f"Account Site: data value too large: {'x' * 81} (max length=80)",
        }
    ]


def test_an_external_id_finds_or_makes_a_record(desk: Desk) -> None:
    """201 and created, then 200; two with one value are a choice of 300."""
    org = desk.show(small_org())
    path = "sobjects/Account/HubSpot_Company_Id__c/a%2Fb"
    answers = [desk.call("PATCH", path, json={"Name": name}) for name in ("One", "Two")]
    assert [(a.status_code, a.json()["created"]) for a in answers] == [(201, True), (200, False)]
    assert desk.get(path, fields="Name")["Name"] == "Two"
    org.create("Account", {"Name": "Three", "HubSpot_Company_Id__c": "a/b"})
    assert desk.call("GET", path).status_code == 300
    assert desk.call("PATCH", "sobjects/Account/HubSpot_Company_Id__c/zz?updateOnly=true", json={}).status_code == 404


def test_a_collection_has_one_result_per_row_in_order(desk: Desk) -> None:
    """200 even where rows fail; good rows are written."""
    rule = ValidationRule("Account", lambda record: record["Site"] == "no", "Not this site.", "Site")
    org = desk.show(small_org(validation_rules=[rule]))
    results = patched(
        desk,
        row(ACME, Site="yes"),
        row(BETA, Site="no"),
        row(GONE, Site="yes"),
        row(salesforce_id("001", 99), Site="yes"),
        row("nonsense", Site="yes"),
        row(ACME, Site="again"),
        row(BETA[:15], AnnualRevenue="12.5"),
        {"attributes": {"type": "Account"}, "Site": "yes"},
        {"attributes": {"type": "Nothing"}, "id": ACME},
        row(BETA, Nothing__c=1),
    )
    assert codes(results) == [
        "ok",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
        "INVALID_TYPE",
        "DUPLICATE_VALUE",
    ]
    assert results[0] == {"id": ACME, "success": True, "errors": []}
    assert results[1] == {
        "success": False,
        "errors": [
            {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Not this site.", "fields": ["Site"]}
        ],
    }
    acme = org.record("Account", ACME)
    assert acme is not None
    assert acme["Site"] == "yes"


def test_all_or_none_takes_everything_back(desk: Desk) -> None:
    """The good rows say so, and nothing has changed, stamps included."""
    org = desk.show(small_org())
    before = org.record("Account", ACME)
    results = patched(desk, row(ACME, Site="yes"), row(BETA, Site="x" * 81), allOrNone=True)
    assert codes(results) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "STRING_TOO_LONG"]
    assert org.record("Account", ACME) == before


def test_a_value_of_a_wrong_type_refuses_the_whole_call(desk: Desk) -> None:
    """400 JSON_PARSER_ERROR, and no row is written."""
    org = desk.show(small_org())
    body = {"records": [row(ACME, Site="yes"), row(BETA, AnnualRevenue="many")]}
    answer = desk.call("PATCH", "composite/sobjects", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert desk.call("PATCH", "composite/sobjects", data=b'{"records": [').status_code == 400
    acme = org.record("Account", ACME)
    assert acme is not None
    assert acme["Site"] is None


def test_a_collection_has_at_most_200_rows_and_10_chunks(desk: Desk) -> None:
    """400 for more."""
    desk.show(small_org())
    many = [row(salesforce_id("001", n)) for n in range(201)]
    mixed = [{"attributes": {"type": t}, "id": ACME} for _ in range(6) for t in ("Account", "Contact")]
    for rows in (many, mixed):
        assert desk.call("PATCH", "composite/sobjects", json={"records": rows}).status_code == 400


def test_a_locked_row_is_refused_as_often_as_told(desk: Desk) -> None:
    """Its neighbours are written."""
    desk.show(small_org(locked_rows={ACME: 2}))
    tries = [codes(patched(desk, row(ACME, Site="yes"), row(BETA, Site="yes"))) for _ in range(3)]
    assert tries == [["UNABLE_TO_LOCK_ROW", "ok"], ["UNABLE_TO_LOCK_ROW", "ok"], ["ok", "ok"]]


def test_collections_create_retrieve_and_delete(desk: Desk) -> None:
    """With null for an id that is not there."""
    desk.show(small_org())
    new = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("A", "B")]
    made = [one["id"] for one in desk.call("POST", "composite/sobjects", json={"records": new}).json()]
    wanted = {"ids": [made[1], salesforce_id("003", 999), made[0]], "fields": ["LastName"]}
    got = desk.call("POST", "composite/sobjects/Contact", json=wanted).json()
    assert [one and one["LastName"] for one in got] == ["B", None, "A"]
    gone = desk.call("DELETE", "composite/sobjects", params={"ids": f"{made[0]},{GONE}", "allOrNone": "false"})
    assert codes(gone.json()) == ["ok", "ENTITY_IS_DELETED"]


def test_a_field_or_object_without_permission_is_not_written(desk: Desk) -> None:
    """Hidden, read-only and derived fields alike; and an object that may only be read."""
    desk.show(small_org(hidden_fields=frozenset({"Account.Site"}), read_only_objects=frozenset({"Contact"})))
    results = patched(desk, row(ACME, Site="x"), row(BETA, SystemModstamp="2026-01-01T00:00:00Z"))
    assert codes(results) == ["INVALID_FIELD_FOR_INSERT_UPDATE"] * 2
    assert results[0]["errors"][0]["fields"] == ["Site"]
    refused = desk.call("PATCH", f"sobjects/Contact/{salesforce_id('003', 1)}", json={"Title": "x"})
    assert refused.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert desk.call("POST", "sobjects/OpportunityStage", json={"MasterLabel": "x"}).status_code == 400

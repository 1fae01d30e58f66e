"""The HubSpot connector makes, reads and writes the fields that we publish."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import AccountWrite, Slice, WriteOutcome
from connectors.errors import FieldsNotProvisioned, PermissionMissing
from connectors.hubspot.connector import HubSpotConnector
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ALL_SCOPES
from kammodel.publish.fields import FIELDS, CustomField
from tests.contract.hubspot_copy import Copy, connected, read_all
from tests.contract.hubspot_world import NOW, Front, company, open_front, portal, small_book

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
WRITTEN = tuple(f for f in FIELDS if f.key in {"tier", "score", "reason", "revenue_ttm", "win_rate", "scored_on"})
VALUES: dict[str, str | None] = {
    "tier": "key",
    "score": "71.5",
    "reason": 'Won a lot; "growing" <fast>\nsince May',
    "revenue_ttm": "1234567.89",
    "win_rate": "45.5",
    "scored_on": "2026-11-02",
}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def there(front: Front) -> Portal:
    """A portal with our fields in it."""
    return provisioned(front, portal())


def provisioned(front: Front, shown: Portal) -> Portal:
    front.show(shown)
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
    return shown


def held(connector: HubSpotConnector, ids: list[str], fields: tuple[CustomField, ...] = WRITTEN) -> dict[str, Any]:
    rows = [row for frame in connector.read_fields(fields, ids) for row in frame.to_dicts()]
    return {row.pop("source_id"): row for row in rows}


def write(connector: HubSpotConnector, *writes: AccountWrite) -> dict[str, WriteOutcome]:
    outcomes = [o for batch in connector.write_fields(WRITTEN, writes) for o in batch]
    assert len(outcomes) == len(writes)
    return {o.source_id: o for o in outcomes}


def modified(there: Portal, record_id: str) -> int:
    return there.existing(there.known("companies"), record_id).modified


def test_provisioning_makes_what_is_missing_once(front: Front) -> None:
    """A group and all properties; the second time there is nothing to do."""
    front.show(portal())
    with connected(front) as connector:
        assert connector.missing_fields(FIELDS) == [f.hubspot_name for f in FIELDS]
        first = connector.provision(FIELDS, "en")
        second = connector.provision(FIELDS, "en")
        assert connector.missing_fields(FIELDS) == []
    assert first.created == tuple(f.hubspot_name for f in FIELDS)
    assert (second.created, second.changed, second.unchanged) == ((), (), first.created)
    tier = front.get("/crm/v3/properties/companies/kam_tier").json()
    assert (tier["type"], tier["fieldType"], tier["groupName"], tier["label"]) == (
        "enumeration",
        "select",
        "kam",
        "KAM tier",
    )
    assert [o["value"] for o in tier["options"]] == ["strategic", "key", "growth", "standard", "provisional"]


def test_provisioning_in_another_language_changes_labels_only(front: Front, there: Portal) -> None:
    """And keeps the options that a person added."""
    there.catalog.allow(there.known("companies"), "kam_tier", {"lost": "Lost"})
    with connected(front) as connector:
        told = connector.provision(FIELDS, "es")
    assert (told.created, len(told.changed)) == ((), len(FIELDS))
    tier = front.get("/crm/v3/properties/companies/kam_tier").json()
    assert (tier["label"], [o["value"] for o in tier["options"]][-1]) == ("Nivel KAM", "lost")


def test_provisioning_completes_what_is_half_there(front: Front, there: Portal) -> None:
    """An option and a property are missing: both come; a property out of the bin comes back with its values."""
    definition = there.catalog.get(there.known("companies"), "kam_tier")
    assert definition is not None
    del definition.options[1]
    there.update("companies", ALPHA, {"kam_score": "7"})
    front.call("DELETE", "/crm/v3/properties/companies/kam_score")
    with connected(front) as connector:
        told = connector.provision(FIELDS, "en")
        assert held(connector, [ALPHA])[ALPHA]["score"] == "7"
    assert (told.created, told.changed) == (("kam_score",), ("kam_tier",))
    assert told.notes == ("kam_score was in the bin and is restored with its old values",)


def test_a_property_of_another_type_is_refused_before_anything_is_made(front: Front) -> None:
    """The message names it and what to do."""
    front.show(portal())
    body = {"name": "kam_score", "label": "x", "type": "string", "fieldType": "text", "groupName": "companyinformation"}
    front.post("/crm/v3/properties/companies", body)
    with connected(front) as connector:
        with pytest.raises(FieldsNotProvisioned, match="kam_score exists with type string, kam needs number"):
            connector.provision(FIELDS, "en")
        assert "kam_score (of type string, kam needs number)" in connector.missing_fields(FIELDS)
    assert front.get("/crm/v3/properties/companies/groups/kam").status_code == 404


def test_provisioning_without_the_scope_names_it(front: Front) -> None:
    """Writing companies does not include making their properties."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.schemas.companies.write"}))
    with connected(front) as connector, pytest.raises(PermissionMissing, match=r"crm\.schemas\.companies\.write"):
        connector.provision(FIELDS, "en")


def test_what_is_exported_can_be_posted(front: Front, tmp_path: Path) -> None:
    """An admin's two calls make the same portal as provisioning does."""
    front.show(portal())
    with connected(front) as connector:
        group, properties, guide = connector.export_provisioning(FIELDS, "en", tmp_path)
        path = "/crm/v3/properties/companies"
        assert front.post(f"{path}/groups", json.loads(group.read_bytes())).status_code == 201
        assert front.post(f"{path}/batch/create", json.loads(properties.read_bytes())).status_code == 201
        assert connector.provision(FIELDS, "en").unchanged == tuple(f.hubspot_name for f in FIELDS)
    assert all(f.hubspot_name in guide.read_text() for f in FIELDS)


def test_what_is_written_is_read_back(front: Front, there: Portal) -> None:
    """In canonical text, to the last decimal."""
    with connected(front) as connector:
        assert write(connector, AccountWrite(ALPHA, VALUES))[ALPHA].outcome == "written"
        assert held(connector, [ALPHA, IBERIA]) == {ALPHA: VALUES, IBERIA: dict.fromkeys(VALUES)}
    assert there.existing(there.known("companies"), ALPHA).values["kam_revenue_ttm"] == "1234567.89"


@pytest.mark.parametrize("reads_as_empty", [True, False])
def test_none_clears(front: Front, reads_as_empty: bool) -> None:
    """And a cleared field reads as none."""
    provisioned(front, portal(cleared_reads_as_empty=reads_as_empty))
    with connected(front) as connector:
        write(connector, AccountWrite(ALPHA, VALUES))
        write(connector, AccountWrite(ALPHA, {"tier": None, "score": None, "scored_on": None, "reason": None}))
        left = {key: value for key, value in held(connector, [ALPHA])[ALPHA].items() if value is not None}
    assert left == {"revenue_ttm": "1234567.89", "win_rate": "45.5"}


@pytest.mark.parametrize("traced", [True, False])
def test_one_bad_row_costs_only_itself(front: Front, traced: bool) -> None:
    """Whether HubSpot names it by its trace id or refuses the whole batch."""
    there = provisioned(front, portal(trace_ids_on_update=traced))
    with connected(front) as connector:
        outcomes = write(
            connector,
            AccountWrite(ALPHA, {"score": "1"}),
            AccountWrite(IBERIA, {"tier": "platinum"}),
            AccountWrite(BETA, {"score": "3"}),
            AccountWrite(ACME, {"score": "many"}),
        )
        rows = held(connector, [ALPHA, IBERIA, BETA, ACME])
    assert {i: o.outcome for i, o in outcomes.items()} == {
        ALPHA: "written",
        IBERIA: "rejected",
        BETA: "written",
        ACME: "rejected",
    }
    assert (outcomes[IBERIA].code, outcomes[ACME].code) == ("INVALID_OPTION", "INVALID_INTEGER")
    assert {i: row["score"] for i, row in rows.items()} == {ALPHA: "1", IBERIA: None, BETA: "3", ACME: None}
    assert "platinum" not in str(outcomes[IBERIA].message)
    assert modified(there, IBERIA) < modified(there, ALPHA)


def test_archived_merged_and_unknown_ids_are_gone(front: Front, there: Portal) -> None:
    """The others of their batch are written; reading leaves them out."""
    with connected(front) as connector:
        ids = [ALPHA, GONE, BETA_SL, "4711"]
        outcomes = write(connector, *(AccountWrite(i, {"score": "5"}) for i in ids))
        assert {i: o.outcome for i, o in outcomes.items()} == {
            ALPHA: "written",
            GONE: "gone",
            BETA_SL: "gone",
            "4711": "gone",
        }
        assert set(held(connector, ids)) == {ALPHA}


def test_two_writes_for_one_company_are_one(front: Front, there: Portal) -> None:
    """HubSpot refuses a batch with an id in it twice: they are put together, and each has an outcome."""
    with connected(front) as connector:
        writes = [AccountWrite(ALPHA, {"score": "1", "tier": "key"}), AccountWrite(ALPHA, {"score": "2"})]
        outcomes = [o.outcome for batch in connector.write_fields(WRITTEN, writes) for o in batch]
        assert outcomes == ["written", "written"]
        assert (held(connector, [ALPHA])[ALPHA]["score"], connector.calls.write) == ("2", 1)


def test_a_hundred_a_call(front: Front) -> None:
    """250 companies are three write calls, in any order of answers."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 251)]
    provisioned(front, portal(book))
    ids = [str(hubspot_id("companies", n)) for n in range(1, 251)]
    with connected(front) as connector:
        outcomes = write(connector, *(AccountWrite(i, {"score": str(n)}) for n, i in enumerate(ids)))
        assert ({o.outcome for o in outcomes.values()}, connector.calls.write) == ({"written"}, 3)
        rows = held(connector, ids)
    assert [rows[i]["score"] for i in ids] == [str(n) for n in range(250)]


def test_writing_without_our_fields_says_what_to_run(front: Front) -> None:
    """Exit 3 with the command, and nothing is written."""
    front.show(portal())
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, AccountWrite(ALPHA, {"score": "1"}))


def test_writing_without_the_scope_names_it(front: Front) -> None:
    """One line, and no retries."""
    provisioned(front, portal())
    front.app.portal.settings.scopes = ALL_SCOPES - {"crm.objects.companies.write"}  # type: ignore[union-attr]
    with connected(front) as connector, pytest.raises(PermissionMissing, match=r"crm\.objects\.companies\.write"):
        write(connector, AccountWrite(ALPHA, {"score": "1"}))


def test_what_people_type_is_read_with_the_companies(front: Front, there: Portal) -> None:
    """Override and strategic value are columns of the account once their properties exist."""
    there.update("companies", IBERIA, {"kam_tier_override": "strategic", "kam_tier_override_until": "2026-12-31"})
    with connected(front) as connector:
        copy = read_all(connector, Copy(), Slice(None, NOW), ("accounts",))
        assert not [name for name in connector.unavailable() if "kam_" in name]
    assert copy.rows("account")[ALPHA]["strategic_value"] == 7.0
    assert copy.rows("account")[IBERIA]["tier_override"] == "strategic"
    assert copy.rows("account")[IBERIA]["tier_override_until"].isoformat() == "2026-12-31"

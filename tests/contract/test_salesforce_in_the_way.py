"""What is in the way of reading and writing an org, and what our writes would set off there, is named beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract import Finding
from connectors.errors import FieldsNotProvisioned
from connectors.salesforce.connector import SalesforceConnector
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.metadata.settings import ApexTrigger, MetadataSettings, RecordTriggeredFlow
from connectors.sandbox.salesforce.settings import (
    ValidationRule,
)
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org
from tests.contract.salesforce_made import (
    ours_in,
)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def found_in(front: Front, connector: SalesforceConnector, grade: str) -> str:
    return "\n".join(one.text for one in connector.preflight(FIELDS) if one.grade == grade)


def test_a_quiet_org_has_nothing_in_the_way(front: Front) -> None:
    """No finding where all is known and well; looking changes nothing."""
    there = front.show(org())
    with connected(front) as connector:
        assert connector.preflight(FIELDS) == []
        connector.provision(FIELDS, "en")
        assert connector.preflight(FIELDS) == []
    assert len(ours_in(there)) > 18


def test_each_permission_in_the_way_is_named(front: Front) -> None:
    """Of the user that provisions as errors; what cannot be read without them is unknown, and not fine."""
    front.show(org(permissions=frozenset({"ApiEnabled"}), read_only_objects=frozenset({"Account"})))
    with connected(front) as connector:
        errors = found_in(front, connector, "error")
        for name in ("View Setup and Configuration", "Assign Permission Sets", "Modify Metadata", "Edit on Account"):
            assert name in errors
        unknown = found_in(front, connector, "unknown")
        for what in ("which of our fields exist", "validation rules", "triggers"):
            assert what in unknown
        assert "View All Data" in found_in(front, connector, "warning")
        with pytest.raises(FieldsNotProvisioned, match="Modify Metadata") as fault:
            connector.provision(FIELDS, "en")
    assert fault.value.exit_code == 3
    assert front.asked("deployRequest") == 0


def test_what_our_writes_will_set_off_is_named(front: Front) -> None:
    """Active rules, triggers on update and record-triggered flows of Account; others are not."""
    front.show(
        org(
            validation_rules=[
                ValidationRule("Account", bool, name="Needs_Industry"),
                ValidationRule("Account", bool, name="Sleeping", active=False),
                ValidationRule("Opportunity", bool, name="Elsewhere"),
            ],
            metadata=MetadataSettings(
                apex_triggers=[ApexTrigger("Resync"), ApexTrigger("OnlyInsert", after_update=False)],
                flows=[
                    RecordTriggeredFlow("Notify_Owner", "Notify owner"),
                    RecordTriggeredFlow("Welcome", "Welcome", record_trigger_type="Create"),
                    RecordTriggeredFlow("Old", "Old", is_active=False),
                ],
            ),
        )
    )
    with connected(front) as connector:
        findings = connector.preflight(FIELDS)
    told = "active {} on Account, which every write of kam sets off: {}"
    assert findings == [
        Finding("warning", "run", told.format("validation rules", "Needs_Industry")),
        Finding("warning", "run", told.format("triggers", "Resync")),
        Finding("warning", "run", told.format("record-triggered flows", "Notify_Owner")),
    ]


def test_room_and_types_are_looked_at(front: Front) -> None:
    """No room for our fields, and a field of our name and another type, are errors before anything is made."""
    there = front.show(org(metadata=MetadataSettings(custom_fields_per_object=10)))
    there.add_field("Account", text("KAM_Score__c", "Score", 10, custom=True))
    with connected(front) as connector:
        errors = found_in(front, connector, "error")
    assert "KAM_Score__c exists with type Text, kam needs Number" in errors
    assert "Account takes 8 more custom fields and kam needs 17" in errors


def test_hidden_fields_and_few_calls_are_told(front: Front) -> None:
    """Fields that are there and not granted, and a day whose calls are nearly spent."""
    there = front.show(org(daily_api_requests=55))
    there.add_field("Account", text("KAM_Rfm__c", "RFM", 3, custom=True))
    with connected(front, call_share=1.0, call_reserve=0.0) as connector:
        warnings = found_in(front, connector, "warning")
    assert "field-level security keeps from kam's user: KAM_Rfm__c" in warnings
    assert "API calls are left today" in warnings

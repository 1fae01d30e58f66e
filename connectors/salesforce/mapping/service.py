"""Cases."""

from __future__ import annotations

from connectors.codecs import boolean, instant, one_of, text
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import record_id
from connectors.salesforce.mapping.declaring import ENVELOPE, optional
from kammodel.entities import Case

KINDS = {
    "problem": "problem",
    "incident": "problem",
    "question": "question",
    "feature request": "feature_request",
}
"""Values of the standard picklist; what an org adds is `other` until a mapping file says what it stands for."""

CASES = Mapping(
    Case,
    (
        *ENVELOPE,
        Line("account_id", "AccountId", record_id),
        optional("person_id", "ContactId", record_id),
        optional("kind", "Type", one_of(KINDS, otherwise="other")),
        optional("priority", "Priority", text),
        optional("status", "Status", text),
        Line("is_closed", "IsClosed", boolean),
        optional("is_escalated", "IsEscalated", boolean),
        optional("opened_at", "CreatedDate", instant),
        optional("closed_at", "ClosedDate", instant),
        optional("parent_id", "ParentId", record_id),
    ),
)

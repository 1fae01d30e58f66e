"""Contacts, and the parts they play at accounts and in deals. Their names and postal addresses are not read; of e-mail
addresses see `connectors.emails`."""

from __future__ import annotations

from connectors.codecs import boolean, text
from connectors.emails import Emails
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import day, record_id, word_set
from connectors.salesforce.mapping.declaring import ENVELOPE, optional
from kammodel.entities import AccountPerson, OpportunityPerson, Person

_CONTACTS = Mapping(
    Person,
    (
        *ENVELOPE,
        Line("account_id", "AccountId", record_id),
        optional("title", "Title", text),
        optional("department", "Department", text),
        optional("owner_id", "OwnerId", record_id),
        optional("reports_to_id", "ReportsToId", record_id),
        optional("has_opted_out", "HasOptedOutOfEmail", boolean),
        optional("merged_into_id", "MasterRecordId", record_id),
    ),
)


def contacts(emails: Emails) -> Mapping:
    """Contacts, with what becomes of their addresses."""
    return Mapping(Person, (*_CONTACTS.lines, *emails.lines("Email")))


ACCOUNT_RELATIONS = Mapping(
    AccountPerson,
    (
        *ENVELOPE,
        Line("account_id", "AccountId", record_id),
        Line("person_id", "ContactId", record_id),
        optional("roles", "Roles", word_set),
        optional("is_direct", "IsDirect", boolean),
        optional("is_active", "IsActive", boolean),
        optional("since_on", "StartDate", day),
        optional("until_on", "EndDate", day),
    ),
)
"""Every contact has one with its own account, and further ones where contacts may belong to several."""

CONTACT_ROLES = Mapping(
    OpportunityPerson,
    (
        *ENVELOPE,
        Line("opportunity_id", "OpportunityId", record_id),
        Line("person_id", "ContactId", record_id),
        optional("role", "Role", text),
        optional("is_primary", "IsPrimary", boolean),
    ),
)

"""Contacts, and what they are to companies. Their names and postal addresses are not read; of e-mail addresses see
`connectors.emails`."""

from __future__ import annotations

from connectors.codecs import boolean, identifier, text
from connectors.emails import Emails
from connectors.hubspot.codecs import word_set
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import AccountPerson, Person

CONTACTS = "contacts"
SCOPE = "crm.objects.contacts.read"
PRIMARY_COMPANY = 1

AFFILIATIONS = Mapping(
    AccountPerson,
    (
        made("source_id", "@id", identifier),
        made("account_id", "@to", identifier),
        made("person_id", "@from", identifier),
        made("roles", "@labels"),
        made("is_direct", "@marked", boolean),
    ),
)
"""Roles are what the link is labelled; what the contact is in purchases stands with the contact."""

PERSONS = Mapping(
    Person,
    (
        *ENVELOPE,
        made("account_id", "@account_id", identifier),
        Line("title", "jobtitle", text),
        Line("owner_id", "hubspot_owner_id", identifier),
        optional("buying_roles", "hs_buying_role", word_set),
        optional("has_opted_out", "hs_email_optout", boolean),
    ),
)


def contacts(emails: Emails) -> Declared:
    """Contacts, found by a change stamp of another name than that of every other kind.
    https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (read 2026-11-28)"""
    return Declared(
        CONTACTS,
        "contacts",
        Mapping(Person, (*PERSONS.lines, *emails.lines("email"))),
        SCOPE,
        links=(Link("companies", "@account_id", mark=PRIMARY_COMPANY, part=AFFILIATIONS),),
        stamp="lastmodifieddate",
        silent=frozenset({"hs_buying_role", "hs_email_optout"}),
    )

"""Who is who: the persons at our customers, the part they play, and our own people beside the owner.

Names and postal addresses of persons are not read: no figure needs them. Neither do e-mail addresses, which only tell
that two records are one person: they are read as keyed hashes, and not at all without a KAM_HASH_KEY.
"""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field

from kammodel.entities.envelope import Sourced


class Person(Sourced, table=True):
    """Somebody who works at a customer. A lead is none: it belongs to no account yet."""

    __tablename__ = "person"

    account_id: str | None = None
    """The account where the person works; others are linked by `AccountPerson`."""
    title: str | None = None
    department: str | None = None
    owner_id: str | None = None
    reports_to_id: str | None = None
    has_opted_out: bool | None = None
    """Wants no e-mails."""
    buying_roles: str | None = None
    """What the person is in purchases, in the CRM's own words, sorted and joined by `;`."""
    merged_into_id: str | None = None
    email_hash: str | None = None
    """Keyed hash of the address, see `privacy.hashing`; null where KAM_HASH_KEY is not set."""
    email: str | None = None
    """The address itself, where KAM_KEEP_EMAILS asks for it."""


class AccountPerson(Sourced, table=True):
    """What a person is to an account. A person may be somebody to several, to one of them directly."""

    __tablename__ = "account_person"

    account_id: str | None = None
    person_id: str | None = Field(default=None, index=True)
    roles: str | None = None
    """The CRM's own words, sorted and joined by `;`, so that equal sets are equal texts."""
    is_direct: bool | None = None
    """Whether the account is the one where the person works."""
    is_active: bool | None = None
    since_on: dt.date | None = None
    until_on: dt.date | None = None


class OpportunityPerson(Sourced, table=True):
    """The part that a person plays in a deal, in the CRM's own word."""

    __tablename__ = "opportunity_person"

    opportunity_id: str | None = Field(default=None, index=True)
    person_id: str | None = None
    role: str | None = None
    is_primary: bool | None = None


class TeamMember(Sourced, table=True):
    """One of our users who looks after an account beside its owner, as what: the CRM's own word."""

    __tablename__ = "team_member"

    account_id: str | None = None
    user_id: str | None = None
    role: str | None = None

"""What an object of an org is made of, as data: its fields and what may be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Type = Literal[
    "id", "string", "textarea", "picklist", "multipicklist", "combobox", "boolean", "int", "double", "currency",
    "percent", "date", "datetime", "phone", "email", "url", "reference", "address", "anyType",
]  # fmt: skip

SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "anyType": "xsd:anyType",
}
NUMBERS = frozenset({"int", "double", "currency", "percent"})
TEXTS = frozenset({"string", "textarea", "picklist", "multipicklist", "combobox", "phone", "email", "url"})


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column. `relationship` is the name by which a query walks on; `derived` columns only the org writes."""

    name: str
    label: str
    type: Type
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    sortable: bool = True
    calculated: bool = False
    derived: bool = False
    auto_number: bool = False
    permissionable: bool = True
    default: Any = None
    values: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    restricted: bool = False
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    compound: str | None = None
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    help: str | None = None
    custom: bool = False
    track_history: bool = False
    name_field: bool = False

    @property
    def fixed(self) -> Field:
        """The same field, written by nobody but the org."""
        return replace(self, createable=False, updateable=False, derived=True)

    @property
    def required(self) -> Field:
        """The same field, never null, hence outside field-level security."""
        return replace(self, nillable=False, permissionable=False)


@dataclass(frozen=True, kw_only=True)
class SObject:
    """One object. `setup` objects hold users and permissions; `mergeable` ones carry MasterRecordId.

    `since`: the first version of the API that knows it. Of one that is not `binned` a row that is deleted by itself
    is gone at once, and no feed tells of it.
    """

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    since: int = 0
    undeletable: bool = True
    binned: bool = True
    mergeable: bool = False
    setup: bool = False
    replicateable: bool = True
    write_permission: str | None = None
    read_permissions: tuple[str, ...] = ()
    """Of a setup object: a user needs one of these to see that it exists; none: everybody sees it."""
    multi_currency_only: bool = False
    children: tuple[tuple[str, str, str, bool], ...] = field(default=())
    """(child object, its field, relationship name, deleted with the parent)."""


def text(name: str, label: str, length: int = 255, **more: Any) -> Field:
    """A line of text."""
    return Field(name=name, label=label, type="string", length=length, **more)


def long_text(name: str, label: str, length: int = 32_000, **more: Any) -> Field:
    """A long text, which can be neither filtered nor sorted."""
    return Field(name=name, label=label, type="textarea", length=length, filterable=False, sortable=False, **more)


def address_line(name: str, label: str, **more: Any) -> Field:
    """A street: text of several lines that can be filtered."""
    return Field(name=name, label=label, type="textarea", length=255, **more)


def picklist(name: str, label: str, values: Sequence[str], **more: Any) -> Field:
    """A choice; standard ones take values they do not list."""
    return Field(name=name, label=label, type="picklist", length=255, values=tuple(values), **more)


def money(name: str, label: str, **more: Any) -> Field:
    """An amount in the record's currency."""
    return Field(name=name, label=label, type="currency", precision=18, scale=2, **more)


def number(name: str, label: str, precision: int = 18, scale: int = 0, **more: Any) -> Field:
    """A decimal number."""
    return Field(name=name, label=label, type="double", precision=precision, scale=scale, **more)


def percent(name: str, label: str, precision: int = 3, scale: int = 0, **more: Any) -> Field:
    """A percentage: 45.5 means 45.5 %."""
    return Field(name=name, label=label, type="percent", precision=precision, scale=scale, **more)


def integer(name: str, label: str, digits: int = 8, **more: Any) -> Field:
    """A whole number."""
    return Field(name=name, label=label, type="int", precision=digits, **more)


def checkbox(name: str, label: str, *, default: bool = False, **more: Any) -> Field:
    """True or false, never null."""
    return Field(name=name, label=label, type="boolean", nillable=False, default=default, **more)


def day(name: str, label: str, **more: Any) -> Field:
    """A date without a zone."""
    return Field(name=name, label=label, type="date", **more)


def moment(name: str, label: str, **more: Any) -> Field:
    """An instant."""
    return Field(name=name, label=label, type="datetime", **more)


def phone(name: str, label: str, **more: Any) -> Field:
    """A telephone number."""
    return Field(name=name, label=label, type="phone", length=40, **more)


def url(name: str, label: str, **more: Any) -> Field:
    """A web address."""
    return Field(name=name, label=label, type="url", length=255, **more)


def email(name: str, label: str, **more: Any) -> Field:
    """A mail address."""
    return Field(name=name, label=label, type="email", length=80, **more)


def lookup(name: str, label: str, to: str | Sequence[str], relationship: str | None, **more: Any) -> Field:
    """The id of another record, of one object or of several."""
    targets = (to,) if isinstance(to, str) else tuple(to)
    return Field(
        name=name, label=label, type="reference", length=18, refers_to=targets, relationship=relationship, **more
    )


def any_value(name: str, label: str, **more: Any) -> Field:
    """A value of another field's type, which can be neither filtered nor (for types mix) sorted here."""
    return Field(name=name, label=label, type="anyType", filterable=False, sortable=False, **more)


def record_id(label: str = "Record ID") -> Field:
    """The Id column."""
    return Field(name="Id", label=label, type="id", length=18).required.fixed


def audit(*, deletable: bool = True) -> tuple[Field, ...]:
    """Who made and changed a row, and when; `deletable` ones go through the recycle bin."""
    deleted = (checkbox("IsDeleted", "Deleted").required.fixed,) if deletable else ()
    return (
        *deleted,
        moment("CreatedDate", "Created Date").required.fixed,
        lookup("CreatedById", "Created By ID", "User", "CreatedBy").required.fixed,
        moment("LastModifiedDate", "Last Modified Date").required.fixed,
        lookup("LastModifiedById", "Last Modified By ID", "User", "LastModifiedBy").required.fixed,
        moment("SystemModstamp", "System Modstamp").required.fixed,
    )


CURRENCY = picklist("CurrencyIsoCode", "Account Currency", (), permissionable=False, restricted=True)

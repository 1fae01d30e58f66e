"""The kinds of record a portal holds: their names in paths, ids, system properties, scopes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One object type. `first_id` is where its ids begin in a portal filled from a book."""

    name: str
    singular: str
    type_id: str
    first_id: int
    default_properties: tuple[str, ...]
    read_scopes: tuple[str, ...]
    write_scopes: tuple[str, ...]
    schema_scopes: tuple[str, ...] = ()
    created_property: str = "hs_createdate"
    modified_property: str = "hs_lastmodifieddate"
    mergeable: bool = False
    in_inline_associations: str = ""

    @property
    def inline_name(self) -> str:
        """The key of inline associations, which for line items has a blank."""
        return self.in_inline_associations or self.name

    @property
    def system_properties(self) -> tuple[str, str, str]:
        """The three that come back whatever was asked."""
        return (self.created_property, self.modified_property, "hs_object_id")


def _crm(name: str, singular: str, type_id: str, first_id: int, defaults: tuple[str, ...], **more: str) -> Kind:
    scope = more.get("scope", f"crm.objects.{name}")
    return Kind(
        name=name,
        singular=singular,
        type_id=type_id,
        first_id=first_id,
        default_properties=defaults,
        read_scopes=(more["read"],) if "read" in more else (f"{scope}.read",),
        write_scopes=(more["write"],) if "write" in more else (f"{scope}.write",),
        schema_scopes=(f"crm.schemas.{name}.write",),
        created_property="createdate",
        modified_property=more.get("modified", "hs_lastmodifieddate"),
        mergeable=name not in {"line_items", "products"},
        in_inline_associations=more.get("inline", ""),
    )


def _engagement(name: str, type_id: str, first_id: int) -> Kind:
    # Engagements have no scopes of their own: they go with contacts.
    return Kind(
        name=name,
        singular=name.removesuffix("s"),
        type_id=type_id,
        first_id=first_id,
        default_properties=(),
        read_scopes=("crm.objects.contacts.read",),
        write_scopes=("crm.objects.contacts.write",),
        schema_scopes=("crm.schemas.contacts.write",),
    )


# First ids: the ids of companies and deals grow by a digit early on, so that a client which sorts ids as text
# is found out, and calls do not fit 32 bits. `toObjectId` is a JSON number: all stay under 2^53.
COMPANIES = _crm("companies", "company", "0-2", 9_999_999_990, ("name", "domain"))
DEALS = _crm("deals", "deal", "0-3", 99_999_999_960, ("dealname", "amount", "closedate", "pipeline", "dealstage"))
CONTACTS = _crm(
    "contacts", "contact", "0-1", 700_000_000, ("firstname", "lastname", "email"), modified="lastmodifieddate"
)
TICKETS = _crm(
    "tickets",
    "ticket",
    "0-5",
    30_000_000_000,
    ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority"),
    read="tickets",
    write="tickets",
)
LINE_ITEMS = _crm(
    "line_items", "line_item", "0-8", 40_000_000_000, ("quantity", "amount", "price"), inline="line items"
)
PRODUCTS = _crm("products", "product", "0-7", 41_000_000_000, ("name", "price", "hs_sku", "description"))
# Quotas of users. They have no default properties, and dates under the names of engagements.
GOAL_TARGETS = Kind(
    name="goal_targets",
    singular="goal_target",
    type_id="0-74",
    first_id=42_000_000_000,
    default_properties=(),
    read_scopes=("crm.objects.goals.read",),
    write_scopes=("crm.objects.goals.write",),
    schema_scopes=("crm.schemas.goals.write",),
)
CALLS = _engagement("calls", "0-48", 81_000_000_000)
EMAILS = _engagement("emails", "0-49", 82_000_000_000)
MEETINGS = _engagement("meetings", "0-47", 83_000_000_000)
NOTES = _engagement("notes", "0-46", 84_000_000_000)
TASKS = _engagement("tasks", "0-27", 85_000_000_000)
COMMUNICATIONS = _engagement("communications", "0-18", 86_000_000_000)

KINDS: tuple[Kind, ...] = (
    COMPANIES,
    DEALS,
    CONTACTS,
    TICKETS,
    LINE_ITEMS,
    PRODUCTS,
    GOAL_TARGETS,
    CALLS,
    EMAILS,
    MEETINGS,
    NOTES,
    TASKS,
    COMMUNICATIONS,
)
ENGAGEMENTS: tuple[Kind, ...] = (CALLS, EMAILS, MEETINGS, NOTES, TASKS, COMMUNICATIONS)

_BY_WORD = {word: kind for kind in KINDS for word in (kind.name, kind.singular, kind.type_id)}


def kind_of(word: str) -> Kind | None:
    """The kind a path names by its plural, singular or type id; None where HubSpot could not infer it."""
    return _BY_WORD.get(word.lower())

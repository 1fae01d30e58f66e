"""The properties every portal is born with, kind by kind, as definitions."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.sandbox.hubspot.builtin_activities import ACTIVITIES
from connectors.sandbox.hubspot.builtin_commerce import COMMERCE
from connectors.sandbox.hubspot.builtin_records import RECORDS
from connectors.sandbox.hubspot.builtin_rows import INSTANT, SELECT, Born, Rows
from connectors.sandbox.hubspot.definitions import Group, Option, PropertyDefinition
from connectors.sandbox.hubspot.kinds import ENGAGEMENTS, GOAL_TARGETS, Kind

_BORN: dict[str, Born] = RECORDS | COMMERCE | ACTIVITIES
# Options that follow something else of the portal: pipelines, currencies, the portal's own list of dispositions.
_EXTERNAL = frozenset(
    {"dealstage", "pipeline", "hs_pipeline", "hs_pipeline_stage", "deal_currency_code", "hs_call_disposition"}
    | {"hs_line_item_currency_code", "hubspot_owner_id"}
)
_REFERENCES = {
    "hs_parent_company_id": "COMPANY",
    "hs_primary_associated_company": "COMPANY",
    "associatedcompanyid": "COMPANY",
    "hs_product_id": "PRODUCT",
    "hubspot_owner_id": "OWNER",
}


def builtin_groups(kind: Kind) -> list[Group]:
    """The groups of a kind in a new portal."""
    return [Group(_group_of(kind), f"{kind.singular.replace('_', ' ').capitalize()} information", 0)]


def builtin_properties(kind: Kind) -> Iterator[PropertyDefinition]:
    """System, ordinary and calculated properties of a kind in a new portal."""
    yield from _system_properties(kind)
    born = _BORN[kind.name]
    free = dict(born.free)
    free["hubspot_owner_id"] = ("Owner", *SELECT)
    if kind in ENGAGEMENTS:
        free["hs_timestamp"] = ("Activity date", *INSTANT)
    elif kind is not GOAL_TARGETS:
        free["hs_merged_object_ids"] = ("Merged record IDs", "enumeration", "checkbox")
    for name, row in free.items():
        yield _definition(kind, name, row)
    for name, row in born.calculated.items():
        definition = _definition(kind, name, row)
        definition.calculated = True
        yield definition


def _system_properties(kind: Kind) -> Iterator[PropertyDefinition]:
    rows: Rows = {
        "hs_object_id": ("Record ID", "number", "number"),
        "hs_createdate": ("Object create date/time", *INSTANT),
        kind.created_property: ("Create Date", *INSTANT),
        kind.modified_property: ("Last Modified Date", *INSTANT),
    }
    for name, row in rows.items():
        definition = _definition(kind, name, row)
        definition.read_only_value = True
        yield definition


def _definition(kind: Kind, name: str, row: tuple[str, str, str]) -> PropertyDefinition:
    label, type_, field_type = row
    values = _BORN[kind.name].options.get(name, ())
    return PropertyDefinition(
        name=name,
        label=label,
        type=type_,
        field_type=field_type,
        group=_group_of(kind),
        options=[Option(v, v.replace("_", " ").capitalize(), i) for i, v in enumerate(values)],
        external_options=name in _EXTERNAL,
        unique=name == "email",
        read_only_value=name == "hs_merged_object_ids",
        referenced_object_type=_REFERENCES.get(name),
        show_currency_symbol=True if name in {"amount", "annualrevenue"} else None,
    )


def _group_of(kind: Kind) -> str:
    if kind.created_property == "createdate":
        return f"{kind.singular.replace('_', '')}information"
    return kind.singular


# Values of a company's industry as HubSpot lists them; a book's own words become further options.
def industry_value(words: str) -> str:
    """HubSpot's way of writing an industry: `COMPUTER_SOFTWARE`."""
    return "_".join("".join(c if c.isalnum() else " " for c in words.upper()).split())

"""Checks the properties of one write against the portal's definitions, finding every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.reference import currencies
from connectors.sandbox.hubspot.values import InvalidValue, kept_value

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.kinds import Kind
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.hubspot.record import Record


class InvalidProperties(ValueError):
    """Values a write was refused for: each problem has name, value, code and message."""

    def __init__(self, problems: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{p['name']}: {p['message']}" for p in problems))
        self.problems = problems


def checked_values(portal: Portal, kind: Kind, properties: Mapping[str, str], record: Record | None) -> dict[str, str]:
    """Values as they would be kept on `record`, or on a new one. Raises InvalidProperties."""
    kept: dict[str, str] = {}
    problems: list[dict[str, str]] = []
    for name, raw in properties.items():
        try:
            kept[name] = _checked(portal, kind, name, raw, record)
        except InvalidValue as bad:
            problems.append({"name": name, "value": raw, "code": bad.code, "message": bad.message})
    if problems:
        raise InvalidProperties(problems)
    return kept


def choices(portal: Portal, kind: Kind, name: str) -> Collection[str] | None:
    """What an enumeration may hold; None for anything."""
    definition = portal.catalog.get(kind, name)
    if definition is None or definition.type != "enumeration":
        return None
    if not definition.external_options:
        return [option.value for option in definition.options]
    pipelines = portal.pipelines.get(kind.name, [])
    if name in {"pipeline", "hs_pipeline"}:
        return [pipeline.id for pipeline in pipelines]
    if name in {"dealstage", "hs_pipeline_stage"}:
        return [stage.id for pipeline in pipelines for stage in pipeline.stages]
    if name == "hubspot_owner_id":
        return [str(owner.id) for owner in portal.owners]
    return currencies(portal.account, portal.rates) if name.endswith("currency_code") else None


def _checked(portal: Portal, kind: Kind, name: str, raw: str, record: Record | None) -> str:
    definition = portal.catalog.get(kind, name)
    if definition is None or definition.usable_from > portal.now_ms():
        raise InvalidValue("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition.read_only_value or definition.calculated:
        raise InvalidValue("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    current = record.values.get(name, "") if record else ""
    return kept_value(definition, raw, current, choices(portal, kind, name))

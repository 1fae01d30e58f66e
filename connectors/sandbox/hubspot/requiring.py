"""Properties an administrator made required: only the version of September 2026 enforces them on writes."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.hubspot.asking import Ask
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.record import Record

_ENFORCING = "2026-09"


def required_problems(
    ask: Ask, kind: Kind, properties: Mapping[str, str], record: Record | None
) -> list[dict[str, str]]:
    """One problem for each required property that would be empty after the write."""
    if ask.version < _ENFORCING or ask.version.startswith("v"):
        return []
    have = record.values if record else {}
    return [
        {"name": name, "value": "", "code": "MISSING_REQUIRED_PROPERTY", "message": f'Property "{name}" is required'}
        for name in ask.portal.settings.required_properties.get(kind.name, ())
        if not properties.get(name, have.get(name, ""))
    ]

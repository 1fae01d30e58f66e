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
    after = {**(record.values if record else {}), **properties}
    settings = ask.portal.settings
    always = [(name, "MISSING_REQUIRED_PROPERTY") for name in settings.required_properties.get(kind.name, ())]
    then = [
        (name, "MISSING_CONDITIONAL_REQUIRED_PROPERTY")
        for other, value, name in settings.required_when.get(kind.name, ())
        if after.get(other) == value
    ]
    return [
        {"name": name, "value": "", "code": code, "message": f'Property "{name}" is required'}
        for name, code in (*always, *then)
        if not after.get(name)
    ]

"""A stored snapshot as text, the same bytes whenever it is printed: nothing in it is computed again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_JSON = ("criteria", "kpis", "reasons", "reconstructed")
"""Columns that are JSON texts: they are given as they were written, digit for digit."""


def snapshot_json(row: Mapping[str, Any]) -> str:
    """One JSON object with sorted keys, in signs of ASCII, of a snapshot's columns."""
    members = (f"{json.dumps(name)}:{_value(name, row[name])}" for name in sorted(row))
    return "{" + ",".join(members) + "}"


def _value(name: str, value: Any) -> str:
    if name in _JSON and value is not None:
        # Outside of its texts JSON has no other signs, so that only these are escaped.
        return re.sub(r"[^\x00-\x7f]+", lambda signs: json.dumps(signs[0])[1:-1], str(value))
    return json.dumps(value if value is None or isinstance(value, bool | int | float) else _text(value))


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

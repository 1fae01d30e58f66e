"""A short name for what a thing consists of."""

from __future__ import annotations

import hashlib
import json


def digest(parts: object) -> str:
    """Sixteen hexadecimal digits that differ when a part of it does; keys in any order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]

"""Receipts as plain values, which `--json` prints."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any


def as_json(receipt: Any) -> dict[str, Any]:
    """The receipt as plain JSON values: dates as ISO text, tuples as lists."""
    plain: dict[str, Any] = _plain(asdict(receipt))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value

"""How the properties of a new portal are written down: one row each, and the types rows share."""

from __future__ import annotations

from dataclasses import dataclass, field

Rows = dict[str, tuple[str, str, str]]
"""Name -> (label, type, fieldType). What a book does not fill stays null, as in a young portal."""

TEXT = ("string", "text")
AREA = ("string", "textarea")
NUMBER = ("number", "number")
INSTANT = ("datetime", "date")
DATE = ("date", "date")
SELECT = ("enumeration", "select")
RADIO = ("enumeration", "radio")
CHECKS = ("enumeration", "checkbox")
BOOL = ("bool", "booleancheckbox")
EQUATION = ("number", "calculation_equation")
ROLLUP = ("number", "calculation_rollup")


@dataclass(frozen=True)
class Born:
    """The properties a kind is born with: those that are written, those that are computed, and their options."""

    free: Rows
    calculated: Rows = field(default_factory=dict)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

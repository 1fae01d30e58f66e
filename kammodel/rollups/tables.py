"""Reads the keys of a TOML table one by one, and notes everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from kammodel.given.faults import Fault
from kammodel.rollups.lines import Path

T = TypeVar("T")


@dataclass
class Faults:
    """What is wrong in a file, each with its line."""

    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    found: list[Fault] = field(default_factory=list)

    def add(self, path: Path, reason: str) -> None:
        """`path`: of the key, `("rollup", 0, "filter", 1, "column")`; the line is that of the nearest key around it."""
        around = (self.lines.get(path[:length]) for length in range(len(path), 0, -1))
        line = next((found for found in around if found is not None), None)
        self.found.append(Fault(self.file, line, _shown(path) or None, reason))


def _shown(path: Path) -> str:
    """`rollup[1].filter[2].column`, counted from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


class Table:
    """The keys of a table. Each is asked for once; `done` notes those that nobody asked for."""

    def __init__(self, values: Mapping[str, Any], path: Path, faults: Faults) -> None:
        self.values, self.path, self.faults = values, path, faults
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self.values

    def wrong(self, key: str, reason: str) -> None:
        """Notes a fault of a key."""
        self.faults.add((*self.path, key), reason)

    def get(self, key: str, wanted: str, fits: Callable[[Any], bool], *, required: bool = False) -> Any:
        """The value of a key; None where it is not there, or is not what is `wanted`, which is noted."""
        self._asked.add(key)
        if key not in self.values:
            if required:
                self.faults.add(self.path, f"{key} is missing: give {wanted}")
            return None
        value = self.values[key]
        if not fits(value):
            self.wrong(key, f"{shown(value)} is not {wanted}")
            return None
        return value

    def text(self, key: str, *, required: bool = False, longest: int = 255) -> str | None:
        """A text that is not blank."""
        found: str | None = self.get(
            key,
            f"a text of 1 to {longest} characters",
            lambda v: isinstance(v, str) and len(v.strip()) > 0 and len(v) <= longest,
            required=required,
        )
        return found

    def choice(self, key: str, choices: Iterable[T], *, required: bool = False) -> T | None:
        """One of some words."""
        known = [str(one) for one in choices]
        value = self.get(key, f"one of {', '.join(known)}", lambda v: isinstance(v, str), required=required)
        if value is not None and value not in known:
            self.wrong(key, f"{shown(value)} is not known{nearest(value, known)}")
            return None
        return value  # type: ignore[no-any-return]

    def whole(self, key: str, low: int, high: int, *, required: bool = False) -> int | None:
        """A whole number from `low` to `high`."""
        found: int | None = self.get(
            key,
            f"a whole number from {low} to {high}",
            lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high,
            required=required,
        )
        return found

    def flag(self, key: str) -> bool:
        """true or false; false where it is not there."""
        return bool(self.get(key, "true or false", lambda v: isinstance(v, bool)))

    def table(self, key: str, *, required: bool = False) -> Table | None:
        """A table within this one."""
        value = self.get(key, "a table, { ... }", lambda v: isinstance(v, dict), required=required)
        return None if value is None else Table(value, (*self.path, key), self.faults)

    def tables(self, key: str) -> list[Table]:
        """A list of tables; what is no table in it is noted."""
        values = self.get(key, "a list of tables, [{ ... }]", lambda v: isinstance(v, list) and bool(v))
        found = []
        for place, value in enumerate(values or ()):
            path = (*self.path, key, place)
            if isinstance(value, dict):
                found.append(Table(value, path, self.faults))
            else:
                self.faults.add(path, f"{shown(value)} is not a table, {{ ... }}")
        return found

    def done(self) -> None:
        """Notes the keys that are none."""
        for key in self.values:
            if key not in self._asked:
                self.wrong(key, f"no such key{nearest(key, sorted(self._asked))}")


def shown(value: object) -> str:
    """A value as a message repeats it."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at what may have been meant."""
    names = list(known)
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(names)}"

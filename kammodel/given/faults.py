"""Says what is wrong in the files of KAM_INPUTS_DIR, all at once: file, line, column, reason, what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kammodel.errors import GivenInvalid

SHOWN = 5
"""Faults of a file that the one-line text names; the exception has up to KEPT of them."""
KEPT = 50


@dataclass(frozen=True)
class Fault:
    """`line`: 1 is the header; null where the whole file is meant. `column`: null where the whole line is."""

    file: str
    line: int | None
    column: str | None
    reason: str

    @property
    def text(self) -> str:
        """`line 3, strategic_value: 11 is above 10`."""
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.column or "") if part)
        return f"{place}: {self.reason}" if place else self.reason


def invalid(folder: str, faults: Sequence[Fault], more: int = 0) -> GivenInvalid:
    """The faults as one: `more` is how many further ones there are."""
    return GivenInvalid(f"KAM_INPUTS_DIR ({folder}): " + "; ".join(_told(faults, more)), faults)


def _told(faults: Iterable[Fault], more: int) -> Iterable[str]:
    by_file: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_file[fault.file].append(fault)
    for name, found in by_file.items():
        shown = " | ".join(fault.text for fault in found[:SHOWN])
        rest = f" | and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield f"{name}: {shown}{rest}"
    if more:
        yield f"{more} further faults are not listed"

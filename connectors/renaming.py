"""Which field may be the one that is missing, under a new name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.75
"""0..1, by difflib's ratio: `Industry` and `Industry_Sector__c` have 0.73, and may well be two things."""


def renamed(missing: str, there: Iterable[str], known: Iterable[str]) -> str:
    """Names, as the end of a line, the field of the CRM that is spelled most like a missing one, if it is much like it
    and none of those that are known as others; else nothing."""
    ours = {name.casefold() for name in known}
    # By how they are written alone, without what marks a field as an org's own.
    names = {_bare(name): name for name in sorted(there) if name.casefold() not in ours}
    near = get_close_matches(_bare(missing), names, n=1, cutoff=_ALIKE)
    return f"; if it is called {names[near[0]]} now, say so in KAM_MAPPING_FILE" if near else ""


def _bare(name: str) -> str:
    return name.casefold().removesuffix("__c").replace("_", "")

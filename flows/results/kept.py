"""What forgetting and delivering give back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class ForgetReceipt:
    """Who was forgotten: `records` of theirs, in the CRMs, and their `ids`, each source:instance:id. `counts`: rows
    taken out, by table; `emptied`: rows that stay and lost a link or a word. `entry`: the hash under which this is
    remembered. Files: `cleaned` ones of kam, and `left` ones, which could not be; `theirs` of people, who have to see
    to them. `is_wiped`: nothing of it is left in the files of the store. In a rehearsal nothing was done."""

    kind: str
    records: int
    ids: tuple[str, ...]
    entry: str
    counts: dict[str, int]
    emptied: dict[str, int]
    cleaned: tuple[str, ...]
    left: tuple[str, ...]
    theirs: tuple[str, ...]
    is_wiped: bool
    is_rehearsal: bool
    seconds: float

    @property
    def is_complete(self) -> bool:
        return self.is_wiped and not self.left


@dataclass(frozen=True)
class DigestReceipt:
    """A digest of tier changes that is new with this run. `owner` is text from a CRM: escape it; null of groups that
    nobody owns. `is_sent`: through KAM_NOTIFY_BLOCK. `warning`: what failed of its delivery, and what to do."""

    owner: str | None
    slug: str
    as_of: dt.date
    changes: int
    file: str | None
    is_sent: bool = False
    warning: str | None = None

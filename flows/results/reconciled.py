"""What counting the records of a CRM and of the store gives back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["ok", "differs", "unproven"]


@dataclass(frozen=True)
class WindowProof:
    """One window of a stream, counted on both sides. `low`, `high`: the keys that it holds, by `cut_by` days of
    creation or numbers of ids; null leaves an end open.

    `before`: what was created before then was counted; between it and `counted_at` is the lag that is allowed.
    `wrong`: records that the store lacks, has still, or holds with another amount, though the CRM has changed none of
    them since they were last to be read. `explained`: those that differ for a reason: set aside, forgotten on purpose,
    changed since, or not there any more. `sums`: by currency, the CRM's and ours, in 1/10,000 units. `reason`: why it
    is unproven; or how many are missing, extra, altered, and not there any more.

    `missing`, `extra`, `altered`: those that `wrong` adds up; `absent`: not there any more, which accuses nobody. Null
    where that is not known: nothing was counted, amounts could not be added up, or it is an earlier count that stands.
    """

    stream: str
    cut_by: str
    low: str | None
    high: str | None
    crm: int | None
    ours: int | None
    wrong: int = 0
    explained: int = 0
    sums: Mapping[str, Sequence[int]] = field(default_factory=dict)
    verdict: Verdict = "ok"
    reason: str | None = None
    before: dt.datetime | None = None
    counted_at: dt.datetime | None = None
    missing: int | None = None
    extra: int | None = None
    altered: int | None = None
    absent: int | None = None

    @property
    def difference(self) -> int | None:
        """Records that the CRM has more than the store; null where one side was not counted."""
        return None if self.crm is None or self.ours is None else self.crm - self.ours


@dataclass(frozen=True)
class ReconcileReceipt:
    """One CRM counted against the store. `repaired`: records that were read again, or marked gone, before."""

    source: str
    instance: str
    organisation: str | None
    windows: tuple[WindowProof, ...]
    calls: int
    seconds: float
    counted_at: dt.datetime
    repaired: int = 0
    stopped: str | None = None

    @property
    def is_partial(self) -> bool:
        return self.stopped is not None

    @property
    def unproven(self) -> dict[str, str]:
        """Why something could not be proven, and the streams which that is true of."""
        reasons: dict[str, dict[str, None]] = {}
        for one in self.windows:
            if one.verdict == "unproven":
                reasons.setdefault(one.reason or "", {})[one.stream] = None
        return {why: ", ".join(streams) for why, streams in reasons.items()}

    @property
    def verdict(self) -> Verdict:
        found = {one.verdict for one in self.windows}
        return "differs" if "differs" in found else "unproven" if "unproven" in found or self.stopped else "ok"

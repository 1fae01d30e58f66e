"""What kinds of account a book has, as data: how many, how they buy over three years, how large."""

from __future__ import annotations

from typing import NamedTuple


class Segment(NamedTuple):
    """`deals` and `touches` are weights per account; `halves` weighs the six half-years of the book, oldest first.

    `amount` is the median deal in euros; `win_rate` and `open_share` are shares, 0..1.
    """

    name: str
    kind: str
    share: float
    deals: float
    touches: float
    halves: tuple[float, ...]
    amount: int
    win_rate: float
    open_share: float


STAR = Segment("star", "Customer", 0.01, 24, 130, (4, 4, 5, 5, 6, 7), 60_000, 0.72, 0.12)
SEGMENTS = (
    STAR,
    Segment("declining", "Customer", 0.07, 9, 24, (7, 6, 4, 2, 1, 0.5), 24_000, 0.58, 0.06),
    Segment("dormant", "Customer", 0.10, 5, 9, (5, 5, 4, 1, 0, 0), 9_000, 0.55, 0.02),
    Segment("new", "Customer", 0.08, 4, 22, (0, 0, 0, 0, 0.3, 2), 14_000, 0.60, 0.35),
    Segment("growing", "Customer", 0.10, 8, 34, (0.5, 1, 1.5, 2.5, 4, 6), 20_000, 0.64, 0.20),
    Segment("steady", "Customer", 0.30, 7, 26, (1, 1, 1, 1, 1, 1), 12_000, 0.62, 0.13),
    Segment("prospect", "Prospect", 0.27, 1.5, 9, (0, 0.5, 0.5, 1, 2, 3), 11_000, 0.0, 0.55),
    Segment("partner", "Partner", 0.05, 1.2, 8, (1, 1, 1, 1, 1, 1), 8_000, 0.60, 0.10),
    Segment("competitor", "Competitor", 0.02, 0, 1, (1, 1, 1, 1, 1, 1), 0, 0.0, 0.0),
)

MONTHS = (0.7, 0.9, 1.3, 0.9, 1.0, 1.5, 0.7, 0.35, 1.0, 1.1, 1.3, 1.7)
"""How much business closes in each month, January first: quarter ends and December are strong, August is not."""


def segments_of(accounts: int) -> list[Segment]:
    """One segment per account in the shares above, every kind present, at least four stars."""
    counts = {s.name: max(1, round(s.share * accounts)) for s in SEGMENTS}
    counts[STAR.name] = min(max(4, counts[STAR.name]), 40)
    counts["steady"] += accounts - sum(counts.values())
    return [s for s in SEGMENTS for _ in range(counts[s.name])]

"""What a run will take, before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RunKind = Literal["increment", "full", "backfill"]


@dataclass(frozen=True)
class StreamEstimate:
    """`rows` null where the CRM could not count them. `note`: why it is read in full, or goes on where it stopped."""

    stream: str
    rows: int | None
    calls: int
    note: str | None = None


@dataclass(frozen=True)
class EstimateReceipt:
    """What reading one CRM will take. `rows`: of the streams themselves, without the links and stage changes that come
    with them, which no CRM counts. `setup`: calls of signing in and of looking at what the CRM has, which every run
    makes. `asked`: those that the counting took, which a backfill makes once more. `calls` is all that the run makes.

    `minutes` by `basis`: as fast as the last backfill was, by rows or by calls, whichever is slower; without one, by
    stated defaults and the pace that the CRM's limits allow. `day_limit` and `left`: calls of a day, and those that a
    run may make; null where the CRM states no limit. `day_share`: of the calls of a day, 0..1 and beyond. `is_enough`:
    one run may make so many; else it ends in part, and further ones go on. `windows`: of a backfill, in all streams,
    those that are still to be read.
    """

    source: str
    instance: str
    organisation: str
    kind: RunKind
    streams: tuple[StreamEstimate, ...]
    rows: int
    calls: int
    setup: int
    asked: int
    minutes: float
    basis: str
    day_limit: int | None
    left: int | None
    day_share: float | None
    is_enough: bool
    windows: int | None = None


@dataclass(frozen=True)
class ScoresEstimate:
    """What scoring past days will take, if none of them is there already. `minutes`: as the last `like` it took, null
    before there was one."""

    days: int
    accounts: int
    minutes: float | None
    like: Literal["past day", "scoring"]


@dataclass(frozen=True)
class NotCounted:
    """Why there is no estimate: a run may make so few `calls` that counting, about `asks` of them, would leave less
    than as many for reading. `spent`: those that signing in took."""

    source: str
    calls: int
    spent: int
    asks: int

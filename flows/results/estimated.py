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
class WriteBackEstimate:
    """What planning and writing take once the CRM is read.

    `accounts`: those whose fields the plan looks at: nothing is known of what they hold, it is not what we want today,
    or the CRM showed them again, or is about to. `written`: those of them that need a write by what the store holds
    now, and all that are not there yet; what is about to be read may add others, all that are looked at at most.
    `planning`, `writing`, `writing_at_most`: calls. A plan, once it is made, says what writing it takes. `run_calls`,
    `run_minutes`: of the whole run, reading and scoring included. `scoring_minutes`: as long as the last scoring took,
    which is of all CRMs together and makes no calls; null before there was one, and then left out of the whole.
    """

    accounts: int
    written: int
    planning: int
    writing: int
    writing_at_most: int
    run_calls: int
    run_minutes: float
    scoring_minutes: float | None = None


@dataclass(frozen=True)
class EstimateReceipt:
    """What one CRM will take. `rows`: of the streams themselves, without the links and stage changes that come
    with them, which no CRM counts. `setup`: calls of signing in and of looking at what the CRM has, which every run
    makes. `asked`: those that the counting took, which a backfill makes once more. `calls` is all that reading makes;
    `write_back`: what comes after it, null where nothing is written.

    `minutes` by `basis`: as fast as the last backfill stored rows and made calls; without one, by stated defaults or
    the pace that the CRM's limits allow, whichever is slower. `day_limit` and `left`: calls of a day, and those that a
    run may make; null where the CRM states no limit. `day_share`: of the calls of a day, 0..1 and beyond, writing
    included. `is_enough`: one run may make so many; else it ends in part, and further ones go on. `windows`: of a
    backfill, in all streams, those that are still to be read. `paced_s`: seconds that the calls take by that pace;
    `pace`: how many times as long they took in the last backfill, 1 where nobody knows.
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
    write_back: WriteBackEstimate | None = None
    paced_s: float = 0.0
    pace: float = 1.0


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

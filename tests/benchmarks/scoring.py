"""What scoring a day costs as the book grows, against plain group_bys: ratios, measured side by side.

    uv run python -m tests.benchmarks.scoring --accounts 10000 50000 200000

fills a store with an invented book of each size (5 opportunities, 25 activities and 27 other rows an account) and
scores it in a process of its own: reads the store, builds the frames of facts, computes every KPI over them, and the
tiers. Two measures stand beside it, each one Polars group_by of every table with 20 named sums and counts:

- over the same frames of facts, by group, each right before the KPIs are computed over it. KPIs (of groups, KAMs and
  the portfolio) and tiers are compared with that;
- over the rows of the store, held in memory whole in a process of its own, by the ids that lead to the account. That is
  compared with everything but reading: it has none of what makes facts of rows.

CPU seconds are of all threads; peak memory is that of the process, Python and libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.benchmarks.main_job import measured

T = TypeVar("T")
SIZES = (10_000, 50_000, 200_000)
WANTED_RATIO, WANTED_MB = 3, 2_000
_STEPS = ("read", "facts", "kpis", "above", "tiers", "reasons", "by frame", "by table")
Pair = tuple[float, float]
"""Seconds on the wall, and of CPU."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, nargs="+", default=SIZES)
    parser.add_argument("--store", help="address of an empty PostgreSQL store; SQLite files otherwise")
    parser.add_argument("--keep", type=Path, help="folder in which the SQLite files are kept, and found again")
    parser.add_argument("--shard-rows", type=int, help="as KAM_SHARD_ROWS")
    for step in ("--score", "--plain"):
        parser.add_argument(step, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.score or arguments.plain:
        told = _score(arguments.score, arguments.shard_rows) if arguments.score else _plain(arguments.plain)
        print(json.dumps(told))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for accounts in arguments.accounts:
            url = arguments.store or _filled(arguments.keep or Path(folder), accounts)
            rows.append({"accounts": accounts, **_both(url, arguments.shard_rows)})
    _print(rows)


def _filled(folder: Path, accounts: int) -> str:
    from kammodel.store import Store
    from tests.benchmarks.big_book import fill

    file = folder / f"kam{accounts}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        with Store(url) as store:
            fill(store, accounts)
    return url


def _both(url: str, shard_rows: int | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.scoring"]
    more = ["--shard-rows", str(shard_rows)] if shard_rows else []
    environment = dict(os.environ)
    scored = measured([*command, "--score", url, *more], environment)
    plain = measured([*command, "--plain", url], environment)
    return {"scored": scored.told, "plain": plain.told, "peak_mb": scored.peak_mb}


def _score(url: str, shard_rows: int | None) -> dict[str, Any]:
    """What each step took, and how many rows and shards there were."""
    from kammodel.inputs import SHARD_ROWS, read_inputs
    from kammodel.scoring import ScoringConfig, known_kpis
    from kammodel.sharding import shards_needed
    from kammodel.store import Store
    from kammodel.tiering import load_policy, reason_text, score
    from tests.benchmarks.big_book import DAY

    at_once = shard_rows or SHARD_ROWS
    config = ScoringConfig(DAY, "Europe/Madrid", "EUR", "salesforce", "en", load_policy(), "benchmark", at_once)
    took: dict[str, Any] = {}
    passes = _Passes()
    with Store(url) as store:
        inputs = _timed(took, "read", lambda: read_inputs(store, shard_rows=at_once))
    known = _timed(took, "facts", lambda: known_kpis(inputs, config))
    took |= {"kpis": passes.kpis, "by frame": passes.plain}
    took["facts"] = tuple(all_of_it - passes.kpis[n] - passes.plain[n] for n, all_of_it in enumerate(took["facts"]))
    _timed(took, "above", lambda: (known.by_kam, known.portfolio))
    groups = known.grouping.groups
    scores = _timed(took, "tiers", lambda: score(known.kpis, groups, config.policy, DAY, None))
    _timed(took, "reasons", lambda: reason_text(scores, known.kpis, groups, "en", None))
    tiers = scores.frame["tier_effective"].drop_nulls().len()
    return {**took, "rows": inputs.large_rows, "shards": shards_needed(inputs, at_once), "tiers_n": tiers}


class _Passes:
    """Watches how KPIs of groups are computed over frames of facts: `kpis` is what that takes, `plain` what one
    group_by of each of these frames does."""

    def __init__(self) -> None:
        from kammodel import sharded
        from kammodel.kpis import computing

        self.kpis: Pair = (0.0, 0.0)
        self.plain: Pair = (0.0, 0.0)
        aggregated, derived = computing.aggregated, computing.derived
        for module in (computing, sharded):
            setattr(module, "aggregated", self._watched(aggregated))  # noqa: B010 - it is another's
            setattr(module, "derived", self._watched(derived, is_pass=False))  # noqa: B010

    def _watched(self, make: Callable[..., T], *, is_pass: bool = True) -> Callable[..., T]:
        def watched(*arguments: Any) -> T:
            took: dict[str, Pair] = {}
            if arguments[-1] in {"kam", "portfolio"}:
                return make(*arguments)
            for frame in arguments[1].frames.values() if is_pass else ():
                if not frame.is_empty() and "group" in frame.columns:
                    _timed(took, "plain", lambda frame=frame: _frame_grouped(frame))
                    self.plain = _both_of(self.plain, took["plain"])
            made = _timed(took, "kpis", lambda: make(*arguments))
            self.kpis = _both_of(self.kpis, took["kpis"])
            return made

        return watched


def _both_of(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]


def _frame_grouped(frame: Any) -> Any:
    """Ten counts and ten sums of a frame of facts by its group: over ten windows of time, or ten floors where it has no
    day."""
    import polars as pl

    day = next((name for name, dtype in frame.schema.items() if dtype == pl.Date), None)
    number = next((name for name, dtype in frame.schema.items() if dtype.is_numeric() and name != "group"), None)
    amount = pl.lit(1) if number is None else pl.col(number)
    last = None if day is None else frame[day].max()
    named = []
    for n in range(1, 11):
        within = amount > n if day is None else pl.col(day) > pl.lit(last) - pl.duration(days=60 * n)
        named += [within.sum().alias(f"n_{n}"), pl.when(within).then(amount).sum().alias(f"sum_{n}")]
    return frame.lazy().group_by("group").agg(named).collect()


def _plain(url: str) -> dict[str, Any]:
    from kammodel.inputs import LARGE, asked
    from kammodel.store import Store

    took: dict[str, Any] = {}
    with Store(url) as store:
        frames = [(entity, store.read(entity, asked()[entity])) for entity in LARGE if entity in asked()]
    for entity, frame in frames:
        if not frame.is_empty():
            _timed(took, entity.__name__, lambda frame=frame: _grouped(frame))
    return took


def _grouped(frame: Any) -> Any:
    """Ten counts and ten sums, over ten windows of time, by the id that leads to an account."""
    import polars as pl

    keys = ("account_id", "account_ids", "opportunity_id")
    days = ("close_on", "occurred_on", "changed_at", "opened_at", "created_at")
    key, day = (next(name for name in names if name in frame.columns) for names in (keys, days))
    amount = pl.col("amount") if "amount" in frame.columns else pl.col("created_at").dt.epoch("s")
    last = frame[day].max()
    named = []
    for n in range(1, 11):
        within = pl.col(day) > pl.lit(last) - pl.duration(days=60 * n)
        named += [within.sum().alias(f"n_{n}"), pl.when(within).then(amount).sum().alias(f"sum_{n}")]
    return frame.lazy().group_by("source", "source_instance", key).agg(named).collect()


def _timed(took: dict[str, Any], step: str, make: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    made = make()
    took[step] = (time.perf_counter() - wall, time.process_time() - cpu)
    return made


def _print(rows: list[dict[str, Any]]) -> None:
    print(f"{'':>9} {'':>10} {'':>6} | CPU s (wall s)")
    head = f"{'accounts':>9} {'rows':>10} {'shards':>6} | " + " ".join(f"{step:>13}" for step in _STEPS)
    print(f"{head} | {'ratio':>5} {'rows':>5} {'peak MB':>8}")
    over_frames, over_rows = [], []
    for row in rows:
        scored = row["scored"]
        scored["by table"] = tuple(sum(pair[place] for pair in row["plain"].values()) for place in (0, 1))
        cpu = {step: scored[step][1] for step in _STEPS}
        over_frames.append((cpu["kpis"] + cpu["above"] + cpu["tiers"]) / cpu["by frame"])
        over_rows.append((cpu["facts"] + cpu["kpis"] + cpu["above"] + cpu["tiers"]) / cpu["by table"])
        told = " ".join(f"{f'{seconds:.1f} ({wall:.1f})':>13}" for wall, seconds in (scored[step] for step in _STEPS))
        print(f"{row['accounts']:>9} {scored['rows']:>10} {scored['shards']:>6} | {told}", end="")
        print(f" | {over_frames[-1]:>5.2f} {over_rows[-1]:>5.2f} {row['peak_mb']:>8.0f}")
    print(f"\nratio: kpis + above + tiers / by frame, over the same frames of facts; wanted at most {WANTED_RATIO}")
    print("rows: facts + kpis + above + tiers / by table, over the rows of the store")
    for name, found in (("ratio", over_frames), ("rows", over_rows)):
        print(f"{name} grew by {found[-1] / found[0]:.2f} from the smallest book to the largest")
    print(f"peak wanted under {WANTED_MB} MB")


if __name__ == "__main__":
    main()

"""What scoring a day costs as the book grows, against one plain group_by per table: a ratio, measured side by side.

    uv run python -m tests.benchmarks.scoring --accounts 10000 50000 200000

fills a store with an invented book of each size (5 opportunities, 25 activities and 27 other rows an account) and does
two things in processes of their own. One reads the store and computes every KPI and tier. The other holds the same
tables in memory whole and makes one Polars group_by of each, by the ids that lead to the account, with 20 named sums
and counts. CPU seconds are of all threads; peak memory is that of the process, Python and libraries included.
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
_STEPS = ("read", "kpis", "above", "tiers")


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
    """Seconds on the wall and of CPU for each step, and how many rows and shards there were."""
    from kammodel.inputs import SHARD_ROWS, read_inputs
    from kammodel.scoring import ScoringConfig, known_kpis
    from kammodel.sharding import shards_needed
    from kammodel.store import Store
    from kammodel.tiering import load_policy, reason_text, score
    from tests.benchmarks.big_book import DAY

    at_once = shard_rows or SHARD_ROWS
    config = ScoringConfig(DAY, "Europe/Madrid", "EUR", "salesforce", "en", load_policy(), "benchmark", at_once)
    took: dict[str, Any] = {}
    with Store(url) as store:
        inputs = _timed(took, "read", lambda: read_inputs(store, shard_rows=at_once))
    known = _timed(took, "kpis", lambda: known_kpis(inputs, config))
    _timed(took, "above", lambda: (known.by_kam, known.portfolio))
    groups = known.grouping.groups
    scores = _timed(took, "tiers", lambda: score(known.kpis, groups, config.policy, DAY, None))
    _timed(took, "reasons", lambda: reason_text(scores, known.kpis, groups, "en", None))
    tiers = scores.frame["tier_effective"].drop_nulls().len()
    return {**took, "rows": inputs.large_rows, "shards": shards_needed(inputs, at_once), "tiers_n": tiers}


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
    steps = (*_STEPS, "reasons")
    print(
        f"{'accounts':>9} {'rows':>10} {'shards':>6} | " + " ".join(f"{step:>15}" for step in (*steps, "plain")), end=""
    )
    print(f" | {'ratio':>6} {'peak MB':>8}")
    ratios = []
    for row in rows:
        scored, plain = row["scored"], list(row["plain"].values())
        plain_wall, plain_cpu = (sum(pair[place] for pair in plain) for place in (0, 1))
        computed = sum(scored[step][1] for step in ("kpis", "above", "tiers"))
        ratios.append(computed / plain_cpu)
        cells = [scored[step] for step in steps] + [(plain_wall, plain_cpu)]
        told = " ".join(f"{f'{cpu:.1f} ({wall:.1f})':>15}" for wall, cpu in cells)
        print(f"{row['accounts']:>9} {scored['rows']:>10} {scored['shards']:>6} | {told}", end="")
        print(f" | {ratios[-1]:>6.2f} {row['peak_mb']:>8.0f}")
    print(f"\nratio (kpis + above + tiers) / plain, wanted at most {WANTED_RATIO}; peak wanted under {WANTED_MB} MB")
    print(f"the ratio grew by {ratios[-1] / ratios[0]:.2f} from the smallest book to the largest")


if __name__ == "__main__":
    main()

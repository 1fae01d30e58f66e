"""How fast and how lean an org is read, against a client that only parses: ratios, measured side by side in one run.

    uv run python -m tests.benchmarks.reading --accounts 10000

serves two invented books (about 5 opportunities and 20 activities an account), one ten times the other, in processes
of their own, and reads each by two programs in turn. One is simple-salesforce's `query_all_iter`, which parses the same
fields of the same objects and keeps nothing. The other is `kam pull`, which reads, normalizes and stores them. The
slope between the two sizes leaves out what it takes to start. CPU seconds count the client's process alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.main_job import environment_of, measured, sandbox

FACTOR = 10
WANTED = 1 / 3
"""Rows per CPU second of the library that merely parses, of which we want to reach this share."""


@dataclass(frozen=True)
class Reading:
    """One program over one book: rows, CPU seconds, and peak memory in MB."""

    rows: int
    cpu: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--parse", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parse:
        _parse()
        return
    small, large = (_both(accounts) for accounts in (arguments.accounts // FACTOR, arguments.accounts))
    _print(small, large)


def _both(accounts: int) -> tuple[Reading, Reading]:
    """The library that parses, and kam, over a book of so many accounts."""
    with tempfile.TemporaryDirectory() as home, sandbox(accounts) as (variables, _):
        environment = environment_of(home, variables)
        parse = [sys.executable, "-m", "tests.benchmarks.reading", "--parse"]
        library = measured(parse, environment, cwd=Path.cwd())
        kam = measured([Path(sys.executable).with_name("kam"), "pull", "--json"], environment)
    streams = kam.told[0]["streams"]
    return (
        Reading(library.told["rows"], library.cpu, library.peak_mb),
        Reading(sum(stream["read"] for stream in streams), kam.cpu, kam.peak_mb),
    )


def _parse() -> None:
    """Asks simple-salesforce for the rows that kam would ask for, and counts them."""
    from connectors.contract import Slice
    from connectors.retry import Patience
    from connectors.salesforce.connector import SalesforceConnector
    from connectors.salesforce.pages import query_of
    from flows.settings import load_settings
    from tests.contract.salesforce_client import signed_in

    settings = load_settings(None).salesforce
    assert settings is not None
    connector = SalesforceConnector(settings, patience=Patience())
    connector.streams()
    sources = connector._catalogue.sources.values()
    everything = Slice(None, dt.datetime.now(dt.UTC))
    queries = [(query_of(source, everything), source.path.endswith("queryAll")) for source in sources]
    connector.close()
    rows = 0
    with signed_in(os.environ["KAM_SALESFORCE__INSTANCE_URL"], settings.api_version) as library:
        library.headers.pop("X-PrettyPrint", None)
        for query, include_deleted in queries:
            for _ in library.query_all_iter(query, include_deleted=include_deleted):
                rows += 1
    print(json.dumps({"rows": rows}))


def _print(small: tuple[Reading, Reading], large: tuple[Reading, Reading]) -> None:
    names = ("simple-salesforce, parsing", "kam pull, storing")
    print(f"{'':28} {'rows':>9} {'CPU s':>8} {'peak MB':>8}   {'slope: rows per CPU s':>21}")
    slopes = []
    for name, less, more in zip(names, small, large, strict=True):
        slopes.append((more.rows - less.rows) / (more.cpu - less.cpu))
        print(f"{name:28} {less.rows:9,} {less.cpu:8.2f} {less.peak_mb:8.0f}")
        print(f"{'':28} {more.rows:9,} {more.cpu:8.2f} {more.peak_mb:8.0f}   {slopes[-1]:21,.0f}")
    parsing, storing = slopes
    print(f"\nkam stores {storing / parsing:.2f} rows for each row that the library parses (wanted: {WANTED:.2f})")
    print(f"kam's peak memory for {FACTOR} times the rows: {large[1].peak_mb / small[1].peak_mb:.2f} times")


if __name__ == "__main__":
    main()

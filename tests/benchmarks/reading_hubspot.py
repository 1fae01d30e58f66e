"""How fast, how lean and with how few calls a portal is read, against a client that only parses: ratios, measured
side by side in one run.

    uv run python -m tests.benchmarks.reading_hubspot --companies 10000

serves two invented books (about 5 deals and 20 engagements a company), one ten times the other, in processes of their
own, and reads each by three programs in turn. Two are hubspot-api-client's own paging into typed models, which asks for
the same properties of the same objects and keeps nothing: without associations, and with those that kam reads too. The
third is `kam pull`, which reads, normalizes and stores records and associations. The slope between the two sizes leaves
out what it takes to start. CPU seconds count the client's process alone. Then a book of half the size is served with
100 ms before every answer, and read with one call at a time and with eight.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.benchmarks.main_job import Cost, environment_of, measured

FACTOR = 10
WANTED, AIM = 3, 5
"""Times the rows per CPU second of the library that merely parses."""
LATENCY_S, MOST_OF_THE_WALL = 0.1, 0.25
_ME = [sys.executable, "-m", "tests.benchmarks.reading_hubspot"]
_KAM = Path(sys.executable).with_name("kam")


@dataclass(frozen=True)
class Reading:
    """One program over one book: rows, CPU seconds, peak memory in MB, calls, the calls that pages require, and those
    that find out what the portal has."""

    rows: int
    cpu: float
    peak_mb: float
    calls: int = 0
    required: int = 0
    catalogue: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--companies", type=int, default=10_000)
    parser.add_argument("--serve", type=float, metavar="LATENCY_S", help=argparse.SUPPRESS)
    parser.add_argument("--parse", choices=("records", "associations"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        _serve(arguments.companies, arguments.serve)
    elif arguments.parse:
        _parse(with_links=arguments.parse == "associations")
    else:
        sizes = (arguments.companies // FACTOR, arguments.companies)
        _print([_three(companies) for companies in sizes])
        _print_walls(_walls(arguments.companies // 2))


def _serve(companies: int, latency_s: float) -> None:
    """Serves until standard input ends, with limits beyond reach: how they are kept is tested elsewhere."""
    from connectors.sandbox.clock import Clock
    from connectors.sandbox.company import same_in, serving
    from connectors.sandbox.hubspot.settings import PortalSettings
    from connectors.sandbox.seed import seeded_book

    now = dt.datetime.now(dt.UTC)
    settings = PortalSettings(
        latency_s=latency_s, window_requests=10**6, associations_window_requests=10**6, daily_requests=10**8
    )
    book = seeded_book(companies, now)
    company = same_in(book, Clock(now, running=True), "hubspot", portal_settings=settings)
    with serving(company) as served:
        print(json.dumps(served.environment()), flush=True)
        sys.stdin.read()


@contextmanager
def _served(companies: int, latency_s: float = 0.0) -> Iterator[dict[str, str]]:
    command = [*_ME, "--companies", str(companies), "--serve", str(latency_s)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
        server.stdin.close()


def _three(companies: int) -> dict[str, Reading]:
    with tempfile.TemporaryDirectory() as home, _served(companies) as variables:
        environment = environment_of(home, variables)
        plain = measured([*_ME, "--parse", "records"], environment, cwd=Path.cwd())
        linked = measured([*_ME, "--parse", "associations"], environment, cwd=Path.cwd())
        kam = measured([_KAM, "pull", "--json"], environment)
    return {
        "typed paging, records": _parsed(plain),
        "typed paging, associations": _parsed(linked),
        "kam pull, storing": _pulled(kam, linked.told),
    }


def _parsed(cost: Cost) -> Reading:
    return Reading(cost.told["rows"], cost.cpu, cost.peak_mb, cost.told["calls"])


def _pulled(cost: Cost, parsed: dict[str, int]) -> Reading:
    told = cost.told[0]
    rows = sum(stream["read"] for stream in told["streams"] if " > " not in stream["stream"])
    return Reading(rows, cost.cpu, cost.peak_mb, told["calls"], parsed["required"], parsed["catalogue"])


def _parse(*, with_links: bool) -> None:
    """Asks hubspot-api-client for the records that kam would ask for, page by page, and counts them."""
    from hubspot import HubSpot

    from connectors.hubspot.connector import HubSpotConnector
    from flows.settings import load_settings

    settings = load_settings(None).hubspot
    assert settings is not None
    connector = HubSpotConnector(settings)
    connector.streams()
    sources = connector._catalogue.sources
    wishes = [(connector._catalogue.wish(name), [link.kind for link in sources[name].links]) for name in sources]
    catalogue = connector.calls.total
    connector.close()
    library = HubSpot(access_token=settings.token, host=settings.host).crm.objects.basic_api
    rows = calls = required = 0
    for wish, kinds in wishes:
        found, pages = _paged(library, wish, kinds if with_links else None)
        rows, calls = rows + found, calls + pages
        # Links are read a thousand records a call; the bin is a page at least; and rows are counted once to be proven.
        required += pages + len(kinds) * -(-found // 1000) + 2
    print(json.dumps({"rows": rows, "calls": calls, "required": required, "catalogue": catalogue}))


def _paged(library: Any, wish: Any, kinds: list[str] | None) -> tuple[int, int]:
    rows = pages = 0
    more: dict[str, Any] = {"associations": list(dict.fromkeys(kinds))} if kinds else {}
    if wish.history:
        more["properties_with_history"] = list(wish.history)
    after = None
    while True:
        page = library.get_page(wish.kind, limit=wish.size, after=after, properties=list(wish.properties), **more)
        rows, pages = rows + len(page.results), pages + 1
        if page.paging is None:
            return rows, pages
        after = page.paging.next.after


def _walls(companies: int) -> tuple[float, float]:
    """Seconds on the wall with a slow portal: one call at a time, and eight."""
    walls = []
    with _served(companies, LATENCY_S) as variables:
        for calls in (1, 8):
            with tempfile.TemporaryDirectory() as home:
                environment = environment_of(home, variables | {"KAM_HUBSPOT__PARALLEL_CALLS": str(calls)})
                walls.append(measured([_KAM, "pull", "--json"], environment).wall)
    return walls[0], walls[1]


def _print(readings: list[dict[str, Reading]]) -> None:
    print(f"{'':28} {'rows':>9} {'CPU s':>8} {'peak MB':>8} {'calls':>7}   {'slope: rows per CPU s':>21}")
    slopes = {}
    for name in readings[0]:
        less, more = (reading[name] for reading in readings)
        slopes[name] = (more.rows - less.rows) / (more.cpu - less.cpu)
        print(f"{name:28} {less.rows:9,} {less.cpu:8.2f} {less.peak_mb:8.0f} {less.calls:7,}")
        print(f"{'':28} {more.rows:9,} {more.cpu:8.2f} {more.peak_mb:8.0f} {more.calls:7,}   {slopes[name]:21,.0f}")
    *typed, kam = slopes
    small, large = (reading[kam] for reading in readings)
    for name in typed:
        print(f"\n{kam} against {name}: {slopes[kam] / slopes[name]:.2f} times (wanted: {WANTED}, aimed at: {AIM})")
    print(f"kam's peak memory for {FACTOR} times the rows: {large.peak_mb / small.peak_mb:.2f} times")
    parts = large.calls - large.catalogue - large.required
    print(f"kam's calls: {large.calls:,} for {large.required:,} that pages, links, bins and counts require; besides,")
    print(f"{large.catalogue} find out what the portal has, {parts:,} ({parts / large.required:.1%}) end ranges")


def _print_walls(walls: tuple[float, float]) -> None:
    one, eight = walls
    print(
        f"with {LATENCY_S * 1000:.0f} ms before every answer: {one:.1f} s one call after another, {eight:.1f} s with 8"
    )
    print(f"that is {eight / one:.2f} of the time (wanted: at most {MOST_OF_THE_WALL})")


if __name__ == "__main__":
    main()

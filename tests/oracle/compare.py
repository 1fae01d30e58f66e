"""Holds the program's figures against the oracle's: money to the unit, ratios after their rounding, reasons too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from kammodel.kpis import KPIS, Level
from kammodel.scoring import Known, known_kpis
from tests.oracle import (
    oracle_families,
    oracle_levels,
    oracle_pipeline,
    oracle_plans,
    oracle_service,
    oracle_stages,
    oracle_team,
    oracle_touches,
    oracle_value,
    oracle_winning,
    oracle_worth,
)
from tests.oracle.facts import deals
from tests.oracle.known import Knowledge, Null, Unrounded
from tests.oracle.oracle_value import Found
from tests.oracle.people import people
from tests.oracle.revenue import revenue
from tests.oracle.world import Book

VALUE = "a value"
LEVELS: tuple[Level, ...] = ("group", "kam", "portfolio")
NAMES: dict[Level, set[str]] = {level: {kpi.name for kpi in KPIS if level in kpi.levels} for level in LEVELS}
SCALES = {kpi.name: kpi.scale for kpi in KPIS}
THEMES = (
    oracle_value.value,
    oracle_winning.winning,
    oracle_winning.loyalty,
    oracle_pipeline.pipeline,
    oracle_touches.engagement,
    oracle_touches.relationship,
    oracle_touches.tasks,
    oracle_service.service,
    oracle_service.satisfaction,
    oracle_service.renewal,
    oracle_service.growth,
    oracle_worth.win_rate_value,
    oracle_worth.quarter_forecast,
    oracle_worth.target,
    oracle_worth.quality,
    oracle_worth.ratings,
    oracle_plans.planning,
    oracle_team.team,
    oracle_team.forecasts,
)


@dataclass
class Comparison:
    """What was looked at, and where the two disagree: `differences` by KPI and level, in words."""

    groups: int = 0
    figures: Counter[Level] = field(default_factory=Counter)
    nulls: Counter[Level] = field(default_factory=Counter)
    differences: dict[tuple[str, Level], list[str]] = field(default_factory=dict)
    seen: Counter[tuple[str, Level, str]] = field(default_factory=Counter)

    def add(self, other: Comparison) -> None:
        self.groups += other.groups
        self.figures += other.figures
        self.nulls += other.nulls
        self.seen += other.seen
        for name, told in other.differences.items():
            self.differences.setdefault(name, []).extend(told)


def expected(book: Book) -> dict[Level, dict[str, Found]]:
    """The oracle's figures: by level, key (group_id, id of the KAM, "all") and KPI."""
    known = Knowledge(book)
    deals(known)
    revenue(known)
    people(known)
    for theme in (oracle_service, oracle_worth, oracle_plans, oracle_team):
        theme.gather(known)
    all_stages = oracle_stages.gather(known)
    worth = oracle_families.gather(known)
    found: dict[str, Found] = {}
    for group in known.groups:
        own = found[group.group_id] = {}
        for figures in THEMES:
            figures(known, group, own)
        oracle_stages.stages(known, group, own, all_stages)
        oracle_families.families(known, group, own, worth)
    oracle_value.over_all(known, found)
    oracle_winning.shown(found, found)
    oracle_winning.migrated(found)
    return {"group": found, **oracle_levels.above(known, found, all_stages, worth)}


def compared(book: Book, known: Known | None = None) -> Comparison:
    """The figures of the program, its own unless given, against the oracle's."""
    program = known_kpis(book.inputs(), book.config, book.before()) if known is None else known
    ids = program.grouping.groups.select("group", "group_id")
    ours: dict[Level, pl.DataFrame] = {
        "group": program.kpis.join(ids, on="group").rename({"group_id": "key"}),
        "kam": program.by_kam.rename({"kam": "key"}),
        "portfolio": program.portfolio.rename({"portfolio": "key"}),
    }
    theirs = expected(book)
    result = Comparison(groups=len(theirs["group"]))
    for level, frame in ours.items():
        odd = sorted(set(frame["key"]) ^ set(theirs[level]))
        if odd:
            result.differences["keys", level] = [f"{book.config.as_of} {odd[:6]}"]
        for row in frame.iter_rows(named=True):
            told = theirs[level].get(row["key"], {})
            for name in NAMES[level] & told.keys():
                _look(result, level, name, row, told[name])
    return result


def _look(result: Comparison, level: Level, name: str, row: dict[str, Any], value: Any) -> None:
    shown, why = row[name], row[f"{name}__why"]
    result.figures[level] += 1
    result.nulls[level] += isinstance(value, Null)
    result.seen[name, level, why or VALUE] += 1
    same = why in value.whys and shown is None if isinstance(value, Null) else _equal(shown, value, SCALES[name])
    if not same:
        told = f"{row['key']}: program {shown if why is None else why}, oracle {value}"
        result.differences.setdefault((name, level), []).append(told)


def _equal(shown: Any, value: Any, scale: int) -> bool:
    if shown is None:
        return False
    if isinstance(value, float | Unrounded):
        exact = value if isinstance(value, float) else float(value.value)
        return bool(abs(shown - exact) <= 0.5000001 * 10**-scale)
    if not scale:
        return bool(shown == value)
    return bool(float(value) == shown)

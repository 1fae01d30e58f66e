"""Holds the program's figures against the oracle's: money to the unit, ratios after their rounding, reasons too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kammodel.kpis import KPIS
from kammodel.scoring import Known, known_kpis
from tests.oracle import (
    oracle_families,
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
from tests.oracle.people import people
from tests.oracle.revenue import revenue
from tests.oracle.world import Book

SCALES = {kpi.name: kpi.scale for kpi in KPIS}
THEMES = (
    oracle_value.value,
    oracle_winning.winning,
    oracle_winning.loyalty,
    oracle_pipeline.pipeline,
    oracle_touches.engagement,
    oracle_touches.relationship,
    oracle_service.service,
    oracle_service.satisfaction,
    oracle_service.renewal,
    oracle_service.growth,
    oracle_worth.win_rate_value,
    oracle_worth.aims,
    oracle_worth.quality,
    oracle_worth.ratings,
    oracle_plans.planning,
    oracle_team.team,
    oracle_team.forecasts,
)


@dataclass
class Comparison:
    """What was looked at, and where the two disagree: `differences` by KPI, in words."""

    groups: int = 0
    figures: int = 0
    nulls: int = 0
    differences: dict[str, list[str]] = field(default_factory=dict)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Comparison) -> None:
        self.groups += other.groups
        self.figures += other.figures
        self.nulls += other.nulls
        self.seen += other.seen
        for name, told in other.differences.items():
            self.differences.setdefault(name, []).extend(told)


def expected(book: Book) -> dict[str, dict[str, Any]]:
    """The oracle's figures: by group_id and KPI."""
    known = Knowledge(book)
    deals(known)
    revenue(known)
    people(known)
    for theme in (oracle_service, oracle_worth, oracle_plans, oracle_team):
        theme.gather(known)
    all_stages = oracle_stages.gather(known)
    worth = oracle_families.gather(known)
    found: dict[str, dict[str, Any]] = {}
    for group in known.groups:
        own = found[group.group_id] = {}
        for figures in THEMES:
            figures(known, group, own)
        oracle_stages.stages(known, group, own, all_stages)
        oracle_families.families(known, group, own, worth)
    oracle_value.over_all(known, found)
    oracle_winning.over_all(found)
    oracle_winning.migrated(found)
    return found


def compared(book: Book, known: Known | None = None) -> Comparison:
    """The figures of the program, its own unless given, against the oracle's."""
    program = known_kpis(book.inputs(), book.config) if known is None else known
    ours = program.kpis.join(program.grouping.groups.select("group", "group_id"), on="group")
    theirs = expected(book)
    result = Comparison(groups=len(theirs))
    if set(ours["group_id"]) != set(theirs):
        result.differences["groups"] = [f"{book.config.as_of} {sorted(set(ours['group_id']) ^ set(theirs))[:6]}"]
    for row in ours.iter_rows(named=True):
        for name, value in theirs.get(row["group_id"], {}).items():
            _look(result, name, row, value)
    return result


def _look(result: Comparison, name: str, row: dict[str, Any], value: Any) -> None:
    shown, why = row[name], row[f"{name}__why"]
    result.figures += 1
    result.nulls += isinstance(value, Null)
    result.seen[name, why or "a value"] += 1
    same = why in value.whys and shown is None if isinstance(value, Null) else _equal(shown, value, SCALES[name])
    if not same:
        told = f"{row['group_id']}: program {shown if why is None else why}, oracle {value}"
        result.differences.setdefault(name, []).append(told)


def _equal(shown: Any, value: Any, scale: int) -> bool:
    if shown is None:
        return False
    if isinstance(value, float | Unrounded):
        exact = value if isinstance(value, float) else float(value.value)
        return bool(abs(shown - exact) <= 0.5000001 * 10**-scale)
    if not scale:
        return bool(shown == value)
    return bool(float(value) == shown)

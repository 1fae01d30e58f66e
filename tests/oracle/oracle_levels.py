"""What a key account manager's groups come to together, and all of them: by the rows of all, or group by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from kammodel.kpis import Level
from tests.oracle import (
    oracle_families,
    oracle_pipeline,
    oracle_plans,
    oracle_portfolio,
    oracle_service,
    oracle_stages,
    oracle_team,
    oracle_touches,
    oracle_value,
    oracle_winning,
    oracle_worth,
)
from tests.oracle.known import Group, Knowledge
from tests.oracle.oracle_stages import Stages
from tests.oracle.oracle_value import Found
from tests.unit.kam_world import crm

WHOLE = "all"
THEMES = (
    oracle_value.value,
    oracle_winning.winning,
    oracle_pipeline.pipeline,
    oracle_touches.tasks,
    oracle_service.service,
    oracle_service.satisfaction,
    oracle_service.renewal,
    oracle_worth.win_rate_value,
    oracle_worth.quarter_forecast,
    oracle_worth.quality,
    oracle_plans.planning,
)
"""The same figure over the rows of several groups as over those of one."""


def together(name: str, groups: Iterable[Group]) -> Group:
    """One group, made of the rows of several."""
    every = list(groups)
    rows: dict[str, list[Any]] = defaultdict(list)
    for group in every:
        for kind, own in group.rows.items():
            rows[kind].extend(own)
    return Group(name, {key for group in every for key in group.accounts}, None, rows)


def kam_of(group: Group) -> str | None:
    """As `source:instance:user id`."""
    manager = oracle_team.manager_of(group)
    return None if manager is None else f"{manager[0]}:{crm(manager[0])['source_instance']}:{manager[1]}"


def above(
    known: Knowledge, by_group: dict[str, Found], stages: Stages, worth: dict[str, Fraction]
) -> dict[Level, dict[str, Found]]:
    """The figures by level and key: the id of each KAM, and WHOLE."""
    books: dict[str, list[Group]] = defaultdict(list)
    for group in known.groups:
        kam = kam_of(group)
        if kam is not None:
            books[kam].append(group)

    def figures(key: str, groups: list[Group], level: Level) -> Found:
        one, found = together(key, groups), Found()
        for theme in THEMES:
            theme(known, one, found)
        oracle_stages.stages(known, one, found, stages)
        oracle_families.families(known, one, found, worth)
        oracle_team.looked_back(known, groups, found)
        found["target_quarter"] = oracle_worth.target_above(known, groups, key if level == "kam" else None)
        oracle_worth.coverage(found)
        own = [by_group[group.group_id] for group in groups]
        oracle_portfolio.retention(known, own, found)
        oracle_portfolio.counts(own, found)
        oracle_portfolio.capacity(known, groups, found)
        if level == "portfolio":
            oracle_portfolio.concentration(own, found)
        return found

    told: dict[Level, dict[str, Found]] = {
        "kam": {kam: figures(kam, groups, "kam") for kam, groups in books.items()},
        "portfolio": {WHOLE: figures(WHOLE, known.groups, "portfolio")},
    }
    for of_level in told.values():
        oracle_winning.shown(of_level, by_group)
    return told

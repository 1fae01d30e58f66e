"""Finds out which stages the opportunities of an export go through, and which of them close a deal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from connectors.sandbox.salesforce.csv_export import Export, TextRow
from connectors.sandbox.salesforce.setup import STAGES

_WON = frozenset({"closed won", "won", "closedwon", "cerrada ganada", "ganada", "ganado"})
_LOST = frozenset({"closed lost", "lost", "closedlost", "cerrada perdida", "perdida", "perdido"})
_PERCENTAGE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?")
_TRUE = frozenset({"true", "1"})
_USUAL = {label.lower(): probability for label, probability, *_ in STAGES}


class Stage(NamedTuple):
    """`probability` in percent; None where the export does not tell, and the name is not one every org has."""

    label: str
    closed: bool
    won: bool
    probability: float | None
    category: str


_EVERYWHERE = (
    Stage("Prospecting", closed=False, won=False, probability=10, category="Pipeline"),
    Stage("Closed Won", closed=True, won=True, probability=100, category="Closed"),
    Stage("Closed Lost", closed=True, won=False, probability=0, category="Omitted"),
)


def stages_of(export: Export) -> dict[str, Stage]:
    """Every stage that is declared or used, by name, open ones first.

    What OpportunityStage.csv says; else what the columns IsClosed and IsWon say of the first deal in the stage; else
    what well-known names mean (Closed Won, Won, Closed Lost, Lost, and in Spanish). Other stages are open. What is
    missing of an open, a won and a lost stage is added, for every org has them.
    """
    declared = [_declared(row) for row in export.rows.get("OpportunityStage", ()) if "MasterLabel" in row]
    stages = {stage.label: stage for stage in declared}
    used: dict[str, list[TextRow]] = defaultdict(list)
    for name in ("Opportunity", "OpportunityHistory"):
        for row in export.rows.get(name, ()):
            if "StageName" in row and row["StageName"] not in stages:
                used[row["StageName"]].append(row)
    found = {label: _used(label, rows) for label, rows in used.items()}
    stages |= dict(sorted(found.items(), key=lambda item: (item[1].closed, not item[1].won)))
    have = {(stage.closed, stage.won) for stage in stages.values()}
    return stages | {stage.label: stage for stage in _EVERYWHERE if (stage.closed, stage.won) not in have}


def is_closed(row: TextRow, stages: dict[str, Stage]) -> bool:
    """Whether an opportunity is closed: as it says itself, else as its stage is."""
    if "IsClosed" in row:
        return row["IsClosed"].lower() in _TRUE
    stage = stages.get(row.get("StageName", ""))
    return stage is not None and stage.closed


def _declared(row: TextRow) -> Stage:
    closed, won = (row.get(name, "").lower() in _TRUE for name in ("IsClosed", "IsWon"))
    category = row.get("ForecastCategory") or _category(closed=closed, won=won)
    return Stage(row["MasterLabel"], closed, won, _percent([row.get("DefaultProbability", "")]), category)


def _used(label: str, rows: list[TextRow]) -> Stage:
    word = label.strip().lower()
    told = next((row for row in rows if "IsClosed" in row), None)
    # One of the two columns may be missing: a deal that is won is closed.
    won = next((row["IsWon"].lower() in _TRUE for row in rows if "IsWon" in row), word in _WON)
    closed = won or (told["IsClosed"].lower() in _TRUE if told else word in _LOST)
    probability = _percent(row.get("Probability", "") for row in rows)
    if probability is None:
        probability = (100.0 if won else 0.0) if closed else _USUAL.get(word)
    return Stage(label, closed, won, probability, _category(closed=closed, won=won))


def _category(*, closed: bool, won: bool) -> str:
    return "Closed" if won else "Omitted" if closed else "Pipeline"


def _percent(texts: Iterable[str]) -> float | None:
    """The most frequent of the texts that is a percentage."""
    common = Counter(text for text in texts if _PERCENTAGE.fullmatch(text)).most_common(1)
    return float(common[0][0]) if common else None

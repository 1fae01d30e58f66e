"""Rollups of rollups.toml as rows of text: in the catalogue of KPIs, and of one account group."""

from __future__ import annotations

from collections.abc import Iterable

from flows.escaping import plain
from flows.report.catalogue import Entry
from flows.words import Words
from kammodel.rollups import Rollup
from kammodel.rollups.texts import rule, window_text
from kammodel.tiering.explained import RollupExplained

_DECIMALS = {"number": 6, "ratio": 6}


def rollup_entries(rollups: Iterable[Rollup]) -> tuple[Entry, ...]:
    """In the order of the file, as entries of the catalogue. Their rules hold words of a file: escape them."""
    return tuple(
        Entry(
            rollup.name,
            "rollups",
            (rollup.level,),
            rollup.unit,
            window_text(rollup.window),
            _DECIMALS.get(rollup.unit, 0),
            plain(rule(rollup)),
            plain(rule(rollup)),
        )
        for rollup in rollups
    )


def rollup_rows(rollups: Iterable[RollupExplained], say: Words) -> list[tuple[str, str, str, str]]:
    """Label, account (a dash for the group), value, and why there is none."""
    return [(plain(one.label), plain(one.account or "-"), _shown(one, say), one.why or "") for one in rollups]


def _shown(one: RollupExplained, say: Words) -> str:
    value = one.value
    if value is None or isinstance(value, str):
        return plain(value or "-")
    if one.unit == "ratio":
        return say.percent(100 * value)
    return say.number(value, 2 if one.unit in {"money", "number"} else 0)

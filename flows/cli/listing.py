"""`kam kpis`: the catalogue of KPIs, for a person or a program."""

from __future__ import annotations

from itertools import groupby

from flows.cli.show import print_json, printed, table
from flows.report.catalogue import entries
from flows.report.rolled import rollup_entries
from flows.settings import load_settings
from flows.words import Words
from kammodel.given import read_given


def list_kpis(*, as_json: bool) -> None:
    """Prints every KPI, theme by theme, and the rollups of rollups.toml. What each is stands in English, where the
    README has it."""
    settings = load_settings()
    found = (*entries(), *rollup_entries(read_given(settings.inputs_dir).rollups))
    if as_json:
        print_json(found)
        return
    say = Words(settings.language)
    head = tuple(say(f"k_{column}") for column in ("name", "levels", "unit", "window", "rule"))
    for theme, group in groupby(found, key=lambda entry: entry.theme):
        rows = [
            (
                one.name,
                ", ".join(say(f"k_level_{level}") for level in one.levels),
                say(f"k_unit_{one.unit}"),
                one.window,
                one.summary,
            )
            for one in group
        ]
        printed(table(say(f"k_theme_{theme}"), head, rows, words=len(head)))

"""The catalogue of KPIs is whole, and the README and `kam kpis` tell it as it is declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.report.catalogue import entries, with_table
from flows.words import Words
from kammodel.facts import REGISTRY
from kammodel.kpis import DERIVED, GROUPS, KPIS

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_the_kpis_that_there_are() -> None:
    """`python -m flows.report.catalogue README.md` puts it right."""
    text = README.read_text("utf-8")
    assert "| `revenue_ttm` | group, kam, portfolio | money | 12m |" in text
    assert with_table(text) == text


def test_every_kpi_is_of_a_frame_that_there_is() -> None:
    assert {kpi.of for kpi in KPIS} <= {*REGISTRY, GROUPS, DERIVED}
    assert all(name == frame.name for name, frame in REGISTRY.items())


def test_names_are_told_once_and_rules_are_sentences() -> None:
    names = [kpi.name for kpi in KPIS]
    assert len(set(names)) == len(names)
    for entry in entries():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.name)
        assert entry.summary.endswith((".", ")")), entry.name
        assert entry.levels, entry.name


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_word_of_the_list_is_there(language: str) -> None:
    say = Words("es" if language == "es" else "en")
    for entry in entries():
        told = [f"k_theme_{entry.theme}", f"k_unit_{entry.unit}", *(f"k_level_{level}" for level in entry.levels)]
        assert all(say(key) for key in told)

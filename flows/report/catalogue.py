"""The catalogue of KPIs as rows of text, and as the README's table: `python -m flows.report.catalogue README.md`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from kammodel.kpis import KPIS, THEMES, Kpi

BEGIN, END = "<!-- kpis: python -m flows.report.catalogue README.md -->", "<!-- /kpis -->"
"""Between these the table of the README stands."""


@dataclass(frozen=True)
class Entry:
    """One KPI as it is told. `rule`: all of it; `summary`: its first sentence."""

    name: str
    theme: str
    levels: tuple[str, ...]
    unit: str
    window: str
    decimals: int
    summary: str
    rule: str


def entries() -> tuple[Entry, ...]:
    """Every KPI, theme by theme."""
    themes = {id(found): theme.__name__.rsplit(".", 1)[-1] for theme in THEMES for found in vars(theme).values()}
    return tuple(_entry(kpi, themes[id(kpi)]) for kpi in KPIS)


def markdown_table() -> str:
    """The catalogue as one Markdown table."""
    rows = [
        f"| `{one.name}` | {', '.join(one.levels)} | {one.unit} | {one.window} | {_cell(one.summary)} |"
        for one in entries()
    ]
    return "\n".join(["| KPI | for | unit | window | what it is |", "|---|---|---|---|---|", *rows])


def with_table(readme: str) -> str:
    """A text with the table between BEGIN and END made anew."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{markdown_table()}\n\n{END}{after}"


def _entry(kpi: Kpi, theme: str) -> Entry:
    rule = re.sub(r"\n[ ]+", "\n", kpi.rule)
    first = " ".join(rule.split("\n\n")[0].split())
    summary = re.split(r"(?<=\.)\s(?=[A-Z`])", first)[0]
    return Entry(kpi.name, theme, kpi.levels, kpi.unit, kpi.window, kpi.scale, summary, rule)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text("utf-8")), "utf-8")

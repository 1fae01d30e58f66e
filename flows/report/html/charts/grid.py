"""A grid of counts: the more there are in a cell, the stronger its colour."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.axis import named_across, named_upward
from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, number, rect, text, width_of

_TOP, _GAP = 46.0, 3.0
_BANDS = (0.5, 0.85)
"""Strengths of colour where the text on it may have to change its own, see the style sheet."""


@dataclass(frozen=True)
class Cell:
    """A count with how it is written. `tone`: what its colour says; `says`: what it is, in full."""

    count: int
    told: str
    tone: str
    says: str


@dataclass(frozen=True)
class Grid:
    """Cells row by row, from the top; the names of rows and columns, and of both axes."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    rows_name: str
    columns_name: str


def grid_svg(grid: Grid, titles: Titles, *, row_height: float = 38.0, left: float) -> Markup:
    """The grid; an empty cell is left pale."""
    most = max((cell.count for row in grid.cells for cell in row), default=0)
    width = (WIDTH - left) / max(len(grid.columns), 1)
    # Names wider than their columns stand on two lines in turn.
    turn = 14 if any(width_of(name) > width for name in grid.columns) else 0
    drawn = [
        text(name, left + width * (at + 0.5), _TOP - 8 + turn * (at % 2), text_anchor="middle", class_="tick")
        for at, name in enumerate(grid.columns)
    ]
    top = _TOP + turn
    bottom = top + row_height * len(grid.rows)
    for place, (name, row) in enumerate(zip(grid.rows, grid.cells, strict=True)):
        y = top + row_height * place
        drawn.append(text(name, left - 8, y + row_height / 2 + 4, text_anchor="end", class_="tick"))
        drawn += [_cell(cell, most, (left + width * at, y), (width, row_height)) for at, cell in enumerate(row)]
    names = (
        named_across(grid.columns_name, left, WIDTH, 16.0),
        named_upward(grid.rows_name, top, bottom, 12.0),
    )
    return drawing(bottom + 4, titles, *drawn, *names)


def _cell(cell: Cell, most: int, place: tuple[float, float], size: tuple[float, float]) -> Markup:
    (x, y), (width, height) = place, size
    strength = 0.18 + 0.82 * (cell.count / most) ** 0.5 if cell.count else 0.0
    shown = rect(
        x + _GAP / 2,
        y + _GAP / 2,
        width - _GAP,
        height - _GAP,
        rx=4.0,
        class_=f"cell {cell.tone}" if cell.count else "cell none",
        fill_opacity=number(strength) if cell.count else None,
    )
    band = sum(strength >= limit for limit in _BANDS)
    words = text(
        cell.told,
        x + width / 2,
        y + height / 2 + 4,
        text_anchor="middle",
        class_=f"count on-cell {cell.tone} s{band}" if cell.count else "count none",
    )
    return element("g", element("title", cell.says), shown, words)

"""Bars with their names above them."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, rect, text

_ROW, _BAR = 34.0, 10.0


@dataclass(frozen=True)
class Bar:
    """`size` of `most`; null: there is no value, and `told` says why. `told` stands at the right end."""

    name: str
    size: float | None
    told: str
    says: str = ""
    tone: str = "accent"


def bars_svg(bars: tuple[Bar, ...], most: float, titles: Titles) -> Markup:
    """One bar under the other, from 0 to `most`."""
    drawn = []
    for place, bar in enumerate(bars):
        y = place * _ROW + 13
        known = bar.size is not None
        drawn += [
            text(bar.name, 0.0, y, class_="name" if known else "name none"),
            text(bar.told, WIDTH, y, text_anchor="end", class_="value" if known else "note"),
            rect(0.0, y + 5, WIDTH, _BAR, rx=3.0, class_="rail" if known else "rail none"),
        ]
        if bar.size is not None and most:
            width = WIDTH * min(bar.size / most, 1.0)
            said = (element("title", bar.says),) if bar.says else ()
            drawn.append(rect(0.0, y + 5, width, _BAR, *said, rx=3.0, class_=f"bar {bar.tone}"))
    return drawing(len(bars) * _ROW, titles, *drawn)

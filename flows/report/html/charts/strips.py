"""Dots on a line, one line for each tier, with a mark that they should not pass."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.axis import Scale, Tick, across, linear, named_across
from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, line, number, text

_ROW, _TOP, _LEFT, _RIGHT = 76.0, 0.0, 8.0, WIDTH - 18
_SPREAD = (0.0, -5.0, 5.0, -2.5, 2.5, -7.0, 7.0)
"""Up and down in turn, so that dots of one value do not hide each other."""


@dataclass(frozen=True)
class Strip:
    """The values of one tier, ascending, up to the end of the axis; `beyond`: what is told of others."""

    tone: str
    name: str
    about: str
    values: tuple[float, ...]
    mark: float | None


@dataclass(frozen=True)
class Strips:
    """Strips on one axis from 0 to `most`; what is beyond it stands at its end."""

    strips: tuple[Strip, ...]
    most: float
    ticks: tuple[Tick, ...]
    name: str


def strips_svg(strips: Strips, titles: Titles) -> Markup:
    """Each strip with its name, what it asks for, its dots and its mark."""
    x = linear(0, strips.most, _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(strips.strips)
    drawn = [across(strips.ticks, x, _TOP + 4, bottom)]
    for place, strip in enumerate(strips.strips):
        drawn.append(_strip(strip, x, _TOP + _ROW * place, strips.most))
    return drawing(bottom + 44, titles, *drawn, named_across(strips.name, _LEFT, _RIGHT, bottom + 36))


def _strip(strip: Strip, scale: Scale, y: float, most: float) -> Markup:
    middle = y + 56
    # One path of points for a whole tier: thousands of circles would be ten times as much text.
    places = [
        f"M{number(scale(min(value, most)))} {number(middle + _SPREAD[at % len(_SPREAD)])}h0"
        for at, value in enumerate(strip.values)
    ]
    marks = []
    if strip.mark is not None:
        at = scale(min(strip.mark, most))
        marks.append(line(at, y + 40, at, y + 72, class_="target"))
    return element(
        "g",
        text(strip.name, _LEFT, y + 16, class_="name"),
        text(strip.about, _LEFT, y + 32, class_="note"),
        *marks,
        element("path", d="".join(places), class_=f"dots stroke-{strip.tone}") if places else "",
    )

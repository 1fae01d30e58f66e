"""A curve of two shares: how much of the one is with how much of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.axis import Tick, across, linear, named_across, named_upward, upward
from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, line, number, text, width_of

_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, WIDTH - 14, 12.0, 268.0
MOST_POINTS = 240
"""More than a curve of this width can show."""


@dataclass(frozen=True)
class Mark:
    """A point of the curve that is worth a word."""

    x: float
    y: float
    told: str


@dataclass(frozen=True)
class Curve:
    """Both axes run over 0..1. `even`: what the straight line between the corners means."""

    points: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    x_name: str
    y_name: str
    even: str


def curve_svg(curve: Curve, titles: Titles) -> Markup:
    """The curve with the straight line of an even spread under it."""
    x, y = linear(0, 1, _LEFT, _RIGHT), linear(0, 1, _BOTTOM, _TOP)
    places = [f"{number(x(at))} {number(y(share))}" for at, share in thinned(curve.points)]
    path = f"M{' L'.join(places)}"
    return drawing(
        _BOTTOM + 44,
        titles,
        across(curve.ticks, x, _TOP, _BOTTOM),
        upward(curve.ticks, y, _LEFT, _RIGHT),
        line(x(0), y(0), x(1), y(1), class_="even"),
        text(curve.even, x(0.6) + 6, y(0.6) + 20, class_="note"),
        element("path", d=f"{path} L{number(x(1))} {number(y(0))} L{number(x(0))} {number(y(0))}Z", class_="area"),
        element("path", d=path, class_="curve"),
        *(_mark(mark, x(mark.x), y(mark.y)) for mark in curve.marks),
        named_across(curve.x_name, _LEFT, _RIGHT, _BOTTOM + 36),
        named_upward(curve.y_name, _TOP, _BOTTOM, 12.0),
    )


def thinned(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """So many of the points at most, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (most - 1))] for place in range(most)]


def _mark(mark: Mark, x: float, y: float) -> Markup:
    """The word stands above and to the left of its point, where a curve of this kind leaves room, or else below."""
    is_left = x - width_of(mark.told) > _LEFT
    words = (
        text(mark.told, x - 8, y - 6, text_anchor="end", class_="marked")
        if is_left
        else text(mark.told, x + 9, min(y + 17, _BOTTOM - 6), class_="marked")
    )
    return element("g", element("circle", cx=x, cy=y, r=4.0, class_="dot"), words)

"""How one figure went over the days, with the tier of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.axis import Scale, across, linear, upward
from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, number

_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, WIDTH - 30, 10.0, 118.0


@dataclass(frozen=True)
class Point:
    """A day. A value that is not known interrupts the line."""

    day: dt.date
    value: float | None
    tone: str
    says: str


@dataclass(frozen=True)
class Trend:
    """Points in order of their days; `low` and `high`: the ends of the axis of values."""

    points: tuple[Point, ...]
    day_names: tuple[tuple[dt.date, str], ...]
    value_names: tuple[tuple[float, str], ...]
    low: float
    high: float


def trend_svg(trend: Trend, titles: Titles) -> Markup:
    """A line through the known values, and a dot for each in the colour of its tier."""
    first, last = trend.points[0].day.toordinal(), trend.points[-1].day.toordinal()
    x, y = linear(first, last, _LEFT + 8, _RIGHT), linear(trend.low, trend.high, _BOTTOM, _TOP)
    places = [(point, x(point.day.toordinal()), y(point.value)) for point in trend.points if point.value is not None]
    return drawing(
        _BOTTOM + 22,
        titles,
        upward(trend.value_names, y, _LEFT, WIDTH),
        across([(day.toordinal(), name) for day, name in trend.day_names], x, _TOP, _BOTTOM, grid=False),
        element("path", d=_path(trend, x, y), class_="curve"),
        *(
            element("circle", element("title", point.says), cx=at, cy=height, r=4.5, class_=f"dot tier-{point.tone}")
            for point, at, height in places
        ),
    )


def _path(trend: Trend, x: Scale, y: Scale) -> str:
    parts, goes_on = [], False
    for point in trend.points:
        if point.value is None:
            goes_on = False
            continue
        place = f"{number(x(point.day.toordinal()))} {number(y(point.value))}"
        parts.append(f"{'L' if goes_on else 'M'}{place}")
        goes_on = True
    return "".join(parts)

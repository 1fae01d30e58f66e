"""Scales and their ticks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from flows.report.html.charts.svg import element, line, text

Scale = Callable[[float], float]
Tick = tuple[float, str]
"""A value, and how it is written."""


def linear(first: float, last: float, start: float, end: float) -> Scale:
    """From values to places. Where all values are one, it is in the middle."""
    if first == last:
        return lambda _: (start + end) / 2
    return lambda value: start + (value - first) / (last - first) * (end - start)


def across(ticks: Sequence[Tick], scale: Scale, top: float, bottom: float, *, grid: bool = True) -> Markup:
    """The ticks of an axis that runs from left to right, with thin lines over the plot."""
    drawn = [line(scale(at), top, scale(at), bottom, class_="gridline") for at, _ in ticks if grid]
    drawn += [text(told, scale(at), bottom + 16, text_anchor="middle", class_="tick") for at, told in ticks]
    return element("g", *drawn)


def upward(ticks: Sequence[Tick], scale: Scale, left: float, right: float) -> Markup:
    """The ticks of an axis that runs upward, with thin lines over the plot."""
    drawn = [line(left, scale(at), right, scale(at), class_="gridline") for at, _ in ticks]
    drawn += [text(told, left - 6, scale(at) + 4, text_anchor="end", class_="tick") for at, told in ticks]
    return element("g", *drawn)


def named_across(words: str, left: float, right: float, y: float) -> Markup:
    """The name of an axis from left to right."""
    return text(words, (left + right) / 2, y, text_anchor="middle", class_="axis")


def named_upward(words: str, top: float, bottom: float, x: float) -> Markup:
    """The name of an axis that runs upward, along it."""
    middle = (top + bottom) / 2
    return text(
        words, 0.0, 0.0, text_anchor="middle", class_="axis", transform=f"translate({x:g} {middle:g}) rotate(-90)"
    )

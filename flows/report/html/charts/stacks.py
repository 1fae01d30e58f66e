"""Bars of parts beside each other: who has which share of a whole."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flows.report.html.charts.svg import WIDTH, Titles, drawing, element, rect, text, width_of

_ROW, _BAR = 52.0, 24.0


@dataclass(frozen=True)
class Part:
    """`size` against the longest bar; `tone`: a tier, for its colour; `told`: what is written into it where there is
    room; `says`: what it is, in full."""

    tone: str
    size: float
    told: str
    says: str


@dataclass(frozen=True)
class Stack:
    """A bar with what it is about, and what all of it comes to."""

    name: str
    whole: str
    parts: tuple[Part, ...]


def stacks_svg(stacks: tuple[Stack, ...], titles: Titles) -> Markup:
    """One bar under the other, on one scale."""
    longest = max((sum(part.size for part in stack.parts) for stack in stacks), default=0.0)
    scale = WIDTH / longest if longest else 0.0
    drawn = []
    for place, stack in enumerate(stacks):
        y = place * _ROW + 16
        drawn += [text(stack.name, 0.0, y - 2, class_="name"), _whole(stack, y), _rail(y)]
        x = 0.0
        for part in stack.parts:
            drawn.append(_part(part, x, y + 5, part.size * scale))
            x += part.size * scale
    return drawing(len(stacks) * _ROW, titles, *drawn)


def _whole(stack: Stack, y: float) -> Markup:
    return text(stack.whole, WIDTH, y - 2, text_anchor="end", class_="value")


def _rail(y: float) -> Markup:
    return rect(0.0, y + 5, WIDTH, _BAR, rx=3.0, class_="rail")


def _part(part: Part, x: float, y: float, width: float) -> Markup:
    bar = rect(
        x, y, max(width - 1, 0.6 if part.size else 0.0), _BAR, element("title", part.says), class_=f"tier-{part.tone}"
    )
    if width < width_of(part.told) + 8:
        return bar
    words = text(part.told, x + width / 2, y + _BAR / 2 + 4, text_anchor="middle", class_=f"on-{part.tone}")
    return element("g", bar, words)

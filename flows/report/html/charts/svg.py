"""Elements of SVG as escaped text.

Own, because it is small: plotly and altair bring a browser's worth of JavaScript, matplotlib fonts and pixels, and none
of them draws in the colours of the style sheet, for dark and print, or with text that a reader can select.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from flows.escaping import plain

WIDTH = 440.0
"""Units of a drawing: at the width of a phone its text is about as large as that around it."""
_LETTER = 7.3
"""Width of a letter, on average; largest on a phone. `.plot text` of the style sheet sets their size."""


@dataclass(frozen=True)
class Titles:
    """What a plot is called and what it says, for those who do not see it. `name`: its id on the page."""

    name: str
    title: str
    says: str


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element. Attributes whose value is None are left out; `stroke_width` is written `stroke-width`. Text among
    the children and all values are escaped, and signs that steer the direction of writing are dropped."""
    told = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _told(value))
        for name, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(child if isinstance(child, Markup) else escape(plain(child)) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, told, inside)


def drawing(height: float, titles: Titles, *children: str, width: float = WIDTH) -> Markup:
    """A whole plot, as an image with a name and a description."""
    name = titles.name
    return element(
        "svg",
        element("title", titles.title, id=f"{name}-t"),
        element("desc", titles.says, id=f"{name}-d"),
        *children,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-t {name}-d",
        class_="plot",
    )


def text(words: str, x: float, y: float, **attributes: object) -> Markup:
    """Words with their base line at a place."""
    return element("text", words, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def rect(x: float, y: float, width: float, height: float, *children: str, **attributes: object) -> Markup:
    """A rectangle; a width below 0 is none."""
    return element("rect", *children, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), **attributes)


def number(value: float) -> str:
    """A length with two decimals at most."""
    told = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told


def width_of(words: str) -> float:
    """About how wide words are."""
    return len(words) * _LETTER


def _told(value: object) -> str:
    return number(value) if isinstance(value, float) else plain(str(value))

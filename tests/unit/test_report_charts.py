"""Drawings of the report: nothing from outside is markup, and nothing is drawn for what is not known."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as Xml

import pytest
from markupsafe import Markup

from flows.report.html.charts import (
    Bar,
    Cell,
    Curve,
    Grid,
    Mark,
    Part,
    Point,
    Stack,
    Strip,
    Strips,
    Titles,
    Trend,
    bars_svg,
    curve_svg,
    grid_svg,
    stacks_svg,
    strips_svg,
    trend_svg,
)
from flows.report.html.charts.axis import linear
from flows.report.html.charts.curve import MOST_POINTS, thinned
from flows.report.html.charts.svg import WIDTH, element, number

HOSTILE = "</title><script>alert(1)</script>\u202e\"'&"
TITLES = Titles("plot", HOSTILE, HOSTILE)


def read(drawn: Markup) -> Xml.Element:
    """The drawing, as a reader of XML sees it: it raises where something is not well formed."""
    return Xml.fromstring(drawn)  # noqa: S314 - our own text


def of_class(drawn: Markup, name: str) -> list[Xml.Element]:
    return [found for found in read(drawn).iter() if name in (found.get("class") or "").split()]


def test_text_and_attributes_are_escaped_and_signs_of_direction_dropped() -> None:
    """Only what an element made itself is markup in another one."""
    made = element("g", "<b>", element("a"), class_='x" onload="y\u202e', stroke_width=1.0, fill=None)
    assert made == '<g class="x&#34; onload=&#34;y" stroke-width="1">&lt;b&gt;<a></a></g>'


def test_lengths_are_short() -> None:
    assert [number(value) for value in (1.0, 0.5, 1 / 3, -0.001, 100.0)] == ["1", "0.5", "0.33", "0", "100"]


def test_a_scale_runs_from_end_to_end() -> None:
    """Where all values are one, they stand in the middle."""
    assert [linear(0, 10, 100, 0)(value) for value in (0, 5, 10)] == [100, 50, 0]
    assert linear(3, 3, 0, 100)(3) == 50


def test_a_curve_of_many_points_keeps_its_ends() -> None:
    """A thousand groups are no longer a text than two hundred and forty."""
    points = [(place / 999, place / 999) for place in range(1000)]
    kept = thinned(points)
    assert (len(kept), kept[0], kept[-1]) == (MOST_POINTS, points[0], points[-1])
    assert thinned(points[:5]) == points[:5]


def test_every_drawing_is_an_image_with_name_and_description() -> None:
    """For those who do not see it; what comes from outside stays text."""
    day = dt.date(2026, 6, 30)
    mark = Mark(0.5, 0.8, HOSTILE)
    point = Point(day, 50.0, "key", HOSTILE)
    drawn = [
        curve_svg(Curve(((0, 0), (0.5, 0.8), (1, 1)), (mark,), ((0.5, HOSTILE),), HOSTILE, HOSTILE, HOSTILE), TITLES),
        grid_svg(
            Grid((HOSTILE,), (HOSTILE,), ((Cell(1, HOSTILE, "up", HOSTILE),),), HOSTILE, HOSTILE), TITLES, left=90
        ),
        stacks_svg((Stack(HOSTILE, HOSTILE, (Part("key", 1.0, "1", HOSTILE),)),), TITLES),
        strips_svg(Strips((Strip("key", HOSTILE, HOSTILE, (1.0,), 3.0),), 10.0, ((0.0, HOSTILE),), HOSTILE), TITLES),
        bars_svg((Bar(HOSTILE, 1.0, HOSTILE, HOSTILE),), 1.0, TITLES),
        trend_svg(Trend((point, point), ((day, HOSTILE),), ((50.0, HOSTILE),), 0.0, 100.0), TITLES),
    ]
    for one in drawn:
        root = read(one)
        assert (root.tag, root.get("role"), root.get("aria-labelledby")) == ("svg", "img", "plot-t plot-d")
        assert [child.tag for child in root][:2] == ["title", "desc"]
        assert {child.get("id") for child in root} >= {"plot-t", "plot-d"}
        assert root[1].text == HOSTILE.replace("\u202e", "")
        assert not [found for found in root.iter() if found.tag == "script"]


def test_a_bar_without_a_value_is_no_bar_of_length_0() -> None:
    """It has its reason, and a rail of its own kind."""
    drawn = bars_svg((Bar("known", 0.0, "0"), Bar("unknown", None, "not known: nobody was asked")), 10.0, TITLES)
    assert [bar.get("width") for bar in of_class(drawn, "bar")] == ["0"]
    assert len([rail for rail in of_class(drawn, "rail") if "none" in (rail.get("class") or "")]) == 1
    assert "not known: nobody was asked" in drawn


def test_parts_share_the_width_and_the_narrow_ones_have_no_words() -> None:
    drawn = stacks_svg((Stack("s", "100", (Part("key", 99, "99 %", "Key"), Part("none", 1, "1 %", "None"))),), TITLES)
    widths = [float(part.get("width") or 0) for tone in ("tier-key", "tier-none") for part in of_class(drawn, tone)]
    assert widths == pytest.approx([WIDTH * 0.99 - 1, WIDTH * 0.01 - 1], abs=0.01)
    assert "99 %" in drawn
    assert ">1 %<" not in drawn


def test_the_fullest_cell_is_the_strongest_and_an_empty_one_pale() -> None:
    row = (Cell(4, "4", "up", ""), Cell(1, "1", "up", ""), Cell(0, "·", "up", ""))
    cells = of_class(grid_svg(Grid(("r",), ("a", "b", "c"), (row,), "", ""), TITLES, left=90), "cell")
    assert [cell.get("fill-opacity") for cell in cells] == ["1", "0.59", None]
    assert "none" in (cells[2].get("class") or "")


def test_what_is_beyond_the_axis_stands_at_its_end() -> None:
    """So does a mark; dots are one path for a tier."""
    strips = Strips((Strip("key", "Key", "", (0.0, 500.0), 90.0),), 100.0, ((0.0, "0"), (100.0, "100+")), "days")
    (dots,) = of_class(strips_svg(strips, TITLES), "dots")
    assert [place.split()[0] for place in (dots.get("d") or "").split("M")[1:]] == ["8", number(WIDTH - 18)]


def test_a_day_without_a_score_interrupts_the_line() -> None:
    """It is not drawn through, and has no dot at 0."""
    days = [dt.date(2026, month, 28) for month in (1, 2, 3, 4)]
    values = (40.0, None, 60.0, 50.0)
    points = tuple(Point(day, value, "key", "") for day, value in zip(days, values, strict=True))
    drawn = trend_svg(Trend(points, (), (), 0.0, 100.0), TITLES)
    (line,) = of_class(drawn, "curve")
    assert [(line.get("d") or "").count(step) for step in "ML"] == [2, 1]
    assert len(of_class(drawn, "dot")) == 3

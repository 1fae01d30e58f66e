"""Models of plots and their drawing as SVG; pure, and without a number of their own."""

from flows.report.html.charts.bars import Bar, bars_svg
from flows.report.html.charts.curve import Curve, Mark, curve_svg
from flows.report.html.charts.grid import Cell, Grid, grid_svg
from flows.report.html.charts.stacks import Part, Stack, stacks_svg
from flows.report.html.charts.strips import Strip, Strips, strips_svg
from flows.report.html.charts.svg import Titles
from flows.report.html.charts.trend import Point, Trend, trend_svg

__all__ = [
    "Bar",
    "Cell",
    "Curve",
    "Grid",
    "Mark",
    "Part",
    "Point",
    "Stack",
    "Strip",
    "Strips",
    "Titles",
    "Trend",
    "bars_svg",
    "curve_svg",
    "grid_svg",
    "stacks_svg",
    "strips_svg",
    "trend_svg",
]

"""The catalogue of KPIs. A theme is a file, a KPI one function in it; a new theme is one more name in THEMES."""

from kammodel.kpis import engagement, loyalty, pipeline, value, winning
from kammodel.kpis.kpi import NOT_READ, Facts, Figure, Frame, Kpi, Windows, compute, kpi

THEMES = (value, pipeline, winning, loyalty, engagement)
KPIS: tuple[Kpi, ...] = tuple(found for theme in THEMES for found in vars(theme).values() if isinstance(found, Kpi))
"""In the order in which they are declared: one that is computed from others stands after them."""

__all__ = ["KPIS", "NOT_READ", "THEMES", "Facts", "Figure", "Frame", "Kpi", "Windows", "compute", "kpi"]

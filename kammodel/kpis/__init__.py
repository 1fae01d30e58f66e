"""The catalogue of KPIs. A theme is a file, a KPI one function in it; a new theme is one more name in THEMES."""

from kammodel.kpis import (
    engagement,
    forecast,
    growth,
    loyalty,
    operations,
    pipeline,
    planning,
    portfolio,
    relationship,
    renewal,
    retention,
    satisfaction,
    service,
    value,
    winning,
)
from kammodel.kpis.computing import Facts, compute
from kammodel.kpis.kpi import ALL_LEVELS, DERIVED, GROUPS, NOT_READ, Figure, Frame, Kpi, Level, Windows, kpi

THEMES = (
    value,
    retention,
    renewal,
    portfolio,
    pipeline,
    winning,
    forecast,
    loyalty,
    engagement,
    relationship,
    service,
    satisfaction,
    growth,
    planning,
    operations,
)
KPIS: tuple[Kpi, ...] = tuple(found for theme in THEMES for found in vars(theme).values() if isinstance(found, Kpi))
"""In the order in which they are declared: one that is computed from others stands after them."""

__all__ = [
    "ALL_LEVELS",
    "DERIVED",
    "GROUPS",
    "KPIS",
    "NOT_READ",
    "THEMES",
    "Facts",
    "Figure",
    "Frame",
    "Kpi",
    "Level",
    "Windows",
    "compute",
    "kpi",
]

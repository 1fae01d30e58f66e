"""Figures as people read them: each in its unit, and one that is not known with its reason, never as 0."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.words import Words
from kammodel.entities.types import MONEY_SCALE
from kammodel.kpis import KPIS
from kammodel.tiering.texts import section

UNITS = {kpi.name: kpi.unit for kpi in KPIS}
TIMES = frozenset({"cadence_recency", "pipeline_coverage"})
"""Ratios that say how many times, and are not read as a share."""
_NO_RATE = "no rate for "


@dataclass(frozen=True)
class Figure:
    """A figure with its name. `why`: null where it is known."""

    name: str
    label: str
    told: str
    why: str | None = None


class Written:
    """Writes in one language and currency."""

    def __init__(self, say: Words, currency: str) -> None:
        self.say, self.currency = say, currency

    def figure(self, row: Mapping[str, Any], name: str) -> Figure:
        """A KPI of a row of KPIs, which has `<name>__why` beside each."""
        label, value = self.label(name), row.get(name)
        if value is None:
            return Figure(name, label, self.say("r_unknown"), self.why(row.get(f"{name}__why")))
        return Figure(name, label, self.value(name, value))

    def label(self, name: str) -> str:
        """What a KPI is called."""
        return self.say(f"r_k_{name}", currency=self.currency)

    def value(self, name: str, value: float) -> str:
        """A value of a KPI, as kammodel has it, in its unit."""
        unit, say = UNITS[name], self.say
        if unit == "money":
            value = value / MONEY_SCALE
        if name in TIMES:
            return say("r_times", n=say.number(value, 1))
        if unit == "ratio":
            return self.share(value)
        if unit == "flag":
            return say("r_yes" if value else "r_no")
        told = say.number(value, 1 if unit == "points" else 0)
        return say(unit, n=told) if unit in {"days", "months"} else told

    def share(self, value: float) -> str:
        """0..1 as percent: with a decimal below ten of them."""
        return f"{self.say.number(100 * value, 1 if abs(value) < 0.0995 and value else 0)} %"

    def signed(self, value: float | None) -> str:
        """With its sign and one decimal; a dash for none."""
        if value is None:
            return "-"
        shown = round(value, 1) + 0.0  # no -0.0
        return f"{'+' if shown > 0 else ''}{self.say.number(shown, 1)}"

    def why(self, code: str | None) -> str:
        """A reason code in words; one without words as it is."""
        if code is None:
            return self.say("r_no_reason")
        if code.startswith(_NO_RATE):
            return self.say("r_no_rate", currency=code.removeprefix(_NO_RATE))
        return section("why", self.say.language).get(code, code)

    def day(self, day: dt.date) -> str:
        """`30 Jun 2026`, `30 jun 2026`."""
        return f"{day.day} {self._month(day)} {day.year}"

    def month(self, day: dt.date) -> str:
        """`Jun 26`, for the axis of a plot."""
        return f"{self._month(day)} {day:%y}"

    def instant(self, at: dt.datetime) -> str:
        """To the minute, UTC."""
        return f"{self.day(at.date())}, {at:%H:%M} UTC"

    def _month(self, day: dt.date) -> str:
        return self.say("r_months").split()[day.month - 1]

"""What would take an account group to the next tier, in sentences."""

from __future__ import annotations

from flows.report.written import Written
from kammodel.tiering.criteria import Unit
from kammodel.tiering.explained import Explanation, NextTier


def next_step(found: Explanation, written: Written) -> list[str]:
    """The points that are missing, the revenue that alone would give them, and the smallest change that was tried."""
    up, say = found.next_tier, written.say
    if up is None or up.points_missing is None:
        return []
    points = say.number(up.points_missing, 1)
    key = "x_next_full" if up.is_full else "x_next"
    lines = [say(key, tier=up.label, score=say.number(up.score_needed, 1), points=points)]
    if up.revenue_needed is not None:
        lines.append(say("x_next_revenue", revenue=say.number(up.revenue_needed), currency=written.currency))
    return [*lines, *_lever(up, written)]


def amount(value: float, unit: Unit, written: Written) -> str:
    """A measure of an explanation in its unit."""
    if unit == "ratio":
        return written.share(value)
    if unit in {"days", "months"}:
        return written.say(unit, n=written.say.number(value))
    return written.say.number(value, {"points": 1, "rate": 2}.get(unit, 0))


def _lever(up: NextTier, written: Written) -> list[str]:
    one = up.change
    if one is None:
        return []
    before, after = (amount(value, one.unit, written) for value in (one.before, one.after))
    key = "x_lever" if one.reaches else "x_lever_waits" if one.waits else "x_lever_held"
    why = one.held_by_label or "-"
    return [written.say(key, measure=one.label, before=before, after=after, tier=up.label, why=why)]

"""Whether contacts keep up with what a tier asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from flows.report.html.charts import Strip, Strips, strips_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.scoring import ScoredDay
from kammodel.tiering.policy import Policy

_TIERS = ("strategic", "key", "growth", "provisional")
_STEP = 30
CONTACTS: dict[str, type[pl.DataType]] = {
    "group": pl.UInt32,
    "tier": pl.String,
    "kind": pl.String,
    "every": pl.Int64,
    "since": pl.Int64,
    "is_never": pl.Boolean,
    "is_behind": pl.Boolean,
}


@dataclass(frozen=True)
class Asked:
    """One contact of a kind every so many days; `kpi`: what says how long ago the last one was."""

    tier: str
    kind: str
    every: int
    kpi: str


def asked(policy: Policy) -> tuple[Asked, ...]:
    """What each tier asks for, the meeting before the touch; Provisional asks what Growth does (reading 31)."""
    found = []
    for tier in _TIERS:
        cadence = getattr(policy.cadence, "growth" if tier == "provisional" else tier)
        if cadence.meeting_every_days is not None:
            found.append(Asked(tier, "meeting", cadence.meeting_every_days, "days_since_last_meeting"))
        elif cadence.touch_every_days is not None:
            found.append(Asked(tier, "touch", cadence.touch_every_days, "days_since_last_touch"))
    return tuple(found)


def contacts(day: ScoredDay) -> pl.DataFrame:
    """CONTACTS (`since`: days) of every group whose tier asks for a cadence.

    The tier is the one in force now. `is_behind`: the last one is longer ago than the tier asks for, or there never was
    one; null where that is not known."""
    scored = day.scores.frame.select("group", tier="tier_effective").join(day.kpis, on="group")
    parts = [pl.DataFrame(schema=CONTACTS)]
    for one in asked(day.config.policy):
        never = (pl.col(f"{one.kpi}__why") == "never").fill_null(value=False)
        told = scored.filter(pl.col("tier") == one.tier).select(
            "group", "tier", kind=pl.lit(one.kind), every=pl.lit(one.every, pl.Int64), since=one.kpi, is_never=never
        )
        behind = pl.when("is_never").then(pl.lit(value=True)).otherwise(pl.col("since") > pl.col("every"))
        parts.append(told.with_columns(is_behind=behind).select(pl.col(n).cast(t) for n, t in CONTACTS.items()))
    return pl.concat(parts)


def against_cadence(day: ScoredDay, written: Written) -> Plot:
    """Days since the last contact that the tier asks for, a dot for each group."""
    say, known = written.say, contacts(day)
    plot = Plot("cadence", say("r_cadence"), say("r_no_cadence"))
    rows = [one for one in asked(day.config.policy) if not known.filter(pl.col("tier") == one.tier).is_empty()]
    if not rows:
        return plot
    most = -(-2 * max(one.every for one in rows) // _STEP) * _STEP
    strips = Strips(
        strips=tuple(_strip(one, known.filter(pl.col("tier") == one.tier), written) for one in rows),
        most=float(most),
        ticks=tuple((float(at), _tick(at, most, written)) for at in range(0, most + 1, most // 6)),
        name=say("r_axis_days"),
    )
    behind, told = int(known["is_behind"].sum()), known["is_behind"].count()
    plot = replace(
        plot, says=say("r_cadence_says", behind=say.number(behind), n=say.number(told)), note=say("r_cadence_note")
    )
    return replace(plot, drawn=strips_svg(strips, plot.titles))


def _strip(one: Asked, known: pl.DataFrame, written: Written) -> Strip:
    say = written.say
    parts = [say(f"r_every_{one.kind}", n=say.number(one.every))]
    parts.append(say("r_behind", behind=say.number(int(known["is_behind"].sum())), n=say.number(known.height)))
    if never := int(known["is_never"].sum()):
        parts.append(say("r_never", n=say.number(never)))
    if unknown := known["is_behind"].null_count():
        parts.append(say("r_unknown_n", n=say.number(unknown)))
    values = known["since"].drop_nulls().sort().cast(pl.Float64).to_list()
    return Strip(one.tier, say.tier(one.tier), " · ".join(parts), tuple(values), float(one.every))


def _tick(at: int, most: int, written: Written) -> str:
    return f"{written.say.number(at)}{'+' if at == most else ''}"

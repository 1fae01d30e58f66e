"""`kam simulate`: what another tier policy would change, for a person or a program."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.text import Text

from flows.cli.session import session
from flows.cli.show import TIERS, print_json, printed, table, tier_text
from flows.escaping import plain
from flows.pipeline.simulating import PolicyPast, Simulation, SimulationPast, simulate
from kammodel.tiering.policy import load_policy
from kammodel.tiering.simulation import UNRANKED, Cell, SimulatedMove

MOST_MOVES = 50
_ORDER = (*TIERS, UNRANKED)


def simulate_policy(file: Path, as_of: dt.date | None, *, past: bool, as_json: bool) -> None:
    """Scores by the policy of a file beside the one in force; nothing is written."""
    policy = load_policy(file)
    with session() as at:
        config = at.runtime.scoring(as_of)
        found = simulate(at.runtime.store, config, policy, past=past, given=at.runtime.given, progress=at.progress)
    print_json(found) if as_json else show_simulation(found)


def show_simulation(found: Simulation) -> None:
    """Totals, who would move and why, and the past."""
    title = f"{found.population:,} ranked account groups as of {found.as_of.isoformat()}, by this policy instead"
    rows = [
        (tier_text(tier), f"{found.totals_now.get(tier, 0):,}", f"{found.totals_then.get(tier, 0):,}") for tier in TIERS
    ]
    printed(table(title, ("tier", "now", "then"), rows))
    hours = f"{found.hours_now:,.0f} hours a month ask for {found.kams_now:.1f} key account managers now"
    printed(Text(f"{hours}, {found.hours_then:,.0f} for {found.kams_then:.1f} then", style="dim"))
    if found.same_policy:
        printed(Text("This policy decides the same as the one in force.", style="green"))
    elif not found.moves:
        printed(Text("Nobody would move.", style="green"))
    if found.moves:
        shown = [_move(move) for move in found.moves[:MOST_MOVES]]
        head = ("account group", "now", "then", "score", "then", "why")
        printed(table(f"{len(found.moves):,} would move", head, shown, words=3))
    if len(found.moves) > MOST_MOVES:
        printed(Text(f"... and {len(found.moves) - MOST_MOVES:,} more: --json lists all", style="dim"))
    if found.past is not None:
        _show_past(found.past)


def _move(move: SimulatedMove) -> tuple[str | Text, ...]:
    points = ", ".join(f"{cause.label} {cause.points:+.1f}" for cause in move.causes)
    why = "; ".join(part for part in (points, move.rule_label or "") if part)
    scores = ["-" if value is None else f"{value:.1f}" for value in (move.score_before, move.score_after)]
    return (Text(plain(move.name or move.group_id)), tier_text(move.before), tier_text(move.after), *scores, why)


def _show_past(past: SimulationPast) -> None:
    if not past.days:
        printed(Text("No day is stored yet: kam backfill computes past ones.", style="yellow"))
        return
    span = f"{past.days[0].isoformat()} to {past.days[-1].isoformat()}, {len(past.days):,} days"
    for name, one in (("the policy in force", past.now), ("this policy", past.then)):
        printed(_matrix(f"From one day to the next, {name}, {span}", one.migration))
        if one.moved_share is not None:
            printed(Text(f"{one.moved_share:.1%} of them stood in another tier than the day before", style="dim"))
    if not past.days_judged:
        printed(Text("No stored day lies a year back: who was lost later is not known yet.", style="yellow"))
        return
    printed(table(f"Lost in the year after, over {past.days_judged:,} days", _HELD, _held(past.now, past.then)))


_HELD = ("tier", "groups now", "lost", "of all lost", "groups then", "lost", "of all lost")


def _held(now: PolicyPast, then: PolicyPast) -> list[tuple[str | Text, ...]]:
    """Tier by tier: groups with revenue, the share lost, and the tier's part of all that were lost."""
    both = [{one.tier: one for one in policy.held} for policy in (now, then)]
    rows: list[tuple[str | Text, ...]] = []
    for tier in _ORDER:
        if any(tier in known for known in both):
            cells: list[str] = []
            for known in both:
                one = known.get(tier)
                rates = (one.loss_rate, one.share_of_lost) if one else (None, None)
                cells += [f"{one.groups:,}" if one else "0", *("-" if r is None else f"{r:.1%}" for r in rates)]
            rows.append((tier_text(tier), *cells))
    return rows


def _matrix(title: str, cells: Sequence[Cell]) -> Group:
    counts = {(cell.before, cell.after): cell.groups for cell in cells}
    present = [tier for tier in _ORDER if any(tier in pair for pair in counts)]
    rows: list[tuple[str | Text, ...]] = [
        (tier_text(before), *(f"{counts.get((before, after), 0):,}" for after in present)) for before in present
    ]
    return table(title, ("from / to", *present), rows)

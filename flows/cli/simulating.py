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
from flows.words import Words
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
    print_json(found) if as_json else Screen(found, Words(config.language)).show()


class Screen:
    """What another policy would change, for a person: totals, who would move and why, and the past."""

    def __init__(self, found: Simulation, say: Words) -> None:
        self.found, self.say = found, say

    def show(self) -> None:
        found, say = self.found, self.say
        title = say("w_title", n=say.number(found.population), day=found.as_of.isoformat())
        totals = (found.totals_now, found.totals_then)
        rows: list[tuple[str | Text, ...]] = [
            (self._tier(tier), *(say.number(of.get(tier, 0)) for of in totals)) for tier in TIERS
        ]
        printed(table(title, self._head("tier", "now", "then"), rows))
        printed(Text(self._capacity(), style="dim"))
        if found.same_policy:
            printed(Text(say("w_same"), style="green"))
        elif not found.moves:
            printed(Text(say("w_nobody"), style="green"))
        if found.moves:
            shown = [self._move(move) for move in found.moves[:MOST_MOVES]]
            head = self._head("group", "now", "then", "score", "then", "why")
            printed(table(say("w_moves", n=say.number(len(found.moves))), head, shown, words=3))
        if len(found.moves) > MOST_MOVES:
            printed(Text(say("w_more", n=say.number(len(found.moves) - MOST_MOVES)), style="dim"))
        if found.past is not None:
            self._show_past(found.past)

    def _head(self, *names: str) -> tuple[str, ...]:
        return tuple(self.say(f"w_{name}") for name in names)

    def _tier(self, tier: str | None) -> Text:
        return tier_text(tier, self._name(tier))

    def _name(self, tier: str | None) -> str:
        return self.say("w_unranked") if tier == UNRANKED else self.say.tier(tier)

    def _capacity(self) -> str:
        found, number = self.found, self.say.number
        then = {"hours_then": number(found.hours_then), "kams_then": number(found.kams_then, 1)}
        return self.say("w_hours", hours=number(found.hours_now), kams=number(found.kams_now, 1), **then)

    def _move(self, move: SimulatedMove) -> tuple[str | Text, ...]:
        number = self.say.number
        points = ", ".join(
            f"{cause.label} {'+' if cause.points >= 0 else ''}{number(cause.points, 1)}" for cause in move.causes
        )
        why = "; ".join(part for part in (points, move.rule_label or "") if part)
        scores = [number(value, 1) for value in (move.score_before, move.score_after)]
        name = Text(plain(move.name or move.group_id))
        return (name, self._tier(move.before), self._tier(move.after), *scores, why)

    def _show_past(self, past: SimulationPast) -> None:
        say = self.say
        if not past.days:
            printed(Text(say("w_no_days"), style="yellow"))
            return
        span = {"first": past.days[0].isoformat(), "last": past.days[-1].isoformat(), "n": say.number(len(past.days))}
        for name, one in (("w_in_force", past.now), ("w_this", past.then)):
            printed(self._matrix(say("w_day_to_day", policy=say(name), **span), one.migration))
            if one.moved_share is not None:
                printed(Text(say("w_moved", share=self._share(one.moved_share)), style="dim"))
        if not past.days_judged:
            printed(Text(say("w_no_year"), style="yellow"))
            return
        head = self._head("tier", "groups_now", "lost", "of_lost", "groups_then", "lost", "of_lost")
        printed(table(say("w_lost_title", n=say.number(past.days_judged)), head, self._held(past.now, past.then)))

    def _share(self, share: float | None) -> str:
        return "-" if share is None else f"{self.say.number(share * 100, 1)} %"

    def _held(self, now: PolicyPast, then: PolicyPast) -> list[tuple[str | Text, ...]]:
        """Tier by tier: groups with revenue, the share lost, and the tier's part of all that were lost."""
        both = [{one.tier: one for one in policy.held} for policy in (now, then)]
        rows: list[tuple[str | Text, ...]] = []
        for tier in _ORDER:
            if any(tier in known for known in both):
                cells: list[str] = []
                for known in both:
                    one = known.get(tier)
                    rates = (one.loss_rate, one.share_of_lost) if one else (None, None)
                    cells += [self.say.number(one.groups) if one else "0", *map(self._share, rates)]
                rows.append((self._tier(tier), *cells))
        return rows

    def _matrix(self, title: str, cells: Sequence[Cell]) -> Group:
        counts = {(cell.before, cell.after): cell.groups for cell in cells}
        present = [tier for tier in _ORDER if any(tier in pair for pair in counts)]
        rows: list[tuple[str | Text, ...]] = [
            (self._tier(before), *(self.say.number(counts.get((before, after), 0)) for after in present))
            for before in present
        ]
        return table(title, (self.say("w_from_to"), *map(self._name, present)), rows)

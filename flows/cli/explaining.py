"""`kam explain`: everything that made an account group's tier, for a person or a program."""

from __future__ import annotations

import datetime as dt

from rich.table import Table
from rich.text import Text

from flows.cli.matching import matches_of, sentences
from flows.cli.session import session
from flows.cli.show import print_json, printed, tier_text
from flows.escaping import plain
from flows.pipeline import score_day_of
from flows.pipeline.reprinting import with_rule_changes
from flows.report.history import changes_text
from flows.report.next_step import amount, next_step
from flows.report.rolled import rollup_rows
from flows.report.written import Written
from flows.words import Words
from kammodel.scoring import explain_group
from kammodel.tiering.explained import CriterionExplained, Explanation, MeasureExplained


def explain_account(account: str, as_of: dt.date | None, *, as_json: bool) -> None:
    """Explains the group of one account, found by name or id; computed from the store, nothing is written."""
    with session() as at:
        config = at.runtime.scoring(as_of)
        day = score_day_of(at.runtime.store, config, at.runtime.given)
        found = with_rule_changes(at.runtime.store, config, explain_group(day, account))
    matches = matches_of(day, found.group_id)
    if as_json:
        print_json({**found.model_dump(mode="json"), "matches": matches})
        return
    say = Words(config.language)
    printed(
        _head(found, say), _criteria(found, say), _measures(found, say), _foot(found, say, config.reporting_currency)
    )
    if found.rollups:
        printed(_rollups(found, say))
    if matches:
        printed(sentences(matches, say))


def _head(found: Explanation, say: Words) -> Text:
    text = Text(plain(found.name or found.group_id), style="bold")
    text.append(f"  {found.group_id}", style="dim")
    text.append("\n")
    text.append_text(tier_text(found.tier, found.tier_label))
    text.append(f"  {say.number(found.score, 1)}  ", style="bold")
    text.append(say("x_as_of", day=found.as_of.isoformat()), style="dim")
    text.append(f"\n{plain(found.reason)}\n", style="default")
    facts = [found.out_reason or say("x_out")]
    if found.in_population:
        percentile = say.number(found.score_percentile)
        facts = [say("x_ranked", n=say.number(found.population_n), percentile=percentile)]
    if found.tier_rule_label:
        facts.append(say("x_rule", rule=found.tier_rule_label))
    named = ((say("x_quadrant"), found.quadrant_label), (say("x_rfm"), found.rfm), ("ABC", found.abc))
    facts += [f"{name}: {value}" for name, value in named if value]
    if found.coverage is not None:
        facts.append(f"{say('x_coverage')}: {say.percent(100 * found.coverage)}")
    if found.tier_confidence is not None:
        facts.append(say("x_confidence", share=say.percent(100 * found.tier_confidence)))
    if found.tier_since is not None:
        facts.append(say("x_tier_since", day=found.tier_since.isoformat()))
    if found.peer_group is not None:
        facts.append(say("x_peer_group", peers=plain(found.peer_group)))
    text.append("; ".join(facts), style="dim")
    return text


def _criteria(found: Explanation, say: Words) -> Table:
    heads = ["x_criterion", "x_weight", "x_value", "x_points", "x_middle", "x_change"]
    is_apart = any(c.own_change is not None for c in found.criteria)
    made = _table(say, *heads, *(["x_own", "x_peers"] if is_apart else []))
    shown = [c for c in found.criteria if c.weight]
    for one in sorted(shown, key=lambda c: -(c.contribution or -1.0)):
        style = "default" if one.value is not None else "dim"
        made.add_row(
            Text(one.label, style=style),
            say.number(one.weight, 2),
            say.number(one.value, 1),
            say.number(one.contribution, 1),
            _signed(one.above_middle, say),
            _signed(one.change, say),
            *([_signed(one.own_change, say), _signed(one.peers_change, say)] if is_apart else []),
        )
    return made


def _measures(found: Explanation, say: Words) -> Table:
    made = _table(say, "x_measure", "x_value", "x_percentile", "x_why")
    for criterion in found.criteria:
        for measure in criterion.measures:
            if criterion.weight:
                made.add_row(*_measure_row(criterion, measure, say))
    return made


def _measure_row(criterion: CriterionExplained, measure: MeasureExplained, say: Words) -> tuple[str | Text, ...]:
    name = Text(f"{criterion.label}: {measure.label}" if criterion.label != measure.label else measure.label)
    return (name, quantity(measure, say), say.number(measure.percentile), Text(measure.why or "", style="dim"))


def quantity(measure: MeasureExplained, say: Words) -> str:
    """A measure's value in its unit, as people write it."""
    return "-" if measure.value is None else amount(measure.value, measure.unit, Written(say, ""))


def _foot(found: Explanation, say: Words, currency: str) -> Text:
    lines: list[str] = []
    if found.override is not None:
        until = say("x_until", day=found.override.until.isoformat()) if found.override.until else ""
        state = say(f"x_{found.override.state}")
        reason = plain(found.override.reason)
        lines.append(say("x_override", tier=plain(found.override.tier), until=until, state=state, reason=reason))
    if found.since_last_run is not None:
        before = found.since_last_run
        change = "-" if before.score_change is None else _signed(before.score_change, say)
        lines.append(say("x_before", tier=before.tier_label or "-", score=say.number(before.score, 1), change=change))
        if before.rules_changed:
            changes = changes_text(before.rule_changes)
            key = "x_rules_changed" if changes else "x_rules_changed_unknown"
            lines.append(plain(say(key, changes=changes)))
    if found.reconstructed:
        lines.append(say("x_rebuilt_list", kpis=", ".join(found.reconstructed)))
    lines += next_step(found, Written(say, currency))
    if found.criteria_unavailable:
        labels = {c.key: c.label for c in found.criteria}
        names = ", ".join(labels.get(key, key) for key in found.criteria_unavailable)
        lines.append(say("x_unavailable", criteria=names))
    lines += [say("x_warning", text=plain(warning)) for warning in found.warnings]
    return Text("\n".join(lines))


def _signed(value: float | None, say: Words) -> str:
    return "-" if value is None else f"{'+' if value > 0 else ''}{say.number(value, 1)}"


def _rollups(found: Explanation, say: Words) -> Table:
    made = _table(say, "x_rollup", "x_account", "x_value", "x_why")
    for row in rollup_rows(found.rollups, say):
        made.add_row(*map(Text, row))
    return made


def _table(say: Words, *heads: str) -> Table:
    made = Table(box=None, header_style="dim", pad_edge=False)
    for place, head in enumerate(heads):
        words = place == 0 or head == "x_why"
        made.add_column(say(head), justify="left" if words else "right")
    return made

"""Account plans of files: whether one is in force, how far its objectives are, what was promised."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

from tests.oracle.known import Group, Knowledge, Null
from tests.oracle.oracle_value import Found, rounded
from tests.oracle.world import Row


def gather(known: Knowledge) -> None:
    """Gives each group its `plans`, `objectives` and `actions` of plans in force."""
    owners: dict[str, Group] = {}
    in_force: dict[str, Row] = {}
    for line in known.book.files.get("plans", []):
        _, group = known.named.get(line["account"], (None, None))
        if group is not None:
            is_on = line["status"] not in {"draft", "cancelled"} and line["starts_on"] <= known.t <= line["ends_on"]
            group.rows["plans"].append(is_on)
            if is_on:
                owners[line["plan_id"]], in_force[line["plan_id"]] = group, line
    plan_of: dict[str, str] = {}
    readings = defaultdict(list)
    for line in known.book.files.get("readings", []):
        if line["measured_on"] <= known.t:
            readings[line["objective_id"]].append((line["measured_on"], line["value"]))
    for line in known.book.files.get("objectives", []):
        plan_of[line["objective_id"]] = line["plan_id"]
        if line["plan_id"] in owners and line["status"] != "cancelled":
            told = readings.get(line["objective_id"])
            current = max(told)[1] if told else line["current"]
            plan = in_force[line["plan_id"]]
            days = {"starts_on": line["starts_on"] or plan["starts_on"], "due_on": line["due_on"] or plan["ends_on"]}
            owners[line["plan_id"]].rows["objectives"].append({**line, **days, "current": current})
    for line in known.book.files.get("actions", []):
        plan_id = line["plan_id"] or plan_of.get(line["objective_id"])
        if plan_id in owners and line["status"] != "cancelled":
            owners[plan_id].rows["actions"].append(line)


def planning(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    plans: list[bool] = group.rows["plans"]
    has_file = bool(known.book.files.get("plans"))
    found["plan_current"] = int(any(plans)) if plans or has_file else Null("no_plan")
    objectives: list[Row] = group.rows["objectives"]
    numeric = [line for line in objectives if line["target"] is not None]
    reported = [line for line in numeric if line["current"] is not None]
    found["objectives_n"] = len(numeric)
    found["objectives_qualitative_n"] = len(objectives) - len(numeric)
    found["objectives_unreported_n"] = len(numeric) - len(reported)
    judged = [told for line in reported if (told := on_track(t, line)) is not None]
    none = Null("no_objectives")
    found["objectives_on_track_pct"] = rounded(Fraction(sum(judged), len(judged)), 6) if judged else none
    found["target_attainment"] = attainment(reported)
    actions: list[Row] = group.rows["actions"]
    done = [line["done_on"] is not None and line["done_on"] <= t for line in actions]
    late = [
        line["due_on"] is not None and line["due_on"] < t and not is_done
        for line, is_done in zip(actions, done, strict=True)
    ]
    due = [
        is_done
        for line, is_done in zip(actions, done, strict=True)
        if line["due_on"] is not None and line["due_on"] <= t
    ]
    found["actions_overdue"] = sum(late) if actions else Null("no_actions")
    found["action_completion_rate"] = rounded(Fraction(sum(due), len(due)), 6) if due else Null("no_actions")


def number(value: float | None) -> Fraction:
    return Fraction(0) if value is None else Fraction(str(value))


def on_track(t: dt.date, line: Row) -> bool | None:
    """As far as nine tenths of the share of its time that is over."""
    base, target, current = number(line["baseline"]), number(line["target"]), number(line["current"])
    over = Fraction((t - line["starts_on"]).days + 1, (line["due_on"] - line["starts_on"]).days + 1)
    path = min(max(over, Fraction(0)), Fraction(1))
    if target == base:
        return current == target
    return (current - base) / (target - base) >= Fraction(9, 10) * path


def attainment(reported: list[Row]) -> Any:
    units: dict[str | None, list[Row]] = defaultdict(list)
    for line in reported:
        units[line["unit"]].append(line)
    sums = [(sum(number(x["current"]) for x in own), sum(number(x["target"]) for x in own)) for own in units.values()]
    ratios = [current / target for current, target in sums if target]
    return rounded(sum(ratios, Fraction(0)) / len(ratios), 6) if ratios else Null("no_objectives")

"""Who of us looks after a group, what our people do, and how good our forecasts were."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

from tests.oracle.acts import months_before
from tests.oracle.known import Group, Key, Knowledge, Null
from tests.oracle.oracle_value import Found, between, rounded
from tests.oracle.oracle_worth import quarter_of
from tests.oracle.people import Touch
from tests.oracle.world import Row


def gather(known: Knowledge) -> None:
    """Gives each group its `assigned` lines and its `forecasts`; says who manages it."""
    groups = {group.group_id: group for group in known.groups}
    for line in known.book.files.get("assignments", []):
        _, group = known.named.get(line["account"], (None, None))
        if group is not None and line["role"] == "kam":
            group.rows["assigned"].append(line)
    for line in known.book.forecasts:
        if line["group_id"] in groups:
            groups[line["group_id"]].rows["forecasts"].append(line)
    for group in known.groups:
        group.rows["manager"] = [manager(known, group)]


def manager(known: Knowledge, group: Group) -> Key | None:
    """Who is assigned, of several the one of the largest share, then the latest; else the owner of the root account."""
    standing = [
        line
        for line in group.rows["assigned"]
        if (line["starts_on"] or known.t) <= known.t <= (line["ends_on"] or known.t)
    ]
    if standing:
        best = sorted(
            standing, key=lambda x: (-(x["share"] or 100), -(x["starts_on"] or dt.date.min).toordinal(), x["user"])
        )
        return "salesforce", best[0]["user"]
    return None if group.owner is None else (group.group_id.split(":")[0], group.owner)


def manager_of(group: Group) -> Key | None:
    found: Key | None = group.rows["manager"][0]
    return found


def team(known: Knowledge, group: Group, found: Found) -> None:
    logged: list[Touch] = [touch for touch in group.rows["logged"] if touch.persons]
    recent = [touch for touch in logged if touch.day > known.t - dt.timedelta(days=90)]
    kam = manager_of(group)
    touches, theirs = {touch.same for touch in recent}, {touch.same for touch in recent if touch.owner == kam}
    why = Null(*["no_touches"] * (not touches), *["no_kam"] * (kam is None))
    found["kam_share_of_touches_90d"] = why if why.whys else rounded(Fraction(len(theirs), len(touches)), 6)
    functions = {("salesforce", line["user"]): line["function"].lower() for line in known.book.files.get("team", [])}
    seen = {functions[touch.owner] for touch in recent if touch.owner in functions}
    found["internal_functions_90d"] = len(seen) if seen else Null("not_given")
    begun = [line for line in group.rows["assigned"] if (line["starts_on"] or dt.date.min) <= known.t]
    lines: list[Row] = sorted(begun, key=lambda x: (x["starts_on"] or dt.date.min, x["user"]))
    year, changes = months_before(known.t, 12), 0
    for before, after in pairwise(lines):
        changes += before["user"] != after["user"] and between(after["starts_on"], year, known.t)
    found["owner_changes_12m"] = changes if lines else Null("no_history")


def forecasts(known: Knowledge, group: Group, found: Found) -> None:
    looked_back(known, [group], found)


def looked_back(known: Knowledge, groups: list[Group], found: Found) -> None:
    """Up to five whole quarters before that of t, group by group, by what our snapshot of their first two weeks said.
    Four quarters at least, whichever group they are of."""
    told = [of_quarter for group in groups for of_quarter in said_and_won(known, group)]
    quarters = {quarter for quarter, _, _ in told}
    actual = sum(won or 0 for _, _, won in told)
    unknown = any(won is None for _, _, won in told)
    if len(quarters) < 4 or unknown or actual <= 0:
        why = "few_forecasts" if len(quarters) < 4 else "amounts_unknown" if unknown else "nothing_won"
        found["forecast_accuracy"] = found["forecast_bias"] = Null(why)
        return
    missed = [said - won for _, said, won in told if won is not None]
    found["forecast_accuracy"] = rounded(1 - Fraction(sum(map(abs, missed)), actual), 6)
    found["forecast_bias"] = rounded(Fraction(sum(missed), actual), 6)


def said_and_won(known: Knowledge, group: Group) -> list[tuple[dt.date, int, int | None]]:
    """By quarter what was forecast for a group, and what it brought; None where an amount is not known."""
    first, _ = quarter_of(known.t)
    lines_of = defaultdict(list)
    for line in group.rows["forecasts"]:
        quarter, _ = quarter_of(line["as_of"])
        if months_before(first, 15) <= quarter < first and line["as_of"] < quarter + dt.timedelta(days=14):
            lines_of[quarter].append((line["as_of"], line["forecast"]))
    found = []
    for quarter, lines in lines_of.items():
        last = quarter_of(quarter)[1]
        won = [d for d in group.rows["deals"] if d.status == "won" and d.closed_on and quarter <= d.closed_on <= last]
        is_known = all(deal.amount.value is not None for deal in won)
        found.append((quarter, min(lines)[1], sum(deal.amount.value for deal in won) if is_known else None))
    return found

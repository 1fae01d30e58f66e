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


def team(known: Knowledge, group: Group, found: Found) -> None:
    logged: list[Touch] = [touch for touch in group.rows["logged"] if touch.persons]
    recent = [touch for touch in logged if touch.day > known.t - dt.timedelta(days=90)]
    kam = group.rows["manager"][0]
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
    """Up to five whole quarters before that of t, by what our snapshot of their first two weeks said."""
    first, _ = quarter_of(known.t)
    told = defaultdict(list)
    for line in group.rows["forecasts"]:
        quarter, _ = quarter_of(line["as_of"])
        if months_before(first, 15) <= quarter < first and line["as_of"] < quarter + dt.timedelta(days=14):
            told[quarter].append((line["as_of"], line["forecast"]))
    pairs = []
    whys: list[str] = []
    for quarter, lines in told.items():
        last = quarter_of(quarter)[1]
        won = [d for d in group.rows["deals"] if d.status == "won" and d.closed_on and quarter <= d.closed_on <= last]
        if any(deal.amount.value is None for deal in won):
            whys.append("amounts_unknown")
        pairs.append((min(lines)[1], sum(deal.amount.value or 0 for deal in won)))
    actual = sum(won for _, won in pairs)
    if len(pairs) < 4 or whys or actual <= 0:
        why = Null("few_forecasts" if len(pairs) < 4 else whys[0] if whys else "nothing_won")
        found["forecast_accuracy"] = found["forecast_bias"] = why
        return
    missed = sum(abs(said - won) for said, won in pairs)
    found["forecast_accuracy"] = rounded(1 - Fraction(missed, actual), 6)
    found["forecast_bias"] = rounded(Fraction(sum(said - won for said, won in pairs), actual), 6)

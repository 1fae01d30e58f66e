"""What closed deals were worth, what is aimed at and forecast, and how well records are kept."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from typing import Any

from kammodel.entities import Account, LineItem, Target, User
from tests.oracle.acts import months_before
from tests.oracle.facts import Deal
from tests.oracle.known import Amount, Group, Knowledge, Null, Unrounded, half_even
from tests.oracle.oracle_value import Found, between, known_sum, nulls, rounded
from tests.oracle.world import Row

FIELDS = ("name", "type", "industry", "country", "owner_id")


def gather(known: Knowledge) -> None:
    """Gives each group the `values` of its closed deals, its `accounts`, `targets` and `ratings`."""
    lines = defaultdict(list)
    for row in known.rows(LineItem):
        lines[row["source"], row["opportunity_id"]].append(row)
    users = known.every(User)
    accounts = known.every(Account)
    for group in known.groups:
        for deal in group.rows["deals"]:
            if deal.status in {"won", "lost"}:
                own = deal.own if deal.status == "won" else lost_worth(deal, lines[deal.key])
                value = known.reporting(own, deal.row["currency"], deal.closed_on or known.t, deal.key[0])
                group.rows["values"].append((deal, value))
        for key in sorted(group.accounts):
            if known.is_counted(key):
                row = accounts[key]
                user = users.get((key[0], row["owner_id"]))
                is_owned = row["owner_id"] is not None and (user is None or user["is_active"] is not False)
                group.rows["records"].append((row, is_owned))
    for name in ("targets", "ratings"):
        for line in known.book.files.get(name, []):
            if line.get("account") in known.named:
                key, group = known.named[line["account"]]
                group.rows[name].append({**line, "key": key})


def lost_worth(deal: Deal, lines: list[Row]) -> int | None:
    """Its last non-zero amount while open, else the one it has, else its list price (reading 17)."""
    was_open = [step["amount"] for step in deal.history if step["status"] == "open" and step["amount"]]
    if was_open:
        return int(was_open[-1])
    if deal.own:
        return deal.own
    prices = [None if line["list_price"] is None else line["list_price"] * Fraction(line["quantity"]) for line in lines]
    known = [price for price in prices if price is not None]
    return half_even(sum(known, Fraction(0))) if known and len(known) == len(prices) else None


def win_rate_value(known: Knowledge, group: Group, found: Found) -> None:
    year = months_before(known.t, 12)
    closed = [(deal, value) for deal, value in group.rows["values"] if between(deal.closed_on, year, known.t)]
    result: Any
    if len(closed) < 10:
        result = Null("few_closed") if closed else Null("nothing_closed")
    else:
        whys = sorted({value.why for _, value in closed if value.why})
        unknown = any(value.value is None and not value.why for _, value in closed)
        total = sum(value.value or 0 for _, value in closed)
        won = sum(value.value or 0 for deal, value in closed if deal.status == "won")
        if whys or unknown:
            result = Null(*whys, *["amounts_unknown"] * unknown)
        else:
            result = Null("no_value") if total <= 0 else rounded(Fraction(won, total), 6)
    found["win_rate_value"] = result
    if isinstance(result, Null):
        found["coverage_needed"] = result
    else:
        found["coverage_needed"] = Null("no_won") if result <= 0 else rounded(1 / result, 6)


def quarter_of(day: dt.date) -> tuple[dt.date, dt.date]:
    first = dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return first, months_before(first, -3) - dt.timedelta(days=1)


def quarter_forecast(known: Knowledge, group: Group, found: Found) -> None:
    """What is forecast for the calendar quarter of t."""
    first, last = quarter_of(known.t)
    deals: list[Deal] = group.rows["deals"]
    is_open = [deal for deal in deals if deal.status == "open" and not deal.is_omitted]
    won = [d for d in deals if d.status == "won" and d.closed_on is not None and first <= d.closed_on <= known.t]
    commit = [d for d in is_open if d.category == "commit" and d.expected_on and first <= d.expected_on <= last]
    total = known_sum([deal.amount for deal in won + commit])
    silent = bool(is_open) and all(deal.category is None for deal in is_open)
    found["forecast_quarter"] = nulls(total, *[Null("no_forecast")] * silent) or total


def target(known: Knowledge, group: Group, found: Found) -> None:
    """What the accounts of a group are to bring in the quarter, and how far its pipeline reaches."""
    parts = targets_of(known, group.rows["targets"], "account")
    found["target_quarter"] = known_sum(parts) if parts else Null("no_target")
    coverage(found)


def target_above(known: Knowledge, groups: list[Group], kam: str | None) -> Any:
    """That of an owner: by targets.csv, else by the quotas of the CRM. That of all (no `kam`): the sum of the owners'
    targets, be they KAMs or not; where no owner has one, that of the accounts'."""
    lines = [line for line in known.book.files.get("targets", []) if line.get("owner") is not None]
    filed = {line["owner"] for line in lines}
    # Only Salesforce tells of users here: a file names those.
    lines = [{**line, "who": f"salesforce:org:{line['owner']}"} for line in lines]
    for row in known.rows(Target):
        if row["metric"] == "revenue" and row["owner_id"] not in filed:
            money = {"value": half_even(Fraction(str(row["target_value"])) * 10_000), "of_crm": True}
            lines.append({**row, **money, "who": f"salesforce:org:{row['owner_id']}"})
    parts = targets_of(known, [line for line in lines if kam in {None, line["who"]}], "who")
    if kam is None and not parts:
        parts = targets_of(known, [line for group in groups for line in group.rows["targets"]], "account")
    return known_sum(parts) if parts else Null("no_target")


def targets_of(known: Knowledge, lines: list[Row], column: str) -> list[Amount]:
    """What each of those named in a column is to bring in the quarter of t."""
    first, last = quarter_of(known.t)
    by_name = defaultdict(list)
    for line in lines:
        by_name[line[column]].append(line)
    return [part for own in by_name.values() for part in target_of(known, own, first, last)]


def coverage(found: Found) -> None:
    """How often the pipeline of the quarter holds what is still missing."""
    target = found["target_quarter"]
    unknown = nulls(target, found["revenue_quarter"])
    if unknown:
        found["pipeline_coverage"] = unknown
        return
    missing = target - found["revenue_quarter"]
    pipeline = found["open_pipeline_quarter"]
    if missing <= 0 or isinstance(pipeline, Null):
        found["pipeline_coverage"] = Null("met") if missing <= 0 else pipeline
    else:
        found["pipeline_coverage"] = rounded(Fraction(pipeline, missing), 6)


def target_of(known: Knowledge, lines: list[Row], first: dt.date, last: dt.date) -> list[Amount]:
    """The quarter's part of the shortest period that holds it; else those within it, if they cover it."""
    holding = [line for line in lines if line["starts_on"] <= first and line["ends_on"] >= last]
    if holding:
        line = min(holding, key=months_in)
        whole = target_amount(known, line)
        return [
            Amount(None if whole.value is None else half_even(Fraction(whole.value * 3, months_in(line))), whole.why)
        ]
    within = [line for line in lines if first <= line["starts_on"] and line["ends_on"] <= last]
    if sum(map(months_in, within)) < 3:
        return []
    return [target_amount(known, line) for line in within]


def target_amount(known: Knowledge, line: Row) -> Amount:
    """At the rate of its first day. Of a CRM and without a currency: in that of the CRM."""
    if "who" not in line:
        return known.filed(line["value"], line["currency"], line["starts_on"], line["account"])
    own = None if line.get("of_crm") else known.book.config.reporting_currency
    return known.reporting(line["value"], line["currency"] or own, line["starts_on"], "salesforce")


def months_in(line: Row) -> int:
    a, b = line["starts_on"], line["ends_on"]
    return int((b.year - a.year) * 12 + b.month - a.month + 1)


def quality(known: Knowledge, group: Group, found: Found) -> None:
    t, year = known.t, months_before(known.t, 12)
    records: list[tuple[Row, bool]] = group.rows["records"]
    filled = [row.get(name) is not None for row, _ in records for name in FIELDS]
    is_open = [deal for deal in group.rows["deals"] if deal.status == "open"]
    won = [d for d in group.rows["deals"] if d.status == "won" and between(d.closed_on, year, t)]
    on_time = [deal.expected_on is not None and deal.expected_on >= t for deal in is_open]
    shares = {
        "account_fields_filled": filled,
        "accounts_with_owner": [is_owned for _, is_owned in records],
        "deals_with_amount": [deal.own is not None for deal in is_open + won],
        "open_deals_on_time": on_time,
    }
    exact = {name: Fraction(sum(told), len(told)) for name, told in shares.items() if told}
    found |= {name: rounded(exact[name], 6) if name in exact else Null("no_deals") for name in shares}
    # The mean of what is shown beside it. Its ties are many, and a mean of floats falls to either side.
    parts = [found[name] for name in exact]
    found["data_quality_score"] = Unrounded(sum(parts, Fraction(0)) / len(parts))


def ratings(known: Knowledge, group: Group, found: Found) -> None:
    """Of several lines for a group the root's, else the first that fills a column."""
    source, _, root = group.group_id.split(":")
    lines = sorted(group.rows["ratings"], key=lambda line: line["key"] != (source, root))
    stages = ("exploratory", "basic", "cooperative", "interdependent", "integrated")
    for name, column in (
        ("relationship_level", "relationship_stage"),
        ("esg_score", "esg_score"),
        ("premium_support", "premium_support"),
        ("service_sensitivity", "service_sensitivity"),
    ):
        told = [line[column] for line in lines if line.get(column) is not None]
        value = stages.index(told[0]) + 1 if told and name == "relationship_level" else told[0] if told else None
        found[name] = Null("not_given") if value is None else rounded(Fraction(str(float(value))), 1)

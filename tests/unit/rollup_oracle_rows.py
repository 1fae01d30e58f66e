"""The rows that rollups are taken over, from what a book of business says, one by one: slow, obvious, independent."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

from kammodel.entities import AccountPerson, Contract, LineItem, Product
from tests.unit.kam_world import AS_OF, Row, World

ZONE = ZoneInfo("Europe/Madrid")
CUT = dt.datetime(2026, 6, 30, 21, 59, 59, 999_999, tzinfo=dt.UTC)
NO_RATE = "no rate for GBP"


def rows(over: str, world: World) -> list[tuple[str, str, Row]]:
    """Source, account and row, as known at the cut."""
    return {
        "opportunities": deals,
        "line_items": line_items,
        "activities": activities,
        "cases": cases,
        "contacts": contacts,
        "contracts": contracts,
    }[over](world)


def existed(row: Row) -> bool:
    made = row.get("created_at")
    return not row.get("deleted") and (made is None or made <= CUT)


def deals(world: World) -> list[tuple[str, str, Row]]:
    found = []
    for deal in filter(existed, world.deals):
        row = dict(deal)
        if row["status"] != "open" and row["close_on"] is not None and row["close_on"] > AS_OF:
            # It was closed after the day, by its last change: it was open, as what nobody knows.
            row |= {"status": "open", "stage_id": None, "probability": None}
        day = row["close_on"] if row["status"] != "open" else AS_OF
        found.append((row["source"], row["account_id"], {**row, "day": day or AS_OF}))
    return [(source, account, priced(row, "amount")) for source, account, row in found]


def line_items(world: World) -> list[tuple[str, str, Row]]:
    of = {(source, row["source_id"]): (account, row) for source, account, row in deals(world)}
    products = {(row["source"], row["source_id"]): row for row in world.others.get(Product, [])}
    found = []
    for line in filter(existed, world.others.get(LineItem, [])):
        account, deal = of.get((line["source"], line["opportunity_id"]), (None, None))
        if account is None or deal is None:
            continue
        product = products.get((line["source"], line["product_id"]), {})
        row = priced({**line, "day": deal["day"]}, "amount")
        row |= {f"opportunity.{name}": value for name, value in deal.items()}
        row |= {f"product.{name}": value for name, value in product.items()}
        found.append((line["source"], account, row))
    return found


def activities(world: World) -> list[tuple[str, str, Row]]:
    found = []
    for one in world.activities:
        if existed(one) and one["is_counted"]:
            day = one["occurred_on"] or local(one["starts_at"])
            done = one["status"] == "done" and day is not None and day <= AS_OF
            row = {**one, "day": day, "is_done": done}
            found += [(one["source"], account, row) for account in one["account_ids"].split(";")]
    return found


def cases(world: World) -> list[tuple[str, str, Row]]:
    found = []
    for one in filter(existed, world.cases):
        opened, closed = one["opened_at"] or one["created_at"], one["closed_at"]
        if opened is not None and opened > CUT:
            continue
        is_closed = closed <= CUT if closed is not None else bool(one["is_closed"])
        is_closed = is_closed and one["is_closed"] is not False
        row = {**one, "opened_at": opened, "is_closed": is_closed, "closed_at": closed if is_closed else None}
        found.append((one["source"], one["account_id"], row))
    return found


def contacts(world: World) -> list[tuple[str, str, Row]]:
    found = []
    related = world.others.get(AccountPerson, [])
    for one in filter(existed, world.persons):
        places = {one["account_id"]}
        places |= {
            r["account_id"] for r in related if (r["source"], r["person_id"]) == (one["source"], one["source_id"])
        }
        found += [(one["source"], account, one) for account in places if account is not None]
    return found


def contracts(world: World) -> list[tuple[str, str, Row]]:
    known = filter(existed, world.others.get(Contract, []))
    return [(one["source"], one["account_id"], priced({**one, "day": one["starts_on"]}, "amount")) for one in known]


def priced(row: Row, name: str) -> Row:
    """The amount in euros; UNKNOWN where there is no rate."""
    amount, currency = row[name], row["currency"] or "EUR"
    if amount is None or currency == "EUR":
        return row
    day = row["day"] or dt.date(1, 1, 1)
    if currency == "GBP":
        return {**row, name: NO_RATE}
    if day < dt.date(2020, 1, 1):
        return {**row, name: "no rate for USD"}
    rate = Fraction(7, 8) if day >= dt.date(2026, 3, 1) else Fraction(9, 10)
    return {**row, name: half_even(amount * rate)}


def half_even(value: Fraction) -> int:
    return round(value)


def local(moment: dt.datetime | None) -> dt.date | None:
    return None if moment is None else moment.astimezone(ZONE).date()

"""Revenue events: each sale once, out of the best record that tells of it (kam.md §2b, reading 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kammodel.entities import Order
from tests.oracle.known import Amount, Group, Key, Knowledge

RANK = {"invoice": 0, "credit": 0, "order": 1, "recurring": 2, "booking": 3}


@dataclass
class Event:
    day: Any
    own: Any
    amount: Amount
    kind: str
    deal: Key | None = None

    @property
    def is_purchase(self) -> bool:
        return self.own is not None and self.own > 0


def revenue(known: Knowledge) -> None:
    """Gives each group its `events`."""
    filed: dict[str, list[Event]] = {}
    for line in known.book.files.get("revenue", []):
        _, group = known.named.get(line["account"], (None, None))
        if group is not None and line["booked_on"] <= known.t:
            amount = known.filed(line["amount"], line["currency"], line["booked_on"], line["account"])
            filed.setdefault(group.group_id, []).append(Event(line["booked_on"], line["amount"], amount, line["kind"]))
    orders = _orders(known)
    # A deal that an order names is that order, on whatever account that was placed.
    named = {order.deal for own in orders.values() for order in own if order.deal is not None}
    for group in known.groups:
        own = filed.get(group.group_id, []), orders.get(group.group_id, [])
        group.rows["events"] = _events(group, *own, named)


def _orders(known: Knowledge) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for row in known.rows(Order):
        group = known.group_of(row["source"], row["account_id"])
        is_placed = row["status_code"] == "Activated" and (row["activated_at"] or known.cut) <= known.cut
        if group is None or not is_placed or row["effective_on"] is None or row["effective_on"] > known.t:
            continue
        amount = known.reporting(row["amount"], row["currency"], row["effective_on"], row["source"])
        deal = None if row.get("opportunity_id") is None else (row["source"], row["opportunity_id"])
        found.setdefault(group.group_id, []).append(Event(row["effective_on"], row["amount"], amount, "order", deal))
    return found


def _events(group: Group, filed: list[Event], orders: list[Event], named: set[Key]) -> list[Event]:
    bookings = [
        Event(deal.closed_on, deal.own, deal.amount, "booking", deal.key)
        for deal in group.rows["deals"]
        if deal.status == "won" and deal.key not in named
    ]
    # Orders that name their deals are the deals of the group by another record: no better kind than those.
    as_deals = any(order.deal is not None for order in orders)
    ranked = [(RANK[event.kind], event) for event in filed + bookings]
    ranked += [(RANK["booking"] if as_deals else RANK["order"], order) for order in orders]
    kept = []
    for rank, event in ranked:
        better = [other.day for above, other in ranked if above < rank and other.day is not None]
        if not better or (event.day is not None and event.day < min(better)):
            kept.append(event)
    return kept

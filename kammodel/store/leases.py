"""Leases: what only one run may do at a time belongs to its holder, until it is given back or has run out."""

from __future__ import annotations

import datetime as dt

from kammodel.entities import Lease
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction


def take(tx: Transaction, name: str, holder: str, now: dt.datetime, until: dt.datetime) -> Lease | None:
    """Takes or renews a lease; None if that worked, else the lease of whoever has it."""
    sql = (
        "INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until) ON CONFLICT (name) DO UPDATE SET "
        "holder=excluded.holder, until=excluded.until WHERE lease.holder=excluded.holder OR lease.until<=:now"
    )
    told = {"name": name, "holder": holder, "until": to_micros(until), "now": to_micros(now)}
    if tx.run(sql, [told]):
        return None
    other = tx.session.get(Lease, name)
    return None if other is None else Lease(**other.model_dump())


def renew(tx: Transaction, name: str, holder: str, until: dt.datetime) -> bool:
    """Renews a lease that the holder has, be it run out. Not one that is gone: another had it meanwhile."""
    sql = "UPDATE lease SET until=:until WHERE name=:name AND holder=:holder"
    return bool(tx.run(sql, [{"name": name, "holder": holder, "until": to_micros(until)}]))


def take_over(tx: Transaction, other: Lease, holder: str, until: dt.datetime) -> bool:
    """Takes the lease of a holder that is known to be dead, unless somebody else has done so meanwhile."""
    sql = "UPDATE lease SET holder=:holder, until=:until WHERE name=:name AND holder=:dead"
    return bool(tx.run(sql, [{"name": other.name, "dead": other.holder, "holder": holder, "until": to_micros(until)}]))


def give_back(tx: Transaction, name: str, holder: str) -> None:
    """Ends a lease, if it is still the holder's."""
    tx.run("DELETE FROM lease WHERE name=:name AND holder=:holder", [{"name": name, "holder": holder}])

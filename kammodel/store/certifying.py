"""Certificates, and our side of them: how many live rows windows of a stream hold, and what their amounts add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl
from sqlmodel import col, select

from kammodel.entities import Certificate, Sourced
from kammodel.entities.types import MONEY_SCALE
from kammodel.store.store import Transaction

DIFFERS, UNPROVEN = "differs", "unproven"
_SECOND = 1_000_000
_LETTERS = str.maketrans("0123456789", "abcdefghij")
"""Names of parameters have no digits."""
Ends = tuple[int | None, int | None]
"""Keys in [low, high); None leaves an end open."""
ALL: Ends = (None, None)


@dataclass(frozen=True)
class Rows:
    """Live rows of a stream that were created before an instant (seconds since 1970), cut by their time of creation or
    by the number that their ids are."""

    entity: type[Sourced]
    source: str
    instance: str
    before: int
    by_id: bool
    id_prefix: str = ""

    @property
    def where(self) -> str:
        return (
            f'"{self.entity.__tablename__}" WHERE source=:source AND source_instance=:instance AND NOT deleted '
            "AND created_at < :before AND source_id LIKE :prefix"
        )

    @property
    def parameters(self) -> dict[str, Any]:
        of = {"source": self.source, "instance": self.instance}
        return of | {"before": self.before * _SECOND, "prefix": f"{self.id_prefix}%"}

    @property
    def _number(self) -> str:
        """The digits of an id: their number comes before what they are."""
        return f"substr(source_id, {len(self.id_prefix) + 1})"

    @property
    def order(self) -> str:
        return f"length({self._number}), source_id" if self.by_id else "created_at"

    def within(self, ends: Ends, name: str) -> tuple[str, dict[str, Any]]:
        """A condition of keys in [low, high), and its parameters."""
        low, high = ends
        sides = [
            (sign, f"{name}{end}", key) for sign, end, key in ((">=", "l", low), ("<", "h", high)) if key is not None
        ]
        told = " AND ".join(self._compared(sign, name) for sign, name, _ in sides)
        return told or "1=1", {k: v for _, name, key in sides for k, v in self._bound(name, key).items()}

    def _compared(self, sign: str, name: str) -> str:
        if not self.by_id:
            return f"created_at {sign} :{name}"
        length = f"length({self._number})"
        return f"({length} {sign[0]} :{name}n OR ({length} = :{name}n AND {self._number} {sign} :{name}))"

    def _bound(self, name: str, key: int) -> dict[str, Any]:
        return {name: str(key), f"{name}n": len(str(key))} if self.by_id else {name: key * _SECOND}


def in_ranges(ranges: Sequence[Ends], prefix: int) -> tuple[str, dict[str, Any]]:
    """A condition of ids, whose number begins after so many characters, in one of the ranges; and its parameters."""
    if ALL in ranges:
        return "1=1", {}
    rows = Rows(Sourced, "", "", 0, by_id=True, id_prefix=" " * prefix)
    told = [rows.within(ends, f"r{str(n).translate(_LETTERS)}_") for n, ends in enumerate(ranges)]
    parameters = {k: v for _, given in told for k, v in given.items()}
    return f"({' OR '.join(f'({one})' for one, _ in told) or '1=0'})", parameters


def tallied(
    tx: Transaction, rows: Rows, windows: Sequence[Ends], *, sums: bool
) -> list[tuple[int, dict[str | None, int]]]:
    """How many rows each window holds and, with `sums`, their amounts by currency. One query for all of them."""
    conditions = [rows.within(ends, f"w{str(n).translate(_LETTERS)}_") for n, ends in enumerate(windows)]
    cases = " ".join(f"WHEN {told} THEN {n}" for n, (told, _) in enumerate(conditions))
    parameters = rows.parameters | {k: v for _, given in conditions for k, v in given.items()}
    # In two parts: the whole of it may not fit into 64 bits.
    parts = (
        f"amount / {MONEY_SCALE} AS units, amount % {MONEY_SCALE} AS rest, currency"
        if sums
        else ("0 AS units, 0 AS rest, NULL AS currency")
    )
    sql = (
        "SELECT place, count(*) AS n, CAST(sum(units) AS BIGINT) AS units, CAST(sum(rest) AS BIGINT) AS rest, "  # noqa: S608
        f"CAST(currency AS TEXT) AS currency FROM (SELECT CASE {cases} END AS place, {parts} FROM {rows.where}) t "
        "WHERE place IS NOT NULL GROUP BY place, currency"
    )
    schema = dict.fromkeys(("place", "n", "units", "rest"), pl.Int64()) | {"currency": pl.String()}
    found = tx.frame(sql, schema, **parameters)
    tallies: list[tuple[int, dict[str | None, int]]] = [(0, {}) for _ in windows]
    for place, n, units, rest, currency in found.iter_rows():
        count, of = tallies[place]
        own = {currency: (units or 0) * MONEY_SCALE + (rest or 0)} if units is not None and sums else {}
        tallies[place] = (count + n, of | own)
    return tallies


def ids_within(tx: Transaction, rows: Rows, ends: Ends) -> pl.Series:
    """The ids of a window's rows."""
    told, parameters = rows.within(ends, "w")
    sql = f"SELECT source_id FROM {rows.where} AND {told}"  # noqa: S608
    return tx.frame(sql, {"source_id": pl.String()}, **rows.parameters, **parameters)["source_id"]


def cuts(tx: Transaction, rows: Rows, ends: Ends, parts: int, live: int) -> list[Ends]:
    """A window in parts of about as many rows; fewer where keys do not tell them apart."""
    told, parameters = rows.within(ends, "w")
    step = max(1, live // parts)
    sql = (
        f"SELECT source_id, created_at FROM (SELECT source_id, created_at, row_number() OVER (ORDER BY {rows.order}) "  # noqa: S608
        f"AS n FROM {rows.where} AND {told}) t WHERE n % {step} = 0 ORDER BY n"
    )
    found = tx.frame(sql, {"source_id": pl.String(), "created_at": pl.Int64()}, **rows.parameters, **parameters)
    keys = [_key(rows, *row) for row in found.head(parts - 1).iter_rows()]
    low, high = ends
    inner = sorted({k for k in keys if (low is None or k > low) and (high is None or k < high)})
    if not inner and parts == 2 and low is not None and high is not None and high - low > 1:
        inner = [(low + high) // 2]
    return list(pairwise([low, *inner, high]))


def _key(rows: Rows, source_id: str, created_at: int) -> int:
    digits = source_id.removeprefix(rows.id_prefix)
    return int(digits) if rows.by_id and digits.isdecimal() else created_at // _SECOND if not rows.by_id else 0


def live_amounts(tx: Transaction, rows: Rows, ids: pl.Series) -> pl.DataFrame:
    """source_id, amount and currency of those of the ids that live here."""
    sql = f"SELECT source_id, amount, currency FROM {rows.where} AND {tx.backend.among('source_id', 'ids')}"  # noqa: S608
    schema = {"source_id": pl.String(), "amount": pl.Int64(), "currency": pl.String()}
    return tx.frame(sql, schema, **rows.parameters, ids=tx.backend.listed(ids))


def save_certificates(
    tx: Transaction, source: str, instance: str, stream: str, made: Sequence[Certificate]
) -> list[Certificate]:
    """Puts the certificates of a stream in the place of those that it had, and gives those that it has now.

    A failed one stays as long as part of its window is unproven: what could not be counted lifts no accusation.
    """
    had = list(tx.session.exec(_of(source, instance).where(Certificate.stream == stream).order_by(Certificate.place)))
    unproven = [one for one in made if one.verdict == UNPROVEN]
    failed = [one for one in had if one.verdict == DIFFERS and any(_overlap(one, other) for other in unproven)]
    now = [Certificate(**one.model_dump() | {"place": place}) for place, one in enumerate([*failed, *made])]
    for old in had:
        tx.session.delete(old)
    tx.session.flush()
    for one in now:
        tx.session.add(Certificate(**one.model_dump()))
    tx.session.flush()
    return now


def _overlap(one: Certificate, other: Certificate) -> bool:
    """Whether windows have keys in common. One that was cut by another key may have any."""
    if one.cut_by != other.cut_by:
        return True
    return _begins_before(one, other) and _begins_before(other, one)


def _begins_before(one: Certificate, other: Certificate) -> bool:
    """Whether a window begins before another ends."""
    return one.window_low is None or other.window_high is None or one.window_low < other.window_high


def certificates(tx: Transaction, source: str, instance: str) -> list[Certificate]:
    """The newest certificates of an org's streams, in order."""
    query = _of(source, instance).order_by(col(Certificate.stream), col(Certificate.place))
    return [Certificate(**one.model_dump()) for one in tx.session.exec(query)]


def failed_certificates(tx: Transaction, source: str) -> list[Certificate]:
    """Those of a CRM that say that the store does not hold what the CRM has."""
    query = select(Certificate).where(Certificate.source == source, Certificate.verdict == DIFFERS)
    query = query.order_by(col(Certificate.stream), col(Certificate.place))
    return [Certificate(**one.model_dump()) for one in tx.session.exec(query)]


def _of(source: str, instance: str) -> Any:
    return select(Certificate).where(Certificate.source == source, Certificate.source_instance == instance)

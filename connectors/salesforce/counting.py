"""Counts the records of an org in windows of their creation: one aggregate query a window, with the sum of amounts.

With several currencies Salesforce gives each sum in the org's own, by its rates of today: there the amounts in that
currency prove something, and the others do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

import polars as pl

from connectors.contract.counting import STATES, Key, Tally, Window
from connectors.contract.reading import Stream
from connectors.errors import ConnectorError, UnexpectedAnswer
from connectors.salesforce import soql
from connectors.salesforce.catalogue import Catalogue, Source
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import Record, as_text, text_frame
from connectors.salesforce.ids import askable
from connectors.salesforce.pages import TOO_MUCH
from connectors.salesforce.querying import read_all
from kammodel.entities import Opportunity
from kammodel.entities.types import from_micros, to_money

CREATED, AMOUNT = "CreatedDate", "Amount"
_NOT_DELETED = "IsDeleted = false"
_SECOND = 1_000_000


class SalesforceCounts:
    """The counts of one org."""

    key: Key = "created"
    ids_at_once = 2_000

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client, self._catalogue = client, catalogue

    def uncountable(self, stream: Stream) -> str | None:
        source = self._catalogue.sources.get(stream.name)
        if source is None or not stream.swept:
            return "it is read whole on every run"
        if source.stamp is None or CREATED not in source.fields:
            return f"this user may not read {source.kind}.{CREATED}: grant read access to it"
        return None

    def sums(self, stream: Stream) -> bool:
        source, org = self._catalogue.sources[stream.name], self._catalogue.org
        of = {line.ours: line.columns for line in stream.mappings[0].lines}
        is_amount = stream.mappings[0].entity is Opportunity and of.get("amount") == (AMOUNT,)
        return is_amount and AMOUNT in source.fields and AMOUNT not in stream.drifting and org.currency is not None

    def count(self, stream: Stream, window: Window) -> Tally | None:
        source, adds = self._catalogue.sources[stream.name], self.sums(stream)
        several = adds and self._catalogue.org.many_currencies
        what = ("CurrencyIsoCode, " if several else "") + "COUNT(Id) n" + (f", SUM({AMOUNT}) s" if adds else "")
        by = " GROUP BY CurrencyIsoCode" if several else ""
        query = f"SELECT {what} FROM {source.kind} WHERE {_where(source, window)}{by}"  # noqa: S608
        try:
            found = read_all(self._client, query, path=source.path, asks=_asks(source))
        except ConnectorError as fault:
            if fault.code in TOO_MUCH:
                return None
            raise
        rows = sum(_rows(row, source) for row in found)
        if not (found or several):
            raise UnexpectedAnswer(f"Salesforce did not say how many rows of {source.kind} there are")
        home = self._catalogue.org.currency
        own = [row for row in found if not several or as_text(row.get("CurrencyIsoCode")) == home]
        return Tally(rows, {home: sum(map(_money, own))} if adds else None)

    def ids(self, stream: Stream, window: Window) -> pl.Series:
        source = self._catalogue.sources[stream.name]
        query = soql.select(["Id"], source.kind, _where(source, window))
        return _ids(read_all(self._client, query, path=source.path, asks=_asks(source)))

    def states(self, stream: Stream, ids: Sequence[str]) -> pl.DataFrame:
        source = self._catalogue.sources[stream.name]
        asked = ["Id", str(source.stamp), "IsDeleted"]
        rows, known = [], askable(ids, stream.name)
        for start in range(0, known.len(), soql.IDS_AT_ONCE):
            query = soql.select(asked, source.kind, soql.any_of("Id", known[start : start + soql.IDS_AT_ONCE]))
            rows += read_all(self._client, query, path=source.path, asks=_asks(source))
        stamp = pl.col(str(source.stamp)).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_zone="UTC")
        deleted = (pl.col("IsDeleted").str.to_lowercase() == "true").alias("deleted")
        told = text_frame(rows, asked).select(widened(pl.col("Id")).alias("source_id"), stamp.alias("stamp"), deleted)
        return told.cast(pl.Schema(STATES))


def _where(source: Source, window: Window) -> str:
    high = window.before if window.high is None else min(window.high, window.before)
    low = None if window.low is None else from_micros(window.low * _SECOND)
    created = soql.within(CREATED, low, from_micros(high * _SECOND))
    return replace(source, only=" AND ".join(filter(None, [source.only, _NOT_DELETED]))).where(created)


def _ids(rows: list[Record]) -> pl.Series:
    return text_frame(rows, ["Id"]).select(widened(pl.col("Id"))).to_series().drop_nulls()


def _rows(row: Record, source: Source) -> int:
    rows = as_text(row.get("n"))
    if rows is None or not rows.isdecimal():
        raise UnexpectedAnswer(f"Salesforce did not say how many rows of {source.kind} there are")
    return int(rows)


def _money(row: Record) -> int:
    """Salesforce sends no sum of nothing. More digits than a number of its kind has are no part of it."""
    told = row.get("s")
    try:
        return 0 if told is None else to_money(Decimal(repr(told) if isinstance(told, float) else str(told)))
    except InvalidOperation:
        raise UnexpectedAnswer("Salesforce sent a sum that is no number") from None


def _asks(source: Source) -> str:
    return f"read access to the object {source.kind}"

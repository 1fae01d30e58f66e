"""What a pipeline would hold after reading a portal: rows by table and id, as the connector's pages leave them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
from pydantic import SecretStr

from connectors.contract import Page, Slice, Stream
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import normalize
from connectors.retry import Patience
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from kammodel.entities.schema import INSTANT, table_of
from tests.contract.hubspot_world import Front

Row = dict[str, Any]


@contextmanager
def connected(
    front: Front, sleep: Callable[[float], None] = lambda _: None, **settings: Any
) -> Iterator[HubSpotConnector]:
    given = {"base_url": front.url, "access_token": SecretStr(ACCESS_TOKEN)} | settings
    connector = HubSpotConnector(HubSpotSettings(**given), patience=Patience(sleep=sleep))
    try:
        yield connector
    finally:
        connector.close()


class Copy:
    """Tables of rows by id. Saving a row is an upsert; `gone` marks it deleted."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {}
        self.rejects: list[Row] = []
        self.read = 0

    def take(self, stream: Stream, page: Page) -> None:
        own = table_of(stream.mappings[0].entity).name
        for mapping in stream.mappings:
            table = table_of(mapping.entity).name
            sorted_out = normalize(page.raw[table], mapping)
            self.rejects += sorted_out.rejects.to_dicts()
            held = self.tables.setdefault(table, {})
            for row in sorted_out.rows.to_dicts():
                held[row["source_id"]] = held.get(row["source_id"], {}) | row
        self.read += page.raw[own].height
        self._end(own, page.gone)

    def rows(self, table: str) -> dict[str, Row]:
        return self.tables.get(table, {})

    def live(self, table: str) -> set[str]:
        return {i for i, row in self.rows(table).items() if not row["deleted"]}

    def known(self, ids: pl.Series) -> pl.DataFrame:
        """Those of the accounts that are held and live, with their change stamp: what a connector is told of them."""
        held = [(i, self.rows("account")[i]["updated_at"]) for i in ids if i in self.live("account")]
        return pl.DataFrame(held, schema={"source_id": pl.String(), "updated_at": INSTANT}, orient="row")

    def _end(self, table: str, gone: pl.DataFrame | None) -> None:
        for source_id, into in gone.iter_rows() if gone is not None else ():
            row = self.tables[table].get(source_id)
            if row is not None:
                row |= {"deleted": True, "merged_into_id": into} if "merged_into_id" in row else {"deleted": True}


def read_all(connector: HubSpotConnector, copy: Copy, span: Slice, only: tuple[str, ...] = ()) -> Copy:
    """A slice of every stream of the portal, or of those named."""
    for stream in connector.streams():
        if not only or stream.name in only:
            read_stream(connector, copy, stream.name, span)
    return copy


def read_stream(
    connector: HubSpotConnector, copy: Copy, name: str, span: Slice, resume: str | None = None
) -> list[Page]:
    stream = stream_of(connector, name)
    pages = []
    for page in connector.read(stream, span, resume):
        copy.take(stream, page)
        pages.append(page)
    return pages


def stream_of(connector: HubSpotConnector, name: str) -> Stream:
    return next(stream for stream in connector.streams() if stream.name == name)

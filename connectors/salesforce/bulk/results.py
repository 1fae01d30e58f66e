"""Pages of a job's results: bytes of CSV straight into columns of text, each proven against what was announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import requests

from connectors.errors import AnswerUnclear, RequestRefused, SliceLost
from connectors.salesforce import paths
from connectors.salesforce.client import Client

_LOCATOR, _LAST = "Sforce-Locator", "null"
"""The header that names the next page, and how Salesforce spells that none follows."""


@dataclass(frozen=True)
class Results:
    """A page: columns of text as they were asked for, and the locator of the next one, None after the last."""

    frame: pl.DataFrame
    locator: str | None


def read_page(client: Client, job_id: str, fields: Sequence[str], locator: str | None, *, rows: int) -> Results:
    """A page of a query job's results. Raises SliceLost where they are no longer there.

    A page with fewer rows than its header says, that breaks off in a row, or that ends the list without a word, is
    asked for again.
    """
    query = {"maxRecords": str(rows)} | ({"locator": locator} if locator else {})

    def read(answer: requests.Response) -> Results:
        frame = _frame(answer, fields)
        if locator is not None and frame.is_empty() and _LOCATOR not in answer.headers:
            raise AnswerUnclear("Salesforce sent an empty page of results and not whether another one follows")
        return Results(frame, _next(answer))

    try:
        return client.fetch(paths.job(paths.QUERY_JOBS, job_id, "results"), query, read=read)
    except RequestRefused as fault:
        if fault.status in {400, 404, 409, 410}:
            raise SliceLost("Salesforce does not have the results of a job any more", status=fault.status) from fault
        raise


def csv_frame(content: bytes, what: str) -> pl.DataFrame:
    """CSV as columns of text; without a header row it is empty. An empty value and none are the same to Salesforce."""
    if not content.strip():
        return pl.DataFrame()
    try:
        return pl.read_csv(content, infer_schema=False)
    except pl.exceptions.PolarsError:
        # Its text quotes the data.
        raise AnswerUnclear(f"Salesforce sent no CSV for {what}, or only part of it") from None


def _frame(answer: requests.Response, fields: Sequence[str]) -> pl.DataFrame:
    frame = csv_frame(answer.content, "the results of a job")
    announced = answer.headers.get("Sforce-NumberOfRecords", "")
    if announced.isdecimal() and int(announced) != frame.height:
        raise AnswerUnclear(f"Salesforce announced {announced} rows in a page of results and sent {frame.height}")
    if not frame.columns:
        return pl.DataFrame(schema=dict.fromkeys(fields, pl.String))
    # Their order is that of the query; nothing but the names says so. An error page is no CSV either, and reads as
    # one column of nothing known.
    there = {name.lower(): name for name in frame.columns}
    if frame.width != len(fields) or not all(name.lower() in there for name in fields):
        raise AnswerUnclear("Salesforce sent results with other columns than were asked for")
    return frame.select(pl.col(there[name.lower()]).alias(name) for name in fields)


def _next(answer: requests.Response) -> str | None:
    following = answer.headers.get(_LOCATOR, _LAST)
    return None if following == _LAST or not following else following

"""Reads a large slice by query jobs: several under way at once, their results page by page, resumable after each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
import polars as pl

from connectors.errors import (
    ConnectorError,
    PermissionMissing,
    QuotaSpent,
    RequestRefused,
    ShortAnswer,
    SliceLost,
    UnexpectedAnswer,
)
from connectors.repeats import Repeats
from connectors.salesforce import paths, soql
from connectors.salesforce.bulk import jobs
from connectors.salesforce.bulk.results import read_page
from connectors.salesforce.bulk.windows import Window, windows_of
from connectors.salesforce.catalogue import Source
from connectors.salesforce.client import Client
from connectors.salesforce.sizes import Sizes

AHEAD = 3
"""Jobs that Salesforce works on at a time, the one being read among them."""
_TRIES = 4
"""Jobs for one window before a run gives up."""
_NO_BULK_LEFT = {"EXCEEDEDQUOTA", "FEATURENOTENABLED"}
_NUMBERS = ("locator", "rows", "done", "ended", "announced")
_OPERATION = {paths.QUERY: "query", paths.QUERY_ALL: "queryAll"}


class JobsFail(RequestRefused):
    """Salesforce takes jobs over an object, and none of them comes to a good end."""


@dataclass(frozen=True)
class Part:
    """A window that is still to be read, the job that reads it, and how many this run had made for it before."""

    window: Window
    job: str | None = None
    tries: int = 0


@dataclass(frozen=True)
class Place:
    """Where the reading stands: the parts that are left, the first of them up to a locator and a number of rows.

    `announced`: rows in all as they were counted at first. `done`: rows of the parts before. `ended`: a job whose
    results are stored and that can be taken away.
    """

    parts: tuple[Part, ...]
    locator: str | None = None
    rows: int = 0
    done: int = 0
    ended: str | None = None
    announced: int | None = None

    def text(self) -> str:
        """Opaque text that `parse` takes."""
        # Less the tries: a run that came to the end of them is followed by one that has them all again.
        parts = [[_spelled(p.window.since), _spelled(p.window.until), p.job] for p in self.parts]
        return orjson.dumps({"bulk": parts} | {name: getattr(self, name) for name in _NUMBERS}).decode()

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place, or None where the text tells of another road."""
        try:
            told = orjson.loads(text)
            parts = [Part(Window(_instant(s), _instant(u)), job) for s, u, job in told.pop("bulk")]
            return cls(tuple(parts), **{name: told[name] for name in _NUMBERS})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class Batch:
    """A page of rows, and the place after it. Without rows it says that a place is worth keeping."""

    frame: pl.DataFrame
    place: Place


def opened(client: Client, source: Source, whole: Window, rows: int | None, sizes: Sizes) -> Place | None:
    """The place at the start of a slice, its first jobs made. None where Salesforce reads this object by no job, or
    has no jobs left to give: REST reads everything, only slower."""
    try:
        windows = windows_of(client, source.kind, source.stamp, whole, rows, most_rows=sizes.job_rows, path=source.path)
        return _begun(client, source, Place(tuple(Part(w) for w in windows), announced=rows))
    except (RequestRefused, PermissionMissing):
        return None
    except QuotaSpent as fault:
        if fault.code not in _NO_BULK_LEFT:
            raise
        return None


def read_jobs(client: Client, source: Source, place: Place, sizes: Sizes) -> Iterator[Batch]:
    """Everything from a place on. The last batch has a place without parts, and nothing to take away.

    Raises ShortAnswer where a job says that it had other rows than it sent, JobsFail where jobs fail again and again,
    TryAgainLater where one takes hours.
    """
    nothing = pl.DataFrame(schema=dict.fromkeys(source.fields, pl.String))
    while True:
        # Kept before anything is waited for: after a crash the jobs are found again by their ids.
        place = _begun(client, source, place)
        yield Batch(nothing, place)
        if place.ended is not None:
            jobs.take_away(client, paths.QUERY_JOBS, place.ended)
            place = replace(place, ended=None)
        if not place.parts:
            _prove_all(place, source)
            yield Batch(nothing, place)
            return
        for batch in _read_part(client, source, place, sizes):
            place = batch.place
            if batch.frame.height:
                yield batch


def _read_part(client: Client, source: Source, place: Place, sizes: Sizes) -> Iterator[Batch]:
    """The pages of the first part. Where its job failed, or is gone, the last place says what to do instead."""
    nothing = pl.DataFrame()
    part = place.parts[0]
    try:
        job = jobs.wait(client, paths.QUERY_JOBS, part.job or "")
        if job.state == "failed":
            yield Batch(nothing, _instead(place, source, job.reason, halve=True))
            return
        been = {place.locator}
        repeats = Repeats("a job")
        while place.parts and place.parts[0] is part:
            page = read_page(client, job.id, source.fields, place.locator, rows=sizes.page_rows)
            if page.locator is not None and page.locator in been:
                # Pages in a circle would be read until no calls are left.
                raise UnexpectedAnswer(f"Salesforce named the same place in the results over {source.kind} twice")
            been.add(page.locator)
            if "Id" in page.frame.columns:
                repeats.check(page.frame["Id"].drop_nulls())
            place = replace(place, locator=page.locator, rows=place.rows + page.frame.height)
            if page.locator is None:
                _prove(place.rows, job, source)
                place = _after(place, place.parts[1:], done=place.done + place.rows, ended=job.id)
            yield Batch(page.frame, place)
    except SliceLost as fault:
        yield Batch(nothing, _instead(place, source, fault.code, halve=False))


def _prove(rows: int, job: jobs.Job, source: Source) -> None:
    if job.rows is not None and rows < job.rows:
        raise ShortAnswer(f"Salesforce found {job.rows} rows of {source.kind} and sent {rows}; run again")
    if job.rows is not None and rows > job.rows:
        raise UnexpectedAnswer(f"Salesforce found {job.rows} rows of {source.kind} and sent {rows}, which is more")


def _prove_all(place: Place, source: Source) -> None:
    """Rows change while they are read, so that a first count is no proof; but half of them do not vanish."""
    if place.announced is not None and place.done * 2 < place.announced:
        text = f"Salesforce counted {place.announced} rows of {source.kind} and its jobs sent {place.done}; run again"
        raise ShortAnswer(text)


def _begun(client: Client, source: Source, place: Place) -> Place:
    """The place with a job for each of the first parts."""
    parts = list(place.parts)
    begun: list[str] = []
    for number, part in enumerate(parts[:AHEAD]):
        if part.job is None:
            query = soql.select(source.fields, source.kind, source.where(part.window.where(source.stamp)))
            body: dict[str, Any] = {"operation": _OPERATION[source.path], "query": query}
            body |= {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
            try:
                made = jobs.create(client, paths.QUERY_JOBS, body, asks=f"read access to the object {source.kind}")
            except ConnectorError:
                # No place names them yet.
                jobs.give_up(client, paths.QUERY_JOBS, begun)
                raise
            begun.append(made.id)
            parts[number] = replace(part, job=made.id)
    return replace(place, parts=tuple(parts))


def give_up(client: Client, resume: str | None) -> None:
    """Takes away the jobs of a place that nobody will go on from."""
    place = Place.parse(resume) if resume is not None else None
    if place is not None:
        known = (place.ended, *(part.job for part in place.parts))
        jobs.give_up(client, paths.QUERY_JOBS, [job for job in known if job is not None])


def _instead(place: Place, source: Source, reason: str | None, *, halve: bool) -> Place:
    """The place with the first part to be read anew, in two halves if it was too much at once."""
    part = place.parts[0]
    tries = part.tries + 1
    if tries >= _TRIES:
        text = f"Salesforce's bulk jobs over {source.kind} fail ({reason or 'no reason given'}); run again later"
        raise JobsFail(text, code=reason)
    halves = (part.window.halves() if halve else None) or (part.window,)
    # Rows that came already come again; saving is an upsert.
    parts = (*(Part(w, None, tries) for w in halves), *place.parts[1:])
    return _after(place, parts, done=place.done, ended=part.job if halve else None)


def _after(place: Place, parts: tuple[Part, ...], *, done: int, ended: str | None) -> Place:
    return Place(parts, done=done, ended=ended, announced=place.announced)


def _spelled(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)

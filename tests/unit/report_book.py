"""A small book of business for tests of the report, and the facts of its page."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import polars as pl

from flows.pipeline.reporting import HISTORY, REJECTS, AccountFacts, Member, ReportFacts, highest
from kammodel.entities import Contract
from kammodel.scoring import ScoredDay, explain_group, score_day
from kammodel.tiering.criteria import Language
from tests.unit.kam_world import AS_OF, CONFIG, STAMP, World

ACCOUNTS = 34
"""Enough buyers for three bins of RFM."""
VOID = frozenset({"meta", "br", "link", "img", "input", "base", "hr"})


def world(names: tuple[str, ...] = ()) -> World:
    """Accounts that bring less and less; the first of them carry `names`. The last three bring nothing at all."""
    made = World()
    for place in range(ACCOUNTS):
        id_ = f"{place:03}"
        made.account(id_, name=names[place] if place < len(names) else f"Company {place}", owner_id="ana")
        made.person(f"p{id_}", id_)
        if place >= ACCOUNTS - 3:
            continue
        for step, day in enumerate(("2024-03-10", "2025-03-10", "2025-11-10", f"2026-0{1 + place % 6}-05")):
            made.deal(id_, 1000.0 * (ACCOUNTS - place) * (1 + step * (place % 3)), close_on=dt.date.fromisoformat(day))
        if place % 2 == 0:
            made.deal(id_, 500.0 * place, status="open", probability=0.5, close_on=dt.date(2026, 9, 1))
            made.touch(id_, f"2026-0{1 + place % 6}-20", kind="meeting", person_ids=f"p{id_}")
        if place % 5 == 0:
            made.case(f"case{id_}", id_)
            made.cases[-1].update(priority="High", opened_at=STAMP - dt.timedelta(days=200), is_closed=False)
    made.deal("005", 900_000.0, close_on=dt.date(2025, 1, 15))
    contract = {"starts_on": dt.date(2025, 9, 1), "ends_on": dt.date(2026, 8, 31), "status": "Activated"}
    made.add(Contract, "k0", account_id="010", **contract)
    return made


def scored(book: World, language: Language = "en", previous: pl.DataFrame | None = None) -> ScoredDay:
    """The day with its portfolio."""
    return score_day(book.inputs(), replace(CONFIG, language=language), previous, with_portfolio=True)


@cache
def plain_day() -> ScoredDay:
    """The book without any names given, scored once."""
    return scored(world())


def facts(day: ScoredDay, *, most: int = 3, before: pl.DataFrame | None = None, page: str | None = None) -> ReportFacts:
    """What the page of a day is made of; each group was two points lower a month before."""
    chosen = highest(day)
    return ReportFacts(
        day=day,
        before=before,
        before_day=None if before is None else dt.date(2026, 3, 31),
        rejects=pl.DataFrame(schema=REJECTS),
        synced_at=STAMP,
        accounts=tuple(_account(day, group, page) for group in chosen["group_id"].head(most)),
        left_out=max(chosen.height - most, 0),
    )


def _account(day: ScoredDay, group_id: str, page: str | None) -> AccountFacts:
    found = explain_group(day, group_id)
    own = day.members.filter(pl.col("group_id") == group_id)
    group = own["group"][0]
    days = [dt.date(2026, 5, 31), AS_OF]
    history = {"as_of": days, "score": [(found.score or 2.0) - 2, found.score], "tier": ["growth", found.tier]}
    return AccountFacts(
        explanation=found,
        history=pl.DataFrame(history, schema=HISTORY),
        kpis=day.kpis.row(by_predicate=pl.col("group") == group, named=True),
        manager=own["name"][0],
        members=tuple(
            Member("salesforce", id_, name, page) for id_, name in own.select("source_id", "name").iter_rows()
        ),
    )


class Document(HTMLParser):
    """What a page holds: its tags with their attributes, its text, and whether each tag was closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All of it, blanks made one."""
        return " ".join(" ".join(self.texts).split())

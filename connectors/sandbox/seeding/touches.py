"""Invents activities: calls, emails, meetings, notes and tasks, done and planned, with people and without."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from connectors.sandbox.book import Deal, Seller, Touch, TouchKind
from connectors.sandbox.seeding.companies import LEFT, Account
from connectors.sandbox.seeding.timeline import Timeline
from connectors.sandbox.seeding.words import SUBJECTS

_KINDS: tuple[TouchKind, ...] = ("call", "email", "meeting", "note", "task")
_WEIGHTS = (30, 35, 15, 9, 11)
_PLANNED: tuple[TouchKind, ...] = ("call", "meeting", "task")


class Diary:
    """Writes the activities of one account after another.

    No two with the same first person fall on one day in one kind, unless they are meant to be the same meeting
    entered twice: Salesforce keeps one person of an activity, and both CRMs should count the same.
    """

    def __init__(self, line: Timeline, team: Sequence[Seller]) -> None:
        self.line = line
        self.active = [seller.id for seller in team if seller.active]
        self._taken: set[tuple[dt.date, TouchKind, int]] = set()
        self._last = 0

    def touches_of(self, account: Account, count: int, people: Sequence[int], deals: Sequence[Deal]) -> list[Touch]:
        """`count` activities of an account, numbered on from the last account's."""
        rng = self.line.rng
        made: list[Touch] = []
        for kind in rng.choices(_KINDS, _WEIGHTS, k=count):
            if made and made[-1].kind == kind == "meeting" and len(made[-1].people) == 1 and rng.random() < 0.05:
                made.append(replace(made[-1], id=self._number(), owner=rng.choice(self.active)))
            else:
                made.append(self._touch(account, kind, people, deals))
        return made

    def _touch(self, account: Account, kind: TouchKind, people: Sequence[int], deals: Sequence[Deal]) -> Touch:
        rng, line = self.line.rng, self.line
        planned = kind in _PLANNED and account.segment.halves[-1] > 0 and rng.random() < 0.08
        day = line.future_day(45) if planned else line.plain_day(account.segment.halves)
        chance = rng.random()
        with_whom = () if chance < 0.15 or not people else self._people(people, two=chance > 0.9)
        if with_whom:
            day = self._free(day, kind, with_whom[0], step=1 if planned else -1)
        at = line.at(day)
        created = self._created(at, planned=planned)
        deal = line.pick(deals) if deals and rng.random() < 0.25 else None
        return Touch(
            id=self._number(),
            kind=kind,
            at=at,
            owner=LEFT if at < line.left_at and not account.company.id % 11 else account.company.owner,
            created_at=created,
            updated_at=created,
            subject=line.pick(SUBJECTS[kind]),
            done=not planned and not (kind == "task" and rng.random() < 0.15),
            company=account.company.id,
            deal=deal.id if deal and not deal.deleted and deal.created_at <= created else None,
            people=with_whom,
            minutes=line.pick((15, 30, 45, 60, 90)) if kind in {"call", "meeting"} else None,
            inbound=rng.random() < 0.35 if kind in {"call", "email"} else None,
            deleted=rng.random() < 0.003,
        )

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _people(self, people: Sequence[int], *, two: bool) -> tuple[int, ...]:
        first = self.line.pick(people)
        others = [person for person in people if person != first]
        return (first, self.line.pick(others)) if two and others else (first,)

    def _free(self, day: dt.date, kind: TouchKind, person: int, step: int) -> dt.date:
        while (day, kind, person) in self._taken:
            day += dt.timedelta(days=step)
        self._taken.add((day, kind, person))
        return day

    def _created(self, at: dt.datetime, *, planned: bool) -> dt.datetime:
        rng, line = self.line.rng, self.line
        if planned:
            return line.at(line.today - dt.timedelta(days=rng.randint(1, 20)))
        if at <= line.loaded_at:
            return line.loaded_at
        late = dt.timedelta(days=rng.randint(2, 9)) if rng.random() < 0.03 else dt.timedelta(minutes=4)
        return min(line.now, at + late)

"""What a scripted run is made of: a CRM with people in it, kam at a desk before it, and the steps that they take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar

from connectors.contract import Connector, Provisioning
from connectors.retry import Patience
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from flows.pipeline import apply, plan, pull, score
from flows.results import ApplyReceipt
from kammodel.publish.fields import FIELDS
from kammodel.scoring import ScoringConfig
from kammodel.store import Store
from kammodel.tiering import load_policy

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NO_WAIT = Patience(sleep=lambda _: None)
World = dict[str, Any]
Ways = Mapping[str, Any]
"""How a process connects, where there is more than one way."""
Parts = Mapping[str, tuple[str, ...]]
"""What a pull is made of: names of streams that are read in one go, each time with a name of its own."""


class Place(Protocol):
    """An org, or a portal."""

    clock: Clock


T = TypeVar("T", bound=Place)


class FewStreams(Provisioning, Connector, Protocol):
    """Serves a few streams, if some are named: a pull of them alone, by a process that has signed in."""

    only: tuple[str, ...]


class Crm(Protocol[T]):
    """A server for the orgs or portals of one kind, and the run that is scripted for them."""

    @property
    def name(self) -> Literal["salesforce", "hubspot"]: ...

    @property
    def faults(self) -> Faults: ...

    def first(self) -> T:
        """What there is at the beginning."""
        ...

    def show(self, there: T) -> None:
        """Serves it, to a process that nothing is left for by another one."""
        ...

    def connector(self, there: T, ways: Ways) -> FewStreams: ...

    def steps(self, streams: Sequence[str]) -> Iterator[Step[T]]: ...

    def copied(self, there: T) -> T:
        """Another one with the same in it, and a clock of its own."""
        ...

    def held(self, there: T) -> World:
        """All records and what the setup holds, less their stamps."""
        ...

    def left_over(self) -> tuple[str, ...]:
        """What our calls have left in what is served, and is to be taken away again."""
        ...


@dataclass
class Desk(Generic[T]):
    """Kam at what a server shows: all is done by the connector of the moment."""

    crm: Crm[T]
    there: T
    store: Store
    ways: Ways = field(default_factory=dict)
    _connector: FewStreams | None = field(default=None, init=False)

    @property
    def connector(self) -> FewStreams:
        if self._connector is None:
            self._connector = self.crm.connector(self.there, self.ways)
        return self._connector

    def hang_up(self) -> None:
        """What comes next is done by a new process."""
        if self._connector is not None:
            self._connector.close()
        self._connector = None

    def sign_in(self) -> bool:
        """Signs in, and looks at what the CRM has."""
        self.connector.identify()
        return bool(self.connector.streams())

    def provision(self, language: str = "en") -> bool:
        self.connector.provision(FIELDS, language)
        return True

    def remove(self) -> bool:
        self.connector.remove(FIELDS)
        return True

    def pull(self, *streams: str) -> bool:
        """Of these streams, or of all."""
        self.connector.only = streams
        return not pull(self.connector, self.store, self.there.clock.now).is_partial

    def score(self) -> bool:
        return bool(score(self.store, self._config(), self.there.clock.now).groups)

    def publish(self) -> ApplyReceipt:
        """Plan, apply."""
        plan(self.connector, self.store, self._config(), self.there.clock.now)
        return apply(self.connector, self.store, None, self.there.clock.now)

    def write(self) -> bool:
        receipt = self.publish()
        return receipt.is_complete and receipt.written > 0

    def write_nothing(self) -> bool:
        receipt = self.publish()
        return receipt.is_complete and not receipt.written

    def run(self) -> bool:
        """What heals a write-back, of which some may be done."""
        return self.pull() and self.score() and self.publish().is_complete

    def _config(self) -> ScoringConfig:
        return ScoringConfig(
            as_of=self.there.clock.now().date(),
            timezone="Europe/Madrid",
            reporting_currency="EUR",
            system_of_record=self.crm.name,
            language="en",
            policy=load_policy(None),
            release="test",
        )


@dataclass(frozen=True)
class Step(Generic[T]):
    """A part of the run that is done in one go, and what a new process does where it was disturbed.

    Both say whether all was done. `happens`: what people do in the CRM before. `signs_in`: it begins a process, which
    connects in certain `ways`; else one that has signed in goes on with it. `writes`: into the CRM, or moves its clock.
    """

    name: str
    act: Callable[[Desk[T]], bool]
    again: Callable[[Desk[T]], bool]
    happens: Callable[[T], None] | None = None
    signs_in: bool = False
    writes: bool = False
    ways: Ways = field(default_factory=dict)


def an_hour_passes(there: T) -> None:
    there.clock.advance(HOUR)


def _pulled(desk: Desk[T], streams: tuple[str, ...]) -> bool:
    return desk.pull(*streams)


def pulled(
    parts: Parts,
    name: str,
    happens: Callable[[T], None] | None,
    ways: Ways | None = None,
    *,
    scores: bool = True,
) -> Iterator[Step[T]]:
    """A process reads the CRM, part by part, and scores if it is to."""
    given = ways or {}
    yield Step(f"{name}: sign-in", Desk.sign_in, Desk.sign_in, happens, signs_in=True, ways=given)
    for part, streams in parts.items():
        read = partial(_pulled, streams=streams)
        yield Step(f"{name}: {part}", read, read, ways=given)
    if scores:
        yield Step(f"{name}: scores", Desk.score, Desk.score, ways=given)

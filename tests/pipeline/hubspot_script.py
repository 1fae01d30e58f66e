"""Two weeks of a portal, step by step: what its people do, and what kam does then, by all the roads there are."""

from __future__ import annotations

import copy
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from connectors.contract import Stream
from connectors.hubspot import associations, ranges, reading, records, search, sweeping, writing
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping_file import Choice, Overrides
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot.kinds import COMPANIES, KINDS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.hubspot.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, PortalSettings
from flows.pipeline import chunks
from flows.pipeline import sweeping as sweeping_of_all
from tests.contract.hubspot_world import Front
from tests.pipeline import hubspot_people as people
from tests.pipeline.company import NOW, small_book
from tests.pipeline.steps import NO_WAIT, Desk, Step, Ways, World, an_hour_passes, pulled

_SIZES: tuple[tuple[Any, str, int], ...] = (
    (records, "BATCH", 20),
    (records, "BATCH_WITH_HISTORY", 20),
    (writing, "BATCH", 8),
    (reading, "ROWS", 60),
    (reading, "SCAN_FROM", 30),
    (ranges, "LEAST_PAGES", 1),
    (search, "PAGE", 12),
    (reading, "PAGE", 12),
    (associations, "AT_ONCE", 60),
    (associations, "FORMERLY", 10),
    (sweeping, "_ROWS", 100),
    (chunks, "ROWS", 60),
    (sweeping_of_all, "LINKED_AT_ONCE", 120),
)
"""So small that a small portal takes every road: pages, several ranges, batches, chunks and portions."""
_CALLS_AT_A_TIME = 3
_LISTS = ("owners", "pipeline_stages", "exchange_rates")
_ABSENT = frozenset({"emails", "meetings", "notes", "tasks", "communications", "products", "goal_targets"})
_CALCULATED = Overrides("kam.toml", "hubspot", {"accounts": {"employees": Choice(field="num_associated_deals")}})

APP: Ways = {"client_id": CLIENT_ID, "client_secret": SecretStr(CLIENT_SECRET), "refresh_token": REFRESH_TOKEN}
DATED: Ways = {"api_version": "2026-09"}
"""Of the dated versions the one that enforces what an administrator requires."""


class FewStreams(HubSpotConnector):
    """Serves a few streams, if some are named."""

    only: tuple[str, ...] = ()

    def streams(self) -> tuple[Stream, ...]:
        return tuple(s for s in super().streams() if not self.only or s.name in self.only)


@contextmanager
def small_sizes() -> Iterator[None]:
    """Pages, batches and chunks are small until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, size in _SIZES:
            patch.setattr(module, name, size)
        yield


@dataclass(frozen=True)
class ScriptedHubSpot:
    """HubSpot for a scripted run. `state`: where the tokens of an OAuth app are kept between its processes."""

    front: Front
    state: Path
    name: Literal["hubspot"] = "hubspot"

    @property
    def faults(self) -> Faults:
        return self.front.faults

    def first(self) -> Portal:
        """Records have more links than a page shows, and search has its bad days."""
        book = small_book(40)
        book = replace(book, touches=[touch for touch in book.touches if touch.kind == "call"][:90])
        knobs = PortalSettings(absent_kinds=_ABSENT, association_page_limit=2, search_disorder_every=3)
        portal = same_in(book, Clock(NOW), "hubspot", portal_settings=knobs).portal
        assert portal is not None
        return portal

    def show(self, there: Portal) -> None:
        shutil.rmtree(self.state, ignore_errors=True)
        self.front.show(there)

    def connector(self, there: Portal, ways: Ways) -> FewStreams:
        key = {} if "client_id" in ways else {"access_token": there.settings.access_token}
        settings = HubSpotSettings(**{"base_url": self.front.url, "parallel_calls": _CALLS_AT_A_TIME, **key, **ways})
        return FewStreams(settings, patience=NO_WAIT, state=self.state, overrides=_CALCULATED)

    def steps(self, streams: Sequence[str]) -> Iterator[Step[Portal]]:
        """Provisioning, then pulls (stream by stream), scores, plans and write-backs, and the removal of it all."""
        parts = {"lists": _LISTS} | {one: (one,) for one in streams if one not in _LISTS}
        yield Step("provisioning", Desk.provision, Desk.provision, signs_in=True, writes=True)
        yield from pulled(parts, "first load", None)
        yield Step("first writing", Desk.write, Desk.run, writes=True)
        yield from pulled(parts, "echo", an_hour_passes, scores=False)
        yield Step("echo: nothing to write", Desk.write_nothing, Desk.run, writes=True)
        for step in pulled(parts, "edits", people.work, APP):
            is_long = step.name == "edits: contacts"
            yield replace(step, act=_pull_contacts_too_late, writes=True) if is_long else step
        yield Step("edits: writing", Desk.write, Desk.run, writes=True, ways=APP)
        yield from pulled(parts, "deletions", people.tidy_up, DATED)
        yield Step("deletions: writing", _write_all_but_one, _run_all_but_one, writes=True, ways=DATED)
        yield from pulled({"opportunities": ("opportunities",)}, "unseen", people.edit_unseen, scores=False)
        yield Step("unseen: opportunities again", _pull_deals, _pull_deals, people.wait_twenty_minutes)
        yield from pulled(parts, "links", people.relink, APP, scores=False)
        yield from pulled(parts, "a week", people.let_a_week_pass)
        yield Step("a week: writing", Desk.write, Desk.run, writes=True)
        translate = partial(Desk.provision, language="es")
        yield Step("translation", translate, translate, writes=True)
        yield Step("removal", Desk.remove, Desk.remove, writes=True)

    def copied(self, there: Portal) -> Portal:
        definitions = [d for kind in KINDS for d in there.catalog.all(kind) if d.hubspot_defined]
        memo: dict[int, Any] = {id(one): one for one in (*KINDS, *definitions)}
        # Much quicker than to leave records to deepcopy.
        memo |= {id(one): one.copy() for kind in KINDS for one in there.shelf(kind).records.values()}
        memo |= {id(there.lock): threading.RLock(), id(there.clock): Clock(there.clock.now())}
        return copy.deepcopy(there, memo)

    def held(self, there: Portal) -> World:
        kept: World = {f"portal {kind.name}": _held(there.shelf(kind).records) for kind in KINDS}
        catalog = there.catalog
        definitions = [d for is_old in (False, True) for d in catalog.all(COMPANIES, archived=is_old)]
        kept["portal properties"] = {
            d.name: (d.archived_at is None, d.label, d.description, [o.as_json() for o in d.options])
            for d in definitions
        }
        return kept | {"portal groups": {g.name: g.as_json() for g in catalog.groups(COMPANIES)}}

    def left_over(self) -> tuple[str, ...]:
        return ()


def _held(of_a_kind: dict[int, Record]) -> dict[int, Any]:
    """Values with all they were before, by id: who writes twice is found out."""
    return {
        i: (
            r.archived_at is None,
            dict(r.values),
            {name: [v[::2] for v in past] for name, past in (r.history or {}).items()},
        )
        for i, r in of_a_kind.items()
    }


def _pull_contacts_too_late(desk: Desk[Portal]) -> bool:
    """The token is over by the time that contacts are read."""
    desk.there.clock.advance(31 * people.MINUTE)
    return desk.pull("contacts")


def _pull_deals(desk: Desk[Portal]) -> bool:
    return desk.pull("opportunities")


def _write_all_but_one(desk: Desk[Portal]) -> bool:
    """One account is refused, and the others of its batch are written."""
    receipt = desk.publish()
    return sum(receipt.faults.values()) == 1 and receipt.written > 0 and not (receipt.retry or receipt.stopped)


def _run_all_but_one(desk: Desk[Portal]) -> bool:
    if not (desk.pull() and desk.score()):
        return False
    receipt = desk.publish()
    return not (receipt.retry or receipt.stopped)

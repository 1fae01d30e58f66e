"""Gathers the tier changes that stand in CRMs into one digest per key account manager, and keeps these as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from flows.report.digest import digest_page
from flows.words import Words
from kammodel.entities import Account, Sourced, User
from kammodel.facts.cut import cut
from kammodel.facts.team import USER, managers
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.identity import COLUMNS, AccountGroups, account_groups
from kammodel.inputs import Inputs, asked
from kammodel.publish.digest import Digest, digests_of, groups_changed
from kammodel.scoring import ScoringConfig
from kammodel.store import Store, digests

FOLDER = "digests"
"""Under KAM_HOME."""

_TOLD = "last-plan"
"""File beside the days: the number of the last plan that managers were told of."""

Pages = Mapping[str, Callable[[str], str]]
"""By CRM, what gives the address of an account's page by its id."""


@dataclass(frozen=True)
class Kept:
    """A digest that is new: changes that these plans wrote. `file`: null where it could not be written, `fault` says
    why."""

    digest: Digest
    file: Path | None
    fault: str | None = None


def keep_digests(
    store: Store,
    config: ScoringConfig,
    pages: Callable[[], Pages],
    folder: Path,
    plan_ids: Collection[str],
    *,
    given: Given = NOTHING_GIVEN,
) -> tuple[Kept, ...]:
    """Writes the digests of the days of these plans, `<folder>/<as-of>/<slug>.md`, and gives the new ones.

    New is one with a change that one of these plans wrote and a text that was not in its file before: what goes on
    with a plan does not tell a manager the same again. Plans of a run that was killed before it came here are told of
    with the next one. A folder that cannot be written is no reason to fail.
    """
    last = _last_told(folder)
    with store.transaction() as tx:
        fresh = digests.plans_with_changes(tx, plan_ids, last)
    kept: list[Kept] = []
    for day in fresh["as_of"].unique().sort():
        made = digests_of_day(store, replace(config, as_of=day), pages(), given=given)
        own = [digest for digest in made if not set(fresh["plan_id"]).isdisjoint(digest.plans)]
        try:
            files = keep_pages(folder / day.isoformat(), made, Words(config.language), alone=True)
            keep_text(folder / _TOLD, str(max(last or 0, *fresh["number"])))
        except OSError as fault:
            why = f"{folder}: {fault.strerror or type(fault).__name__}; make room or grant it, then: kam digest --out"
            kept += [Kept(digest, None, why) for digest in own]
        else:
            kept += [Kept(digest, files[digest.slug]) for digest in own if digest.slug in files]
    return tuple(kept)


def last_applied_day(store: Store) -> dt.date | None:
    """The as-of day of the last plan that was applied; null where there is none."""
    with store.transaction() as tx:
        return digests.last_applied_day(tx)


def digests_of_day(
    store: Store, config: ScoringConfig, pages: Pages, *, crm: str | None = None, given: Given = NOTHING_GIVEN
) -> tuple[Digest, ...]:
    """The digests of `config.as_of`: of what every plan of that day wrote, into one CRM or into all.

    Managers and groups are those of now, with the assignments of the day: a digest goes to who looks after the account.
    """
    with store.transaction() as tx:
        cells = digests.tier_cells(tx, config.as_of)
    cells = cells if crm is None else cells.filter(pl.col("source") == crm)
    if cells.filter(pl.col("outcome") == "written").is_empty():
        return ()
    known = _inputs(store, given)
    grouping = account_groups(known.of(Account), config.system_of_record, given.frames.get("matches"))
    with store.transaction() as tx:
        changed = groups_changed(cells, grouping.members)
        scored = digests.scored_groups(tx, changed, config.as_of)

    def page_of(source: str, source_id: str) -> str | None:
        return pages[source](source_id) if source in pages else None

    kams = _kams(known, grouping, config)
    return digests_of(cells, grouping.members, kams, scored, as_of=config.as_of, page_of=page_of)


def keep_pages(folder: Path, made: Collection[Digest], say: Words, *, alone: bool = False) -> dict[str, Path]:
    """Writes a page per digest into a folder. The files by slug, without those whose text was the same before.

    `alone`: other pages there are removed; somebody else looks after their accounts now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fresh = {}
    for digest in made:
        file, text = folder / f"{digest.slug}.md", digest_page(digest, say)
        if file.is_file() and file.read_bytes() == text.encode():
            continue
        keep_text(file, text)
        fresh[digest.slug] = file
    slugs = {digest.slug for digest in made}
    for file in sorted(folder.glob("*.md")) if alone else ():
        if file.stem not in slugs:
            file.unlink()
    return fresh


def keep_text(file: Path, text: str) -> None:
    """Writes a file in one go: whoever reads along never sees half of it."""
    half = file.with_suffix(".part")
    half.write_bytes(text.encode())
    half.replace(file)


def _last_told(folder: Path) -> int | None:
    """The number of the last plan that managers were told of; null where nobody knows: then no old ones are dug up."""
    try:
        return int((folder / _TOLD).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _inputs(store: Store, given: Given) -> Inputs:
    """Accounts and users, without anything that there is much of."""
    columns = tuple(dict.fromkeys((*asked()[Account], *COLUMNS, "owner_id")))
    rows: dict[type[Sourced], pl.DataFrame] = {Account: store.read(Account, columns), User: store.read(User)}
    return Inputs(rows, read=frozenset(), synced_at=None, given=given)


def _kams(known: Inputs, grouping: AccountGroups, config: ScoringConfig) -> pl.DataFrame:
    """group, kam, owner (the name, null where the CRM does not tell it)."""
    moment = cut(config.as_of, config.timezone, None)
    chosen = managers(known.sources(grouping, moment, config.reporting_currency))
    names = known.of(User).select("source", "source_instance", user_id="source_id", owner="name")
    named = chosen.join(names, on=USER, how="left")
    return named.select("group", "owner", kam=pl.concat_str(USER, separator=":"))

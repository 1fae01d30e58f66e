"""Forgets a person or an account everywhere, and remembers by keyed hashes alone not to read them again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from flows.pipeline import kept_files
from flows.pipeline.leasing import nobody_else
from flows.pipeline.progress import Clock
from flows.results import ForgetReceipt
from kammodel.entities import Account, Person, Sourced
from kammodel.errors import KamError, NotConfigured
from kammodel.privacy.hashing import HashKey, bare_address
from kammodel.privacy.references import kind_of
from kammodel.store import Store, Transaction, mentions
from kammodel.store.erased import Erased, Org
from kammodel.store.finding import addresses_of, ended_persons, persons_with_address, records_with_id
from kammodel.store.forgetting import erase
from kammodel.store.suppressing import add_suppressed, entries_of

Kind = Literal["person", "account"]
_ENTITIES: dict[Kind, type[Sourced]] = {"person": Person, "account": Account}
MOST_NAMED = 10
"""Records of an address that a message names."""
_NEEDS_KEY = (
    "KAM_HASH_KEY is missing: what is forgotten is remembered by a keyed hash, or the next full load would bring it "
    "back. Set it to at least 16 characters, such as `openssl rand -hex 32` prints, and keep it"
)


@dataclass(frozen=True)
class Whom:
    """Who is to be forgotten: `given` is an id, or a person's address; `crm` where the id is not of one CRM only.
    `shared`: also where several records of one CRM have the address, which may be that of several people."""

    kind: Kind
    given: str
    crm: str | None = None
    shared: bool = False


@dataclass(frozen=True)
class Places:
    """Where kam keeps files of its own, and where people keep those that it reads."""

    home: Path
    inputs: Path | None = None


def forget(store: Store, whom: Whom, places: Places, clock: Clock, *, rehearsal: bool) -> ForgetReceipt:
    """Erases every record of a person or an account: the rows, what they were, what could not be read, ledger, plans,
    snapshots and files of kam; see `store.forgetting` for what goes with them. A `rehearsal` does all of it in the
    store, counts, and takes it back.

    Records with the same address are the same person, in both CRMs: whoever comes with it later is kept out. Where
    several of one CRM have it that are not deleted, that has to be said (`Whom.shared`), or the rehearsal alone shows
    them. An account is one record: the same company in the other CRM is forgotten by its own id. Users of the CRM, who
    are our own people, are not forgotten here.

    Nobody reads or writes an org of theirs meanwhile: a run that has begun would store again what it holds.

    Raises NotConfigured without KAM_HASH_KEY, KamError where nobody is found, an id or an address is of several; Taken
    where another run is at work on such an org.
    """
    if store.hash_key is None:
        raise NotConfigured(_NEEDS_KEY)
    began = time.perf_counter()
    with store.rehearsal() if rehearsal else store.transaction() as tx:
        act = _Act(tx, store.hash_key, replace(whom, shared=whom.shared or rehearsal))
        act.do(clock)
    is_wiped = rehearsal or store.wipe(sorted({*act.counts, *act.emptied}))
    wanted = kept_files.pattern_of(act.names, act.ids)
    searched = kept_files.Searched()
    if wanted is not None:
        searched = kept_files.search(places.home, store.file, places.inputs, wanted, clean=not rehearsal)
    return ForgetReceipt(
        kind=whom.kind,
        records=len(act.records),
        ids=tuple(act.records),
        entry=act.top,
        counts=dict(sorted((+act.counts).items())),
        emptied=dict(sorted((+act.emptied).items())),
        cleaned=searched.cleaned,
        left=searched.left,
        theirs=searched.theirs,
        is_wiped=is_wiped,
        is_rehearsal=rehearsal,
        seconds=round(time.perf_counter() - began, 3),
    )


class _Act:
    """What is done within the transaction, and what is known of it afterwards."""

    def __init__(self, tx: Transaction, key: HashKey, whom: Whom) -> None:
        self._tx, self._key, self._whom = tx, key, whom
        self._entity = _ENTITIES[whom.kind]
        self.counts, self.emptied = Counter[str](), Counter[str]()
        self.names: list[str] = []
        self.ids: list[str] = []
        self.records: list[str] = []
        self.top = ""

    def do(self, clock: Clock) -> None:
        by_org = self._by_org()
        with ExitStack() as alone:
            for org in by_org:
                alone.enter_context(nobody_else(self._tx, org.source, org.instance, clock))
            self._erase(by_org, clock)

    def _erase(self, by_org: dict[Org, list[str]], clock: Clock) -> None:
        addresses = {org: self._addresses(org, ids) for org, ids in by_org.items()}
        entries: list[pl.DataFrame] = []
        for org, ids in by_org.items():
            self.top = self.top or self._key.of_record(kind_of(self._entity), org.source, org.instance, ids[0])
            self._note_names(org, ids, addresses[org])
            done = erase(self._tx, org, {self._entity: ids})
            self._count(done)
            own = entries_of(self._key, org, done.ids, top=self.top)
            entries.append(self._with_addresses(own, org, addresses[org]))
        add_suppressed(self._tx, pl.concat(entries), clock())

    def _by_org(self) -> dict[Org, list[str]]:
        found = self._found()
        of_crm = found.filter(source=self._whom.crm) if self._whom.crm is not None else found
        if of_crm.is_empty():
            raise KamError(_NOBODY[self._whom.kind])
        if not self._is_address and of_crm.height > 1:
            orgs = ", ".join(f"{source} {instance}" for source, instance, _ in of_crm.iter_rows())
            raise KamError(
                f"several records have this id ({orgs}): name the CRM with --crm, or give source:instance:id"
            )
        same = [of_crm, *(self._same_persons(*row) for row in of_crm.iter_rows())]
        every = pl.concat(same).unique(maintain_order=True)
        self.records = [":".join(row) for row in every.iter_rows()]
        grouped = every.group_by("source", "source_instance", maintain_order=True)
        by_org = {Org(str(s), str(i)): rows["source_id"].to_list() for (s, i), rows in grouped}
        self._refuse_shared(by_org)
        return by_org

    def _refuse_shared(self, by_org: dict[Org, list[str]]) -> None:
        """What was deleted or merged away is another record of one person, most likely."""
        live = [len(set(ids) - ended_persons(self._tx, org, ids)) for org, ids in by_org.items() if len(ids) > 1]
        if not self._whom.shared and max(live, default=1) > 1:
            shown = ", ".join(self.records[:MOST_NAMED]) + (", ..." if len(self.records) > MOST_NAMED else "")
            raise KamError(
                f"{len(self.records):,} records have this address, several of them in one CRM: {shown}. It may be that "
                "of several people; to forget them all: --all. Nothing was done"
            )

    @property
    def _is_address(self) -> bool:
        return self._whom.kind == "person" and "@" in self._whom.given

    def _found(self) -> pl.DataFrame:
        given = self._whom.given.strip()
        if self._is_address:
            return persons_with_address(self._tx, self._key.of_address(given), bare_address(given))
        return records_with_id(self._tx, self._entity, given)

    def _same_persons(self, source: str, instance: str, source_id: str) -> pl.DataFrame:
        told = self._addresses(Org(source, instance), [source_id])
        found = [persons_with_address(self._tx, *one) for one in told.values()]
        return pl.concat([records_with_id(self._tx, self._entity, "").clear(), *found])

    def _addresses(self, org: Org, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        if self._whom.kind != "person":
            return {}
        known = addresses_of(self._tx, org, ids, self._key)
        # A row that was set aside has no column for it.
        asked = (self._key.of_address(self._whom.given), "") if self._is_address else None
        return (dict.fromkeys(ids, asked) if asked else {}) | known

    def _note_names(self, org: Org, ids: Sequence[str], addresses: dict[str, tuple[str, str]]) -> None:
        if self._whom.kind == "account":
            self.names += mentions.names_of(self._tx, org, ids)
        self.names += [text for one in addresses.values() for text in one if text]
        if self._is_address:
            self.names += [self._whom.given.strip(), bare_address(self._whom.given)]

    def _count(self, done: Erased) -> None:
        self.counts += done.counts
        self.emptied += done.emptied
        self.ids += sorted(done.ids.get(Account, set()) | done.ids.get(Person, set()))

    def _with_addresses(self, entries: pl.DataFrame, org: Org, addresses: dict[str, tuple[str, str]]) -> pl.DataFrame:
        kind = kind_of(self._entity)
        known = {self._key.of_record(kind, org.source, org.instance, i): hash_ for i, (hash_, _) in addresses.items()}
        return entries.with_columns(
            address_hash=pl.col("hash").replace_strict(known, default=None, return_dtype=pl.String)
        )


_NOBODY: dict[Kind, str] = {
    "person": "the store has no person with that id or address (addresses are known of persons that were read with "
    "KAM_HASH_KEY); nothing was done",
    "account": "the store has no account with that id; nothing was done",
}

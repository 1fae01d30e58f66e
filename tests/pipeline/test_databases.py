"""The whole job on PostgreSQL ends in the very rows in which it ends on SQLite, and says the same of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.retry import Patience
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, same_in, serving
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.salesforce.settings import OrgSettings
from flows import steps
from flows.pipeline import quiet
from flows.pipeline.health import standing
from flows.pipeline.undoing import plans_to_undo
from flows.recording import has_died
from flows.results import ApplyReceipt, PlanReceipt, RunReceipt
from flows.results.standing import Standing
from flows.runtime import Runtime
from flows.settings import settings_from
from flows.words import Words
from kammodel.entities import ENTITIES, Account
from kammodel.publish.fields import FIELDS, OURS
from kammodel.store import Store, approving, plans
from kammodel.store.snapshots import latest_snapshots
from tests.pipeline.company import HOUR, NOW, small_book
from tests.pipeline.salesforce_desk import LEAN
from tests.postgres import fresh_store

Crm = Literal["salesforce", "hubspot"]
_OF_THE_RUN = ("run_id", "recorded_at")


@dataclass
class Ended:
    """What there is in the end: tables of the store, our fields in the CRM, receipts, and what `kam status` tells."""

    tables: dict[str, pl.DataFrame]
    receipts: list[Any] = field(default_factory=list)
    status: Standing | None = None


@dataclass(frozen=True)
class Desk:
    """One CRM, a store at an address, and a program that is started anew for each command."""

    crm: Crm
    company: Company
    variables: dict[str, str]

    @contextmanager
    def command(self) -> Iterator[Runtime]:
        runtime = Runtime(
            settings_from(self.variables), clock=self.company.clock.now, patience=Patience(sleep=lambda _: None)
        )
        with runtime:
            yield runtime

    def run(self) -> RunReceipt:
        with self.command() as runtime:
            done = steps.run(runtime, None, full=False, progress=quiet)
        self.company.clock.advance(HOUR)
        return done

    def undo(self) -> tuple[PlanReceipt, ApplyReceipt]:
        """Of the newest plan, as `kam undo` does it."""
        with self.command() as runtime:
            with runtime.store.transaction() as tx:
                (newest,) = approving.recent_plans(tx, 1)
            (plan,) = plans_to_undo(runtime.store, newest.plan_id)
            planned = steps.keep_undo(runtime, steps.undo_of(runtime, plan, progress=quiet), progress=quiet)
            return planned, steps.apply(runtime, self.crm, planned.plan_id, progress=quiet)

    def edit(self, account: str, **values: str | None) -> None:
        """Somebody gives an account another name, and types values of theirs over our fields."""
        if self.company.org is not None:
            ours = {f"KAM_{key.title()}__c": value for key, value in values.items()}
            self.company.org.update("Account", account, {"Name": "Edited", **ours})
        if self.company.portal is not None:
            theirs = {f"kam_{key}": value or "" for key, value in values.items()}
            self.company.portal.update("companies", account, {"name": "Edited", **theirs})

    def delete(self, account: str) -> None:
        if self.company.org is not None:
            self.company.org.delete("Account", account)
        if self.company.portal is not None:
            self.company.portal.archive("companies", account)

    def status(self, runtime: Runtime) -> Standing:
        """Plans are called by what is drawn by lot."""
        now, say = self.company.clock.now(), Words("en")
        found = standing(runtime.store, [self.crm], now, dt.timedelta(hours=26), has_died, say=say)
        return replace(found, crms=tuple(replace(one, plan_id=None) for one in found.crms))

    def held(self, runtime: Runtime) -> pl.DataFrame:
        """Our fields in every account that is left in the CRM."""
        known = runtime.store.read(Account, ["source_id", "deleted"]).filter(~pl.col("deleted"))
        found = runtime.connector(self.crm).read_fields(OURS, known["source_id"].to_list())
        return pl.concat(list(found)).sort("source_id")


@contextmanager
def desk_of(crm: Crm, folder: Path, address: str | None) -> Iterator[Desk]:
    """With our fields in the CRM. Without an address the store is a file of the folder."""
    company = same_in(small_book(40), Clock(NOW), crm, org_settings=OrgSettings(**LEAN), portal_settings=unhurried())
    own = {"KAM_HOME": str(folder)} | ({} if address is None else {"KAM_STORE_URL": address})
    with serving(company) as served:
        desk = Desk(crm, company, served.environment() | own)
        with desk.command() as runtime:
            runtime.connector(crm).provision(FIELDS, "en")
        yield desk


def after_the_whole_job(crm: Crm, folder: Path, address: str | None) -> Ended:
    """A run; two accounts edited and one deleted; another run, and what that wrote is taken back."""
    with desk_of(crm, folder, address) as desk:
        first = desk.run()
        with desk.command() as runtime:
            scored = desk.held(runtime).filter(pl.col("tier") == "standard")["source_id"]
        typed, cleared, deleted, *_ = scored
        desk.edit(typed, tier="strategic")
        desk.edit(cleared, score=None)
        desk.delete(deleted)
        second, (planned, applied) = desk.run(), desk.undo()
        with desk.command() as runtime:
            tables = contents(runtime.store, crm) | {"the CRM": desk.held(runtime)}
            return Ended(tables, [*map(numbers, (first, second)), written(planned, applied)], desk.status(runtime))


def contents(store: Store, crm: Crm) -> dict[str, pl.DataFrame]:
    frames = {entity.__name__: store.read(entity) for entity in ENTITIES}
    with store.transaction() as tx:
        frames["snapshots"] = latest_snapshots(tx).drop(_OF_THE_RUN)
        frames["ledger"] = plans.ledger(tx, crm, frames["Account"]["source_instance"][0]).sort(pl.all())
    return frames


def numbers(run: RunReceipt) -> tuple[int, tuple[int, ...]]:
    """Rows read, and what became of the cells."""
    (pulled,), (back,) = run.pulls, run.write_backs
    return pulled.rows, written(back.plan, back.applied)


def written(planned: PlanReceipt, applied: ApplyReceipt) -> tuple[int, ...]:
    return (planned.cells_to_write, planned.cells_held, planned.cells_equal, applied.written)


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_both_databases_end_with_the_same_rows(crm: Crm, postgres: str, tmp_path: Path) -> None:
    """Rows, stamps, scores, ledger and fields in the CRM, to the last bit; only what a run is called differs."""
    on_sqlite = after_the_whole_job(crm, tmp_path / "sqlite", None)
    address = fresh_store(postgres).replace("postgresql://", "postgresql+psycopg://", 1)
    on_postgres = after_the_whole_job(crm, tmp_path / "postgres", address)
    assert [(tmp_path / folder / "kam.db").exists() for folder in ("sqlite", "postgres")] == [True, False]
    assert on_sqlite.tables["ledger"].height > 200
    for name, frame in on_sqlite.tables.items():
        assert_frame_equal(on_postgres.tables[name], frame, check_exact=True)
    assert on_postgres.receipts == on_sqlite.receipts
    (_, (first, *_)), (_, (second, held, *_)), (back, *_, taken) = on_sqlite.receipts
    assert (first > 200, second > 0, held, back, taken) == (True, True, 1, second, second)
    assert on_postgres.status == on_sqlite.status
    assert on_sqlite.status is not None
    assert on_sqlite.status.verdict == "healthy"

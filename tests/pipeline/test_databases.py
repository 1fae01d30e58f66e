"""The whole job on PostgreSQL ends in the very rows in which it ends on SQLite."""

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from kammodel.entities import ENTITIES
from kammodel.store import Store, plans
from kammodel.store.snapshots import latest_snapshots
from tests.pipeline.company import NOW, office, small_book
from tests.postgres import fresh_store

_OF_THE_RUN = ("run_id", "recorded_at")


def after_two_runs(folder: Path, url: str | None) -> dict[str, pl.DataFrame]:
    """Everything a store holds after a whole job and one more, an account edited and one deleted between."""
    folder.mkdir()
    company = same_in(small_book(40), Clock(NOW), "salesforce")
    assert company.org is not None
    with office(company, folder, url=url) as desk:
        desk.provision()
        desk.run()
        live = [a["Id"] for a in company.org.records("Account") if not a["IsDeleted"]]
        company.org.update("Account", live[0], {"Industry": "Edited"})
        company.org.delete("Account", live[1])
        desk.run()
        return contents(desk.store)


def contents(store: Store) -> dict[str, pl.DataFrame]:
    frames = {entity.__name__: store.read(entity) for entity in ENTITIES}
    with store.transaction() as tx:
        frames["snapshots"] = latest_snapshots(tx).drop(_OF_THE_RUN)
        frames["ledger"] = plans.ledger(tx, "salesforce", frames["Account"]["source_instance"][0]).sort(pl.all())
    return frames


def test_both_databases_end_with_the_same_rows(postgres: str, tmp_path: Path) -> None:
    """Rows, stamps, scores and ledger, to the last bit; only what a run is called differs."""
    on_sqlite = after_two_runs(tmp_path / "sqlite", None)
    on_postgres = after_two_runs(tmp_path / "postgres", fresh_store(postgres))
    assert on_sqlite["ledger"].height > 200
    for name, frame in on_sqlite.items():
        assert_frame_equal(on_postgres[name], frame, check_exact=True)

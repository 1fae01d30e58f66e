"""The plan of a whole book is what plain Python makes of all its accounts and fields, read one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.pipeline import apply, plan, score_day_of
from flows.pipeline.gating import approve
from flows.pipeline.planning import cadence_days
from kammodel.publish.fields import OURS
from kammodel.publish.rules import FieldRule, load_rules
from kammodel.scoring import wanted_values
from kammodel.store import plans
from tests.pipeline.company import HOUR, Office
from tests.pipeline.published import published
from tests.pipeline.test_undo_among_people import people_edit
from tests.property.plan_oracle import Book, Cell, brute
from tests.seed import SEED

CRMS = ("salesforce", "hubspot")
RULES: dict[str, FieldRule] = {"reason": "ours", "rfm": "fill-if-empty", "tier": "review"}


@pytest.fixture(params=CRMS)
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(crm: str, tmp_path: Path) -> Iterator[Office]:
    """Two months after all was written, people have worked on our fields."""
    with published(crm, tmp_path) as opened:
        people_edit(opened, crm, random.Random(f"{SEED} {crm}"))
        opened.clock.advance(60 * 24 * HOUR)
        opened.pull()
        yield opened


def everything(desk: Office, crm: str, rules: dict[str, FieldRule]) -> Book:
    """All that a plan is made of."""
    config, of = desk.config(), {"source": crm, "instance": desk.connectors[0].identify().instance}
    keys = tuple(f.key for f in OURS if f.key not in {"scored_on", "stamp"})
    made = Book(keys, OURS, config.as_of, cadence_days(config.policy), rules=rules)
    for row in wanted_values(score_day_of(desk.store, config), **of, fields=OURS, keeps_leavers=False).to_dicts():
        made.wanted |= _cells(row, keys)
    for account, row in desk.held_by(crm).items():
        made.now |= _cells({"source_id": account, **row}, [f.key for f in OURS])
    with desk.store.transaction() as tx:
        made.ours = set(plans.ledger(tx, **of).iter_rows())
    return made


def _cells(row: dict[str, str | None], keys: object) -> dict[Cell, str | None]:
    return {(str(row["source_id"]), key): row[key] for key in keys}  # type: ignore[attr-defined]


@pytest.mark.parametrize("own", [{}, RULES])
def test_a_plan_of_all_accounts_is_what_a_comparison_one_by_one_gives(
    desk: Office, crm: str, own: dict[str, FieldRule]
) -> None:
    """Right after it is written, and approved where it has to be, the next one has nothing to write."""
    expected = brute(everything(desk, crm, own))
    defaults = load_rules()
    rules = defaults.model_copy(update={"fields": defaults.fields | own})
    (connector,) = desk.connectors
    made = plan(connector, desk.store, desk.config(), desk.clock.now, full=True, rules=rules)
    with desk.store.transaction() as tx:
        cells = plans.cells_of(tx, made.plan_id).select("source_id", "field", "before", "after", "decision")
    found = {(account, key): tuple(told) for account, key, *told in cells.iter_rows()}
    assert found == {cell: one for cell, one in expected.items() if one[2] != "equal"}
    assert made.cells_equal == sum(one[2] == "equal" for one in expected.values())
    assert made.cells_held > 0
    assert made.cells_to_write + made.cells_to_review > 50
    if made.tripped or made.cells_to_review:
        approve(desk.store, made.hash, "Ana Ruiz", desk.clock.now)
    apply(connector, desk.store, None, desk.clock.now)
    again = plan(connector, desk.store, desk.config(), desk.clock.now, full=True, rules=rules)
    assert (again.cells_to_write, again.cells_to_review) == (0, 0)
    assert again.cells_held == made.cells_held

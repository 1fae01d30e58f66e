"""What people keep in KAM_INPUTS_DIR decides with what the CRM holds, in the score and in what is written."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import apply, plan, score, score_day_of
from kammodel.given import read_given
from tests.pipeline.company import NOW, office, small_book
from tests.pipeline.salesforce_desk import LEAN


def test_a_rating_in_a_file_reaches_the_account(tmp_path: Path) -> None:
    """Plan and score look at the same files."""
    company = same_in(small_book(40), Clock(NOW), "salesforce", org_settings=OrgSettings(**LEAN))
    with office(company, tmp_path) as desk:
        desk.provision()
        desk.pull()
        plain = score_day_of(desk.store, desk.config())
        unrated = plain.groups.join(plain.scores.frame, on="group").filter(
            pl.col("strategic_value").is_null() & pl.col("score").is_not_null()
        )
        account = unrated["group_id"][0].rsplit(":", 1)[1]
        folder = tmp_path / "inputs"
        folder.mkdir()
        (folder / "ratings.csv").write_text(f"account;strategic_value\n{account[:15]};10\nnobody;3\n", "utf-8")
        given = read_given(folder)
        receipt = score(desk.store, desk.config(), desk.clock.now, given=given)
        plan(desk.connectors[0], desk.store, desk.config(), desk.clock.now, given=given)
        apply(desk.connectors[0], desk.store, None, desk.clock.now)
        held = desk.held_by("salesforce")[account]["score"]
        rated = score_day_of(desk.store, desk.config(), given)
    assert receipt.unknown_accounts == {"ratings.csv": ("nobody",)}
    before, after = (day.scores.frame.filter(group=unrated["group"][0])["score"].item() for day in (plain, rated))
    assert held == str(after)
    assert after > before

"""An answer that no documentation knows, in the middle of a slice: what came before it stands."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from connectors.errors import UnexpectedAnswer
from flows.pipeline import chunks, pull
from kammodel.entities import Account
from kammodel.store import Store
from tests.pipeline.scripted import START, Row, ScriptedConnector


def odd(number: int, frame: pl.DataFrame) -> pl.DataFrame:
    if number == 1:
        raise UnexpectedAnswer("what is this?")
    return frame


def test_the_place_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run goes on from the page before."""
    monkeypatch.setattr(chunks, "ROWS", 2)
    crm = ScriptedConnector()
    for number in range(1, 6):
        crm.rows[f"a{number}"] = Row(f"Company {number}", START - dt.timedelta(days=1))
    crm.before_page = odd
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store:
        with pytest.raises(UnexpectedAnswer):
            pull(crm, store, lambda: START)
        crm.before_page = lambda _, frame: frame
        pull(crm, store, lambda: START)
        assert [resume for _, resume in crm.asked][:2] == [None, "a2"]
        assert store.read(Account, ["source_id"]).height == 5

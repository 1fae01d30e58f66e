"""What waits on disk comes back as it was, and goes with whoever held it."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.spilling import Spill

ROWS = pl.DataFrame({"group": [1, 2], "name": ["a", None]})


def test_pieces_come_back_in_order() -> None:
    spill = Spill()
    spill.append("rows", ROWS)
    spill.append("others", ROWS.clear())
    spill.append("rows", ROWS.reverse())
    assert spill.names() == ["rows", "others"]
    assert spill.frame("rows").equals(pl.concat([ROWS, ROWS.reverse()]))  # type: ignore[union-attr]
    assert spill.frame("others").equals(ROWS.clear())  # type: ignore[union-attr]
    assert spill.frame("never begun") is None


def test_what_is_dropped_takes_no_room() -> None:
    spill = Spill()
    spill.append("rows", ROWS)
    spill.flush()
    assert len(list(spill.folder.iterdir())) == 1
    spill.drop("rows")
    assert list(spill.folder.iterdir()) == []
    assert spill.frame("rows") is None


def test_the_folder_goes_after_an_error_too() -> None:
    folders = []

    def fails() -> None:
        spill = Spill()
        folders.append(spill.folder)
        spill.append("rows", ROWS)
        spill.flush()
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fails()
    assert not folders[0].exists()


def test_nobody_else_may_read_it() -> None:
    assert Spill().folder.stat().st_mode & 0o077 == 0

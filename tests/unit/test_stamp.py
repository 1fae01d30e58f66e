"""The stamp: an account's own proof of which of its values we wrote."""

import datetime as dt

import polars as pl

from kammodel.publish.fields import OURS
from kammodel.publish.plan import Comparison, Terms, compare, proven_ours
from kammodel.publish.rules import load_rules
from kammodel.publish.stamp import LENGTH, proven, stamps

DAY = dt.date(2026, 6, 30)
CELL = ["source_id", "field", "value"]
FIELDS = [f for f in OURS if f.key in {"tier", "score", "scored_on", "stamp"}]
NOTHING = pl.DataFrame(schema=dict.fromkeys(CELL, pl.String))


def cells(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(CELL, pl.String), orient="row")


def now(**values: str | None) -> pl.DataFrame:
    held = {"source_id": "a", "tier": None, "score": None, "scored_on": None, "stamp": None, **values}
    return pl.DataFrame([held], schema=dict.fromkeys(held, pl.String))


def planned(held: pl.DataFrame, tier: str, score: str = "50", ours: pl.DataFrame = NOTHING) -> Comparison:
    wanted = pl.DataFrame({"source_id": ["a"], "tier": [tier], "score": [score]})
    return compare(wanted, held, ours, Terms(FIELDS, DAY, {}))


def after(found: Comparison) -> dict[str, str | None]:
    """What the plan writes, by field."""
    return dict(found.to_write.select("field", "after").iter_rows())


def test_a_stamp_proves_its_cells_and_no_others() -> None:
    """The same value in another field, another value, or another account prove nothing."""
    stamped = stamps(cells(("a", "tier", "key"), ("a", "score", "50"), ("b", "tier", "growth"), ("c", "tier", None)))
    assert stamped["source_id"].to_list() == ["a", "b"]
    claimed = cells(("a", "tier", "key"), ("a", "rfm", "key"), ("a", "score", "51"), ("b", "tier", "key"))
    found = proven(claimed, stamped).filter(pl.col("field") != "stamp")
    assert found.rows() == [("a", "tier", "key")]


def test_a_stamp_is_the_same_in_every_store() -> None:
    """Written down, so that no later release takes old values for a person's."""
    stamped = stamps(cells(("a", "tier", "key"), ("a", "score", "50")))
    assert stamped["stamp"].item() == stamps(cells(("a", "score", "50"), ("a", "tier", "key")))["stamp"].item()
    assert stamped["stamp"].item() == "1.rTa0sJKq"


def test_a_stamp_fits_its_field() -> None:
    """Whatever the number of fields."""
    many = stamps(cells(*(("a", f"field_{n}", str(n)) for n in range(200))))
    assert many["stamp"].str.len_chars().item() <= LENGTH


def test_what_is_written_is_proven_by_the_stamp_written_with_it() -> None:
    """A lost ledger does not freeze us: the next change goes through, with nothing but what the CRM holds."""
    written = after(planned(now(), "key"))
    found = planned(now(**written), "growth")
    assert after(found).keys() == {"tier", "stamp"}
    assert found.held.is_empty()


def test_a_persons_value_is_not_proven() -> None:
    """It is held, is no part of a new stamp, and so stays a person's."""
    written = after(planned(now(), "key"))
    edited = now(**written | {"tier": "strategic"})
    found = planned(edited, "growth", score="60")
    assert found.held["field"].to_list() == ["tier"]
    assert set(after(found)) == {"score", "stamp"}
    later = now(**written | {"tier": "strategic"} | after(found))
    proof = proven_ours(later, FIELDS).filter(pl.col("field") != "stamp")
    assert set(proof["field"]) == {"score", "scored_on"}


def test_a_stamp_alone_is_no_reason_to_write() -> None:
    """An account without one, that holds what we want, gets it with its next change."""
    assert planned(now(tier="key", score="50", scored_on="2026-06-01"), "key").cells.is_empty()


def test_a_broken_stamp_proves_nothing_and_is_written_over() -> None:
    """Somebody typed in it; the ledger knows the rest."""
    ours = cells(("a", "tier", "key"), ("a", "score", "50"))
    found = planned(now(tier="key", score="50", stamp="hello"), "growth", ours=ours)
    assert "stamp" in after(found)
    assert planned(now(tier="key", score="50", stamp="hello"), "growth").held["field"].to_list() == ["tier"]


def test_passengers_go_the_way_of_their_account() -> None:
    """Where all of an account waits for review, so do its date and its stamp."""
    rules = load_rules().model_copy(update={"fields": {"default": "review"}})
    wanted = pl.DataFrame({"source_id": ["a"], "tier": ["key"], "score": ["50"]})
    found = compare(wanted, now(), NOTHING, Terms(FIELDS, DAY, {}, rules))
    assert found.to_write.is_empty()
    assert set(found.to_review["field"]) == {"tier", "score", "scored_on", "stamp"}

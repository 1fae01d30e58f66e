"""The plan: cell by cell, what we want against what we last wrote and what the CRM holds now; see `deciding`.

A *passenger* field (days since touch, scored on, the stamp) does not cause a write by itself: it is written along when
another field of the account is, so that an account is not written to every day just because a day passed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from kammodel.publish import stamp
from kammodel.publish.deciding import CELL, PASSENGERS, decided
from kammodel.publish.fields import CustomField, canonical, unrounded
from kammodel.publish.rules import PublishRules, load_rules

_OWN = ("scored_on", stamp.FIELD)
"""What the plan fills in itself."""
_CELLS = [*CELL, "before", "after", "decision", "reason"]
_LONGEST_CHAIN = 8
"""Merges in a row, between two comparisons."""
NOTHING_UNDONE = pl.DataFrame(schema=dict.fromkeys((*CELL, "undone"), pl.String))


@dataclass(frozen=True)
class Comparison:
    """`cells`: source_id, field, before, after, decision (write, review or held), reason. `equal`: source_id, field,
    value.

    `confirmed` (source_id, field, value): values of ours that the CRM holds though we want others, those of idle
    passengers too, and the stamps of ours on accounts that nothing is written to. The plan that wrote one may never
    have learned that it did, and ends with the next plan.
    """

    cells: pl.DataFrame
    equal: pl.DataFrame
    confirmed: pl.DataFrame

    @property
    def to_write(self) -> pl.DataFrame:
        return self.cells.filter(pl.col("decision") == "write")

    @property
    def held(self) -> pl.DataFrame:
        return self.cells.filter(pl.col("decision") == "held")

    @property
    def to_review(self) -> pl.DataFrame:
        return self.cells.filter(pl.col("decision") == "review")


@dataclass(frozen=True)
class Terms:
    """What a comparison is made by. `cadence_days`: tier to the days after which no touch is a change worth writing.
    `undone` (source_id, field, undone): values that were taken back."""

    fields: Sequence[CustomField]
    as_of: dt.date
    cadence_days: Mapping[str, int]
    rules: PublishRules = field(default_factory=load_rules)
    undone: pl.DataFrame = field(default_factory=NOTHING_UNDONE.clone)

    def has(self, key: str) -> bool:
        return any(f.key == key for f in self.fields)

    @property
    def wanted_keys(self) -> list[str]:
        """Keys of the fields of which somebody says what they should hold."""
        return [f.key for f in self.fields if f.key not in _OWN]


def compare(wanted: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame, terms: Terms) -> Comparison:
    """Decides each cell of the accounts that stand in both `wanted` and `now`.

    `wanted`, `now`: source_id and a text column per field key (`scored_on` and `stamp` are not in `wanted`), canonical
    and `unrounded`: a number with more decimals than we write may mean what we want, and is nothing that we wrote.
    `ours`: source_id, field, value: values that we wrote, or may have written; what the stamps of `now` prove to be
    ours counts as well, of cells that the ledger does not know, or not as they were written last.
    """
    cells = _long(wanted, terms.wanted_keys, "after").join(_held(now, terms), on=CELL)
    ours = ours.select(*CELL, "value")
    ours = pl.concat([ours, beyond_ledger(proven_ours(now, terms.fields), ours)]).unique(maintain_order=True)
    judged = decided(cells, ours, terms.rules, terms.undone)
    driven = _driven(judged, wanted, terms)
    told = pl.concat([_riding(judged, driven), _dates(now, ours, driven, terms)])
    told = pl.concat([told, _stamps(told, now, ours, driven, terms)])
    own = told.filter(pl.col("field").is_in(_OWN))
    is_ours = (pl.col("decision") != "equal") & pl.col("is_ours")
    return Comparison(
        cells=told.filter(pl.col("decision") != "equal").select(_CELLS).sort(CELL),
        equal=told.filter(pl.col("decision") == "equal").select(*CELL, value="after"),
        confirmed=pl.concat(
            [pl.concat([judged, own]).filter(is_ours).select(*CELL, value="before"), _idle(own, now, ours, terms)]
        ).sort(CELL),
    )


def plan_hash(source: str, instance: str, cells: pl.DataFrame) -> str:
    """Sixteen hexadecimal digits of what a plan would do to which org: the same cells give the same hash."""
    shown = cells.select(pl.col(_CELLS[:5]).cast(pl.String)).sort(CELL)
    text = shown.write_csv(None, null_value="\\N", quote_style="non_numeric", line_terminator="\n")
    return hashlib.sha256(f"{source}\n{instance}\n{text}".encode()).hexdigest()[:16]


def with_inherited(ours: pl.DataFrame, merges: pl.DataFrame) -> pl.DataFrame:
    """`ours`, and what we wrote to accounts that were merged away as values that their survivor may hold.

    A CRM's merge may give the survivor a value of the one merged into it: that is no person's. `merges`:
    source_id, merged_into_id (null where not merged); chains are followed, a ring of them ends.
    """
    steps = merges.drop_nulls("merged_into_id").select("source_id", "merged_into_id")
    found = [ours]
    for _ in range(_LONGEST_CHAIN):
        heirs = found[-1].join(steps, on="source_id").select("field", "value", source_id="merged_into_id")
        if heirs.is_empty():
            break
        found.append(heirs.select(ours.columns))
    return pl.concat(found).unique(maintain_order=True)


def canonical_frame(frame: pl.DataFrame, fields: Sequence[CustomField]) -> pl.DataFrame:
    """source_id and the text of each field whose key is a column of the frame, of what a CRM holds, as it is compared:
    `unrounded`."""
    present = [f for f in fields if f.key in frame.columns]
    return frame.select("source_id", *(unrounded(f, pl.col(f.key)).alias(f.key) for f in present))


def _long(frame: pl.DataFrame, keys: Sequence[str], value: str) -> pl.DataFrame:
    present = [key for key in keys if key in frame.columns]
    if not present:
        return pl.DataFrame(schema=dict.fromkeys((*CELL, value), pl.String))
    texts = frame.select("source_id", pl.col(present).cast(pl.String))
    return texts.unpivot(index="source_id", variable_name="field", value_name=value)


def _held(now: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """source_id, field, before, and `meant`: what that is at the decimals that we write."""
    numbers = [canonical(f, pl.col(f.key)).alias(f.key) for f in terms.fields if f.is_number and f.key in now.columns]
    before = _long(now, terms.wanted_keys, "before")
    return before.with_columns(meant=_long(now.with_columns(numbers), terms.wanted_keys, "meant")["meant"])


def proven_ours(now: pl.DataFrame, fields: Sequence[CustomField]) -> pl.DataFrame:
    """source_id, field, value: what the stamps of accounts prove to be ours of the cells that they hold."""
    if stamp.FIELD not in now.columns:
        return pl.DataFrame(schema=dict.fromkeys((*CELL, "value"), pl.String))
    keys = [f.key for f in fields if f.key != stamp.FIELD]
    stamped = now.select("source_id", pl.col(stamp.FIELD).cast(pl.String))
    return stamp.proven(_long(now, keys, "value"), stamped)


def beyond_ledger(proven: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """What stamps prove (source_id, field, value), less what the ledger, `ours`, knows better: where it knows the stamp
    itself, it is as new as that, and a stamp signs what we wrote before a person had the cell, too."""
    stamps = proven.filter(pl.col("field") == stamp.FIELD).join(ours, on=[*CELL, "value"], how="semi")
    told = ours.join(stamps.select("source_id"), on="source_id", how="semi")
    return proven.join(told, on=CELL, how="anti")


def _driven(cells: pl.DataFrame, wanted: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """source_id and `drive` of the accounts with something worth a write: write, or review where a person has to
    approve all of it."""
    tier = pl.col("tier").replace_strict(dict(terms.cadence_days), default=None, return_dtype=pl.Float64)
    limits = wanted.select("source_id", limit=tier if "tier" in wanted.columns else pl.lit(None, pl.Float64))
    before, after = (pl.col(c).cast(pl.Float64, strict=False) for c in ("before", "after"))
    crossed = ((before > pl.col("limit")) != (after > pl.col("limit"))).fill_null(value=False)
    appeared = pl.col("before").is_null() != pl.col("after").is_null()
    touch = (pl.col("field") == "days_since_touch") & (crossed | appeared)
    changes = cells.filter(pl.col("decision").is_in(["write", "review"])).join(limits, on="source_id", how="left")
    drivers = changes.filter(~pl.col("field").is_in(PASSENGERS) | touch)
    if terms.rules.rule_of("days_since_touch") == "review":
        drivers = drivers.with_columns(decision=pl.when(touch).then(pl.lit("review")).otherwise("decision"))
    return drivers.group_by("source_id").agg(drive=pl.col("decision").max()).sort("source_id")


def _riding(cells: pl.DataFrame, driven: pl.DataFrame) -> pl.DataFrame:
    """The cells, less the passengers of accounts that nothing is written to; the others go as their account does."""
    rides = (pl.col("field").is_in(PASSENGERS)) & (pl.col("decision") == "write")
    judged = cells.join(driven, on="source_id", how="left", maintain_order="left")
    told = judged.with_columns(decision=pl.when(rides).then("drive").otherwise("decision"))
    return told.filter(pl.col("decision").is_not_null()).select(cells.columns)


def _dates(now: pl.DataFrame, ours: pl.DataFrame, driven: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The `scored_on` cells: the as-of day where another cell is written, else what stands there."""
    held = _long(now, ["scored_on"] if terms.has("scored_on") else [], "before")
    dated = held.join(driven, on="source_id", how="semi").with_columns(after=pl.lit(terms.as_of.isoformat()))
    return _riding(
        decided(dated.select(*CELL, "before", "after", meant="before"), ours, terms.rules, NOTHING_UNDONE), driven
    )


def _stamps(
    cells: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame, driven: pl.DataFrame, terms: Terms
) -> pl.DataFrame:
    """The `stamp` cells of the accounts that are written to: signs of all that will be ours in them."""
    held = _long(now, [stamp.FIELD] if terms.has(stamp.FIELD) else [], "before").join(driven, on="source_id")
    will_be = (pl.col("decision") == "equal") | (pl.col("decision") == pl.col("drive"))
    value = pl.when(will_be).then("after").when("is_ours").then("before")
    signed = stamp.stamps(cells.join(driven, on="source_id").select(*CELL, value=value))
    joined = held.join(signed.rename({stamp.FIELD: "after"}), on="source_id", how="left", maintain_order="left")
    return _riding(
        decided(joined.select(*CELL, "before", "after", meant="before"), ours, terms.rules, NOTHING_UNDONE), driven
    )


def _idle(own: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The dates and stamps of ours that stand where nothing is written: source_id, field, value."""
    held = _long(now, [key for key in _OWN if terms.has(key)], "value").drop_nulls("value")
    idle = held.join(own, on=CELL, how="anti")
    return idle.join(ours.select(*CELL, "value").unique(), on=[*CELL, "value"], how="semi")

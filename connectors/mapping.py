"""Mappings: ours <- theirs + codec, declared as data; turns a page of text into a typed frame of one entity.

The list of fields that is asked of a CRM is derived from the mapping, and so is its fingerprint.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl

from connectors.codecs import Codec, filled
from kammodel.entities import Sourced, polars_schema


@dataclass(frozen=True)
class Line:
    """One column of ours, made from one or more of theirs.

    `optional`: an org may lack the field; it is then left out and the column is null. `derived`: the
    connector makes the column itself, it is not asked of the CRM.
    """

    ours: str
    theirs: str | tuple[str, ...]
    codec: Codec
    optional: bool = False
    derived: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.theirs,) if isinstance(self.theirs, str) else self.theirs


@dataclass(frozen=True)
class Mapping:
    """How rows of a CRM become rows of `entity`. One line must fill `source_id`."""

    entity: type[Sourced]
    lines: tuple[Line, ...]

    def asked(self) -> list[str]:
        """The fields to ask of the CRM, each once, in the order of the lines."""
        return list(dict.fromkeys(c for line in self.lines if not line.derived for c in line.columns))

    def optional(self) -> set[str]:
        """The fields that may be missing: asked for by optional lines only."""
        needed = {c for line in self.lines if not line.optional for c in line.columns}
        return set(self.asked()) - needed

    def without(self, missing: set[str]) -> Mapping:
        """The mapping less the lines that need a field which is not there."""
        return Mapping(self.entity, tuple(ln for ln in self.lines if missing.isdisjoint(ln.columns)))

    def raw_schema(self) -> dict[str, pl.DataType]:
        """The text columns that a page must have."""
        return {c: pl.String() for line in self.lines for c in line.columns}

    def fingerprint(self) -> str:
        """Changes when a line or a codec changes: the stream is then loaded in full again."""
        lines = [f"{ln.ours}<-{'+'.join(ln.columns)}:{ln.codec.name}" for ln in self.lines]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Normalized:
    """A page after the mapping.

    `rows`: the entity's columns less the store's own, typed. `rejects`: source_id, field, reason, raw (the
    row as JSON), one row for each row that was set aside. Together they are all rows of the page, less those
    that a later row of the same id has replaced.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def height(self) -> int:
        """Rows of both kinds."""
        return self.rows.height + self.rejects.height


REJECTS = {"source_id": pl.String, "field": pl.String, "reason": pl.String, "raw": pl.String}


def normalize(raw: pl.DataFrame, mapping: Mapping) -> Normalized:
    """Turns text columns into the entity's types. A row with an unreadable value, or without an id, is set aside.

    `raw` has the columns of `mapping.raw_schema()`, all text. Of two rows with one id the last counts, be it
    readable or not: an older version must not pass for the newer one.
    """
    decoded = [ln.codec.decode(*(pl.col(c) for c in ln.columns)).alias(ln.ours) for ln in mapping.lines]
    fallible = [(i, ln) for i, ln in enumerate(mapping.lines) if not ln.codec.total]
    came = [_came(ln).alias(f"came:{i}") for i, ln in fallible]
    wide = raw.select(_kept_raw(mapping), *decoded, *came)
    unreadable = [(f"fault:{i}", pl.col(f"came:{i}") & pl.col(ln.ours).is_null()) for i, ln in fallible]
    faults = [pl.when(is_bad).then(pl.lit(name)) for name, is_bad in unreadable]
    nameless = pl.when(pl.col("source_id").is_null()).then(pl.lit("fault:id"))
    judged = _latest(wide.with_columns(fault=pl.coalesce(*faults, nameless)))
    return Normalized(_accepted(judged, mapping), _rejected(judged, mapping))


def _kept_raw(mapping: Mapping) -> pl.Expr:
    """A row as it is set aside: as it came, less what must not be kept as it came."""
    sealed = {ln.columns[0]: ln.codec.decode(pl.col(ln.columns[0])) for ln in mapping.lines if ln.codec.seals}
    others = pl.all().exclude(*sealed) if sealed else pl.all()
    return pl.struct(others, *(expr.alias(name) for name, expr in sealed.items())).alias("raw")


def _came(line: Line) -> pl.Expr:
    """Whether the CRM sent anything for a line."""
    return pl.any_horizontal(filled(pl.col(c)).is_not_null() for c in line.columns)


def _latest(judged: pl.DataFrame) -> pl.DataFrame:
    """The last row of each id, and all rows without one."""
    return judged.filter(pl.col("source_id").is_null() | pl.col("source_id").is_last_distinct())


def _accepted(judged: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    schema = polars_schema(mapping.entity)
    present = {ln.ours for ln in mapping.lines}
    defaults = {"deleted": False, "is_counted": True, "is_calendar": False}
    columns = [
        (pl.col(name) if name in present else pl.lit(None)).cast(dtype).fill_null(defaults[name]).alias(name)
        if name in defaults
        else (pl.col(name) if name in present else pl.lit(None, dtype=dtype)).cast(dtype).alias(name)
        for name, dtype in schema.items()
        if name not in {"source", "source_instance", "synced_at", "content_changed_at"}
    ]
    return judged.filter(pl.col("fault").is_null()).select(columns)


def _rejected(judged: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    bad = judged.filter(pl.col("fault").is_not_null())
    if bad.is_empty():
        return pl.DataFrame(schema=REJECTS)
    fields = {f"fault:{i}": "+".join(ln.columns) for i, ln in enumerate(mapping.lines)}
    reasons = {f"fault:{i}": f"not readable as {ln.codec.name}" for i, ln in enumerate(mapping.lines)}
    raw_json = pl.col("raw").struct.json_encode()
    return bad.select(
        # A row without an id still has to be kept once: its content stands in for the id.
        source_id=pl.col("source_id").fill_null(pl.format("row-{}", raw_json.hash(seed=0))),
        field=pl.col("fault").replace_strict(fields | {"fault:id": "id"}, return_dtype=pl.String),
        reason=pl.col("fault").replace_strict(reasons | {"fault:id": "missing"}, return_dtype=pl.String),
        raw=raw_json,
    )


def meaning_of(stages: pl.DataFrame) -> str:
    """Sixteen hexadecimal digits of what the stages of a CRM stand for; none where there are none."""
    if stages.is_empty():
        return ""
    told = stages.select(sorted(stages.columns)).sort(pl.all()).write_csv()
    return hashlib.sha256(told.encode()).hexdigest()[:16]

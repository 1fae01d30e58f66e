"""Shards of a day that other processes compute, each from the store as it reads it: what is asked of them, and what
they send back."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from kammodel.entities import Sourced
from kammodel.facts.cut import cut
from kammodel.given import Given
from kammodel.inputs import LARGE, Inputs, Stamps, asked
from kammodel.known import Known, ScoringConfig, grouped
from kammodel.numbering import Lookup, Numbers, number
from kammodel.sharded import ShardedDay, Told
from kammodel.sharding import sharded
from kammodel.shards import Shards
from kammodel.spilling import Spill
from kammodel.store import Store

_FIGURES = "figures"
_MARK = number("")
"""How the name of a column of numbers ends."""


@dataclass(frozen=True)
class Sorted:
    """What a process learned of all rows while it sorted them: the same for whoever read the same rows.

    `inputs_fingerprint`: by it one sees whether they did. `synced_at`, `stamps`, `counts`: as in `Inputs` and `Shards`.
    `touched` (by name of the entity) and `currencies`: those of `Shards`, as Arrow IPC.
    """

    inputs_fingerprint: str
    synced_at: dt.datetime | None
    stamps: Stamps
    counts: Mapping[str, int]
    touched: Mapping[str, bytes]
    currencies: bytes


@dataclass(frozen=True)
class Piece:
    """What a shard says, as bytes to be sent: frames by name as Arrow IPC, columns of few bytes.

    `ids`: by column of numbers (see `numbering.Numbers`) the ids behind them: those of another process say nothing.
    """

    frames: Mapping[str, bytes]
    ids: Mapping[str, bytes]
    counts: Mapping[str, int]
    sorted: Sorted


Elsewhere = Callable[[ScoringConfig, Given, int], Generator[Piece]]
"""Has so many shards of a day computed, with these files; gives the pieces in the order of shards."""


def shards_of(store: Store, given: Given, shard_rows: int) -> int:
    """How many shards keep each of them at about so many rows."""
    rows = sum(store.count(entity) for entity in LARGE if entity in asked(given.rollups))
    return max(1, -(-rows // max(1, shard_rows)))


class DayElsewhere:
    """A day in the process that computes some of its shards: all rows sorted once. A shard may be asked for twice."""

    def __init__(self, inputs: Inputs, config: ScoringConfig, shards: int) -> None:
        moment = cut(config.as_of, config.timezone, inputs.synced_at)
        small = inputs.small().as_known(moment)
        rows = sharded(inputs, small, moment, grouped(small, config), shards)
        rows.stays = True
        rows.spill.flush()
        self._day, self._numbers = ShardedDay(config, rows), inputs.numbers
        self._sorted = Sorted(
            inputs_fingerprint=small.fingerprint(moment.at, rows.stamps),
            synced_at=inputs.synced_at,
            stamps=rows.stamps,
            counts=dict(rows.counts),
            touched={entity.__name__: _packed(groups.to_frame("group")) for entity, groups in rows.touched.items()},
            currencies=_packed(rows.currencies.sort(rows.currencies.columns)),
        )

    def piece(self, shard: int) -> Piece:
        """Computes a shard."""
        told = self._day.computed(shard)
        numbered: dict[str, list[pl.Series]] = {}
        for frame in told.frames.values():
            for name in _numbered(frame):
                numbered.setdefault(name, []).append(frame[name])
        return Piece(
            frames={name: _packed(frame) for name, frame in {**told.frames, _FIGURES: told.figures}.items()},
            ids={name: _packed(self._numbers.ids(pl.concat(columns))) for name, columns in numbered.items()},
            counts=dict(told.counts),
            sorted=self._sorted,
        )


def known_elsewhere(
    small: Inputs, config: ScoringConfig, pieces: Iterable[Piece], shards: int, previous: pl.DataFrame | None
) -> Known | None:
    """As `known_kpis`, from the pieces of all shards, in their order: to the same figures. `small`: the inputs less
    LARGE entities.

    None where not all have read the same rows: the store changed meanwhile.
    """
    day: ShardedDay | None = None
    for piece in pieces:
        if day is None:
            told, day = piece.sorted, _begun(small, config, shards, piece.sorted)
        if piece.sorted.inputs_fingerprint != told.inputs_fingerprint:
            return None
        day.keep(_unpacked(piece, small.numbers))
    if day is None:
        raise ValueError("no shard was computed")
    known = day.known(previous)
    return known if known.inputs_fingerprint == told.inputs_fingerprint else None


def _begun(small: Inputs, config: ScoringConfig, shards: int, told: Sorted) -> ShardedDay:
    inputs = replace(small, synced_at=told.synced_at)
    moment = cut(config.as_of, config.timezone, inputs.synced_at)
    inputs = inputs.as_known(moment)
    rows = Shards(shards, inputs, moment, grouped(inputs, config), Spill())
    rows.stamps, rows.currencies = told.stamps, _frame(told.currencies)
    rows.counts.update(told.counts)
    by_name: dict[str, type[Sourced]] = {entity.__name__: entity for entity in LARGE}
    rows.touched = {by_name[name]: _frame(groups)["group"] for name, groups in told.touched.items()}
    return ShardedDay(config, rows)


def _unpacked(piece: Piece, numbers: Numbers) -> Told:
    ours = {name: _renumbered(name, _frame(ids), numbers) for name, ids in piece.ids.items()}
    frames = {name: _frame(content) for name, content in piece.frames.items()}
    figures = frames.pop(_FIGURES)
    told = {
        name: frame.with_columns(ours[column].of(frame[column]).alias(column) for column in _numbered(frame))
        for name, frame in frames.items()
    }
    return Told(figures, told, piece.counts)


def _renumbered(name: str, ids: pl.DataFrame, numbers: Numbers) -> Lookup:
    """From the numbers of another process to ours."""
    column = name.removesuffix(_MARK)
    known = numbers.with_numbers(ids.rename({"id": column}), [column])
    return Lookup(ids["number"], known[name])


def _numbered(frame: pl.DataFrame) -> Iterator[str]:
    return (name for name in frame.columns if name.endswith(_MARK))


def _packed(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_ipc(content, compression="zstd")
    return content.getvalue()


def _frame(content: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(content))

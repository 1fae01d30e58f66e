"""Reads the files of KAM_INPUTS_DIR into frames, and tells everything that is wrong in them at once."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from kammodel.digest import digest
from kammodel.errors import NotConfigured
from kammodel.given.cells import Cells, Separator, read_cells
from kammodel.given.declaring import Column, GivenFile
from kammodel.given.faults import KEPT, Fault, invalid
from kammodel.given.files import FILES

if TYPE_CHECKING:
    from kammodel.rollups import Rollup

_SAVE_AGAIN = "save it again as CSV UTF-8"


@dataclass(frozen=True)
class Given:
    """`frames`: one for each of FILES, None where the file is not there. `rollups`: those of rollups.toml.
    `fingerprint` changes when a cell does."""

    frames: Mapping[str, pl.DataFrame | None] = field(default_factory=lambda: {one.name: None for one in FILES})
    fingerprint: str = ""
    rollups: tuple[Rollup, ...] = ()


NOTHING_GIVEN = Given()


def read_given(folder: Path | None) -> Given:
    """The frames of a folder; without one, nothing is given.

    UTF-8, with or without the mark that Excel puts first; commas or semicolons; the first line names the columns,
    in any order, those that are not required may be missing. Lines that are empty throughout are passed over.
    NotConfigured where there is no such folder, GivenInvalid with every fault of every file.
    """
    if folder is None:
        return NOTHING_GIVEN
    if not folder.is_dir():
        raise NotConfigured(f"KAM_INPUTS_DIR: {folder} is no folder that can be read: make it, or unset the variable")
    faults = list(_strangers(folder))
    frames: dict[str, pl.DataFrame | None] = {one.name: None for one in FILES}
    prints: dict[str, str] = {}
    for one in FILES:
        path = folder / one.filename
        if path.is_file():
            content, found = _content(path)
            faults += found
            if content is not None:
                frames[one.name], found = _read_file(one, content)
                faults += found
                prints[one.name] = sha256(content).hexdigest()
    rollups, found = _rollups(folder, prints)
    faults += found
    if faults:
        raise invalid(str(folder), faults[:KEPT], max(0, len(faults) - KEPT))
    return Given(frames, digest(prints) if prints else "", rollups)


def _rollups(folder: Path, prints: dict[str, str]) -> tuple[tuple[Rollup, ...], list[Fault]]:
    # Late: that they are wrong is told as it is of files, so that they know of this package too.
    from kammodel.rollups import FILENAME, parse_rollups

    path = folder / FILENAME
    names = [found.name for found in sorted(folder.glob("*.toml"))]
    near = get_close_matches(FILENAME, [name for name in names if name != FILENAME], cutoff=0.8)
    strangers = [Fault(name, None, None, f"kam reads no such file; did you mean {FILENAME}?") for name in near]
    if not path.is_file():
        return (), strangers
    content, faults = _content(path)
    if content is None:
        return (), faults
    prints[FILENAME] = sha256(content).hexdigest()
    try:
        return parse_rollups(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return (), [Fault(FILENAME, None, None, "is not UTF-8 text: save it again as UTF-8")]


def _strangers(folder: Path) -> Iterator[Fault]:
    """CSV files that nothing reads: a typing error would pass unseen."""
    known = [one.filename for one in FILES]
    for path in sorted(folder.glob("*.csv")):
        if path.name not in known:
            near = get_close_matches(path.name.lower(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"kam reads {', '.join(known)}"
            yield Fault(path.name, None, None, f"kam reads no such file; {hint}")


def _content(path: Path) -> tuple[bytes | None, list[Fault]]:
    try:
        return path.read_bytes(), []
    except OSError as fault:
        return None, [Fault(path.name, None, None, f"cannot be read: {fault.strerror or type(fault).__name__}")]


def _read_file(one: GivenFile, content: bytes) -> tuple[pl.DataFrame | None, list[Fault]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, [Fault(one.filename, None, None, f"is not UTF-8 text: {_SAVE_AGAIN}")]
    return parsed(one, text)


def parsed(one: GivenFile, text: str) -> tuple[pl.DataFrame | None, list[Fault]]:
    """The frame of a file's text (`GivenFile.schema`), or None and what is wrong in it, in order of lines."""
    if not text.strip():
        return None, [Fault(one.filename, None, None, "is empty: its first line names the columns")]
    header = text.splitlines()[0]
    separator: Separator = ";" if header.count(";") > header.count(",") else ","
    try:
        raw = _table(text, separator)
    except pl.exceptions.PolarsError:
        return None, [_broken_table(one, text, separator)]
    faults = _wrong_columns(one, raw)
    if faults:
        return None, faults
    rows = _rows(one, raw)
    frame, faults = _typed(one, rows, separator)
    faults += _wrong_rows(one, frame, {fault.line for fault in faults})
    return (None if faults else frame), sorted(faults, key=lambda fault: fault.line or 0)


def _table(text: str, separator: Separator) -> pl.DataFrame:
    """Every cell as text, header included: names twice are for us to tell."""
    return pl.read_csv(io.BytesIO(text.encode()), separator=separator, has_header=False, infer_schema=False)


def _broken_table(one: GivenFile, text: str, separator: Separator) -> Fault:
    """Where a line has more cells than the first one, or a quotation mark is never closed."""
    width = text.splitlines()[0].count(separator) + 1
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(separator) >= width and '"' not in line:
            return Fault(
                one.filename, number, None, f"has more than {width} cells: put text with a {separator} in quotes"
            )
    return Fault(
        one.filename, None, None, f"is no CSV: a quotation mark is not closed, or a line is too long; {_SAVE_AGAIN}"
    )


def _wrong_columns(one: GivenFile, raw: pl.DataFrame) -> list[Fault]:
    names = _names(raw)
    known = [column.name for column in one.columns]
    found: list[Fault] = []
    for name in dict.fromkeys(names):
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            found.append(Fault(one.filename, 1, name or "(no name)", f"no such column; {hint}"))
        elif names.count(name) > 1:
            found.append(Fault(one.filename, 1, name, "stands there twice: take one away"))
    lacking = [column for column in one.columns if column.required and column.name not in names]
    # A name that is close to an unknown one was meant by it: one fault, not two.
    lacking = [c for c in lacking if not any(f"did you mean {c.name}?" in fault.reason for fault in found)]
    found += [Fault(one.filename, 1, c.name, f"the column is missing: add it ({c.about})") for c in lacking]
    return found


def _names(raw: pl.DataFrame) -> list[str]:
    return [(name or "").strip().lower() for name in raw.row(0)]


def _rows(one: GivenFile, raw: pl.DataFrame) -> pl.DataFrame:
    """`line` and every declared column as trimmed text, null where empty; lines empty throughout are gone."""
    names = _names(raw)
    # A quoted cell may hold line ends: what comes after stands further down in the file.
    ends = pl.sum_horizontal(pl.col(c).str.count_matches("\n", literal=True).fill_null(0) for c in raw.columns)
    line = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + ends.cum_sum().shift(1, fill_value=0).cast(pl.Int64)
    trimmed = {name: pl.col(place).str.strip_chars() for place, name in zip(raw.columns, names, strict=True)}
    cells = {name: pl.when(text != "").then(text) for name, text in trimmed.items()}
    absent = {c.name: pl.lit(None, pl.String) for c in one.columns if c.name not in names}
    rows = raw.with_columns(line=line).select("line", **cells, **absent).slice(1)
    return rows.filter(pl.any_horizontal(pl.col(list(cells)).is_not_null()))


def _typed(one: GivenFile, rows: pl.DataFrame, separator: Separator) -> tuple[pl.DataFrame, list[Fault]]:
    faults: list[Fault] = []
    typed: dict[str, pl.Expr] = {}
    for column in one.columns:
        cells = read_cells(column, separator)
        faults += _wrong_cells(one, column, cells, rows)
        typed |= cells.typed
    made = rows.select("line", *(expr.alias(name) for name, expr in typed.items()))
    return made.cast(pl.Schema(one.schema)), faults


def _wrong_cells(one: GivenFile, column: Column, cells: Cells, rows: pl.DataFrame) -> Iterator[Fault]:
    text = pl.col(column.name)
    bad = rows.filter(text.is_not_null() & cells.bad.fill_null(value=True)).select("line", text)
    for line, value in bad.head(KEPT).iter_rows():
        shown = value if len(value) <= 40 else f"{value[:40]}..."
        yield Fault(one.filename, line, column.name, f"{shown!r} is not {cells.wanted}")
    if column.required:
        for line in rows.filter(text.is_null())["line"].head(KEPT):
            yield Fault(one.filename, line, column.name, f"is empty: fill it ({column.about})")


def _wrong_rows(one: GivenFile, frame: pl.DataFrame, told: set[int | None]) -> Iterator[Fault]:
    """Faults of whole rows, of those only whose cells could be read."""
    readable = frame.filter(~pl.col("line").is_in([line for line in told if line is not None]))
    for left, right in one.one_of:
        both = pl.col(left).is_null() == pl.col(right).is_null()
        for line in readable.filter(both)["line"].head(KEPT):
            yield Fault(one.filename, line, f"{left}, {right}", "fill one of them, and not both")
    for rule in one.rules:
        for line in readable.filter(rule.broken)["line"].head(KEPT):
            yield Fault(one.filename, line, rule.column, rule.text)
    first = pl.col("line").first().over(one.key)
    again = readable.with_columns(first=first).filter(pl.col("line") != pl.col("first"))
    for line, earlier in again.select("line", "first").head(KEPT).iter_rows():
        key = ", ".join(one.key)
        yield Fault(one.filename, line, key, f"says the same as line {earlier}: take one of the two away")

"""Frames on disk for as long as somebody holds them: what does not fit into memory at once."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

_HELD = 500_000
"""Rows that wait in memory to be written together: few files, and no more than that."""


class Spill:
    """Frames by name, each appended to piece by piece and read once whole or in pieces.

    They stand in a folder of their own among the system's temporary files, which nobody else may read. It goes when the
    last who holds this object lets go of it, by an error too, or when the program ends. `packed`: in less room, and
    slower: for what has many long texts.
    """

    def __init__(self, *, packed: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kam-"))
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._waiting: dict[str, list[pl.DataFrame]] = defaultdict(list)
        self._held = 0
        self._number = 0
        self._compression: Literal["lz4", "uncompressed"] = "lz4" if packed else "uncompressed"

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """More rows of a frame; a column that some pieces lack is null in these."""
        self._waiting[name].append(frame)
        self._held += frame.height
        if self._held > _HELD:
            self.flush()

    def flush(self) -> None:
        """Nothing waits in memory any more."""
        for name, pieces in self._waiting.items():
            self._number += 1
            path = self.folder / f"{self._number}.arrow"
            pl.concat(pieces, how="diagonal").write_ipc(path, compression=self._compression)
            self._files[name].append(path)
        self._waiting.clear()
        self._held = 0

    def names(self) -> list[str]:
        """The frames that have been begun, in the order in which they were."""
        self.flush()
        return list(self._files)

    def pieces(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """A frame in the pieces in which it was written; `columns` picks some of them."""
        self.flush()
        for path in self._files.get(name, ()):
            yield pl.read_ipc(path, columns=None if columns is None else list(columns))

    def frame(self, name: str) -> pl.DataFrame | None:
        """A frame in one piece; None where nothing was appended."""
        pieces = list(self.pieces(name))
        return pl.concat(pieces, how="diagonal") if pieces else None

    def drop(self, name: str) -> None:
        """Makes room: the frame is not there any more."""
        for path in self._files.pop(name, ()):
            path.unlink()

    def close(self) -> None:
        """Deletes everything now."""
        self._end()

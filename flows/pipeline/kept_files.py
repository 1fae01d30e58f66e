"""Searches the files of kam for what is forgotten: its own are cleaned, those of people are named."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from flows.escaping import markdown
from kammodel.store.foreign_files import is_sqlite, is_told_in_sqlite, replace_in_sqlite
from kammodel.store.mentions import WORD, by_itself

LINES = frozenset({".md", ".csv", ".log", ".txt", ".jsonl"})
"""Files of which a whole line goes: beside the name stands what else is told of an account."""
SHORTEST_NUMBER = 9
"""Digits. A shorter number is part of too much else: dates, counts."""
_BESIDE_DATABASES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Searched:
    """Files that told of what is forgotten. `cleaned`: ours, which do no more. `left`: ours that could not be cleaned.
    `theirs`: of people, who have to see to them."""

    cleaned: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


def pattern_of(names: Iterable[str], ids: Iterable[str]) -> re.Pattern[str] | None:
    """What to search for; None where there is nothing that could be told from other text. Names also as Markdown and
    JSON spell them; ids that stand by themselves."""
    forms = {form for name in names for form in (name, markdown(name), orjson.dumps(name).decode()[1:-1])}
    # Of a Salesforce id, the first 15 characters mean the same.
    told = {i[:15] for i in ids if len(i) == 18} | {i for i in ids if len(i) >= SHORTEST_NUMBER}
    parts = [by_itself(form) for form in sorted(forms, key=lambda f: (-len(f), f))]
    parts += [rf"(?<![0-9A-Za-z]){re.escape(i)}(?:[A-Z0-5]{{3}})?(?![0-9A-Za-z])" for i in sorted(told)]
    return re.compile("|".join(parts)) if parts else None


def search(home: Path, store: Path | None, inputs: Path | None, wanted: re.Pattern[str], *, clean: bool) -> Searched:
    """Every file below the home of kam but the store's own, and every file of people's inputs. Without `clean` ours are
    only counted as those that would be."""
    cleaned: list[str] = []
    left: list[str] = []
    for path in _below(home):
        is_ours = not (store is not None and path.name.startswith(store.name) and path.parent == store.parent)
        is_input = inputs is not None and path.is_relative_to(inputs)
        if is_ours and not is_input and _tells(path, wanted):
            (cleaned if not clean or _clean(path, wanted) else left).append(str(path))
    theirs = [str(path) for path in _below(inputs) if _tells(path, wanted)] if inputs is not None else []
    return Searched(tuple(cleaned), tuple(left), tuple(theirs))


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.endswith(_BESIDE_DATABASES):
            yield path


def _tells(path: Path, wanted: re.Pattern[str]) -> bool:
    if not path.stat().st_size:
        return False
    if is_sqlite(path):
        # In the bytes of the file one text follows upon another.
        return is_told_in_sqlite(path, wanted)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return re.search(wanted.pattern.encode(), content) is not None


def _clean(path: Path, wanted: re.Pattern[str]) -> bool:
    """False where the file is neither text nor a database, or somebody else is at it."""
    if is_sqlite(path):
        return replace_in_sqlite(path, wanted, WORD)
    try:
        text = path.read_bytes().decode()
        if path.suffix in LINES:
            lines = text.splitlines(keepends=True)
            kept = "".join(line for line in lines if not wanted.search(line))
        else:
            kept = wanted.sub(WORD, text)
        half = path.with_name(f".{path.name}.part")
        half.write_bytes(kept.encode())
        half.chmod(path.stat().st_mode)
        half.replace(path)
    except (OSError, UnicodeDecodeError):
        return False
    return True

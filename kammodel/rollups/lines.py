"""Where in a TOML text each key and each element of a list stands: tomllib tells values, and no lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_HEADER = re.compile(r"[ \t]*(\[\[?)([^\[\]\n]+)\]\]?[ \t]*(?=#|\r?\n|$)")
_TOKEN = re.compile(
    r'#[^\n]*|"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[^\s#"\'\[\]{}=,]+|[\[\]{}=,\n]',
    re.DOTALL,
)
_NAME = re.compile(r'"[^"]*"|\'[^\']*\'|[^.\s]+')


def lines_of(text: str) -> Mapping[Path, int]:
    """Line (1 is the first) by path, `("rollup", 0, "filter", 1, "column")`. The text must be valid TOML."""
    scan = _Scan()
    place, line = 0, 1
    while place < len(text):
        header = _HEADER.match(text, place) if scan.begins_line else None
        token = header or _TOKEN.search(text, place)
        if token is None:
            break
        line += text.count("\n", place, token.start())
        if header:
            scan.header(tuple(_names(header[2])), line, is_list=header[1] == "[[")
        else:
            scan.token(token[0], line)
        line += token[0].count("\n")
        place = token.end()
    return scan.found


def _names(dotted: str) -> Iterator[str]:
    return (name.strip("\"'") for name in _NAME.findall(dotted))


@dataclass
class _Open:
    """A list or a table that is not closed yet."""

    path: Path
    is_list: bool
    index: int = 0


@dataclass
class _Scan:
    found: dict[Path, int] = field(default_factory=dict)
    begins_line: bool = True
    _base: Path = ()
    _counts: dict[Path, int] = field(default_factory=dict)
    _open: list[_Open] = field(default_factory=list)
    _key: tuple[str, int] | None = None
    _value: Path | None = None

    def header(self, names: tuple[str, ...], line: int, *, is_list: bool) -> None:
        """`[a.b]` or `[[a.b]]`: what follows belongs to it."""
        path: Path = ()
        for place, name in enumerate(names):
            path = (*path, name)
            is_last = place == len(names) - 1
            if is_last and is_list:
                self._counts[path] = self._counts.get(path, -1) + 1
                self.found.setdefault(path, line)
            if path in self._counts:
                path = (*path, self._counts[path])
        self.found.setdefault(path, line)
        self._base, self.begins_line = path, False

    def token(self, text: str, line: int) -> None:
        if text == "\n":
            self.begins_line = not self._open
        elif text == "=" and self._key is not None:
            name, at = self._key
            around = self._open[-1].path if self._open else self._base
            self._value = (*around, *_names(name))
            self.found.setdefault(self._value, at)
            self._key = None
        elif text in "[{":
            self._open.append(_Open(self._begun(line), text == "["))
        elif text in "]}":
            self._open.pop()
        elif text == ",":
            self._open[-1].index += 1
            self._key = None
        elif not text.startswith("#"):
            self._word(text, line)

    def _word(self, text: str, line: int) -> None:
        """A key, or a value."""
        self.begins_line = False
        if self._value is not None or (self._open and self._open[-1].is_list):
            self._begun(line)
        else:
            name, at = self._key or ("", line)
            self._key = (name + text, at)

    def _begun(self, line: int) -> Path:
        """The path of a value that begins here."""
        path, self._value = self._value, None
        if path is None:
            path = (*self._open[-1].path, self._open[-1].index) if self._open else self._base
            self.found.setdefault(path, line)
        return path

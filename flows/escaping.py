"""Text from a CRM on its way out: nothing in it may steer a terminal, a Markdown page or a spreadsheet."""

from __future__ import annotations

import html
import re
import unicodedata

# A point between digits stays: it is no part of an address, and numbers are to be read in the raw text too.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()!|~:]|(?<!\d)\.|\.(?!\d))")
_BLANK = re.compile(r"\s+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet program takes for the beginning of a formula."""
_NUMBER = re.compile(r"-\d+(\.\d+)?")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode categories: control, format (directions of writing among them), surrogate, private, unassigned."""


def plain(text: str | None) -> str:
    """One line of visible text: control signs, escapes and signs that turn the direction of writing are dropped."""
    one_line = _BLANK.sub(" ", text or "")
    return "".join(sign for sign in one_line if unicodedata.category(sign) not in _UNSEEN).strip()


def spreadsheet(text: str | None) -> str:
    """Text for a cell of a spreadsheet: never a formula. A number below zero is none."""
    if not text or not text.startswith(_FORMULA) or _NUMBER.fullmatch(text):
        return text or ""
    return f"'{text}"


def markdown(text: str | None) -> str:
    """One line of text for the inside of a Markdown table cell: no markup, no HTML, no link, no further cell."""
    return _MARKDOWN.sub(r"\\\1", html.escape(plain(text), quote=False))

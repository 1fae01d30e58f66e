"""Record ids: 15 case-sensitive characters, and a suffix of three that makes them safe to compare without case."""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "Kb0"
_CASE = {ord(c): "1" if c.isupper() else "0" for c in _DIGITS}
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")

ACCOUNT, CONTACT, OPPORTUNITY, HISTORY = "001", "003", "006", "008"
TASK, EVENT, USER, CASE = "00T", "00U", "005", "500"


@lru_cache(maxsize=2**16)
def salesforce_id(prefix: str, number: int) -> str:
    """The 18-character id of the n-th record of a kind; ids sort as their numbers do.

    An org filled from a book gives companies `001`, people `003`, deals `006`, touches `00T` or `00U` (meetings),
    issues `500` and sellers `005`, each with the book's own number; other prefixes are those of the objects.
    """
    if len(prefix) != 3 or not 0 <= number < 62**9:
        raise ValueError(f"no id for prefix {prefix!r} and number {number}")
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return with_suffix(prefix + _POD + digits)


def with_suffix(short: str) -> str:
    """The 18-character form of a 15-character id."""
    bits = short.translate(_CASE)
    return short + "".join(_SUFFIX[int(bits[at : at + 5][::-1], 2)] for at in (0, 5, 10))


def widened(text: object) -> str | None:
    """An id as it is stored; None where this is none: wrong length or characters, or a suffix that does not fit."""
    return _widened(text) if isinstance(text, str) else None


@lru_cache(maxsize=2**17)
def _widened(text: str) -> str | None:
    if not _SHAPE.fullmatch(text):
        return None
    full = with_suffix(text[:15])
    return full if len(text) == 15 or text[15:].upper() == full[15:] else None


def number_of(record_id: str) -> int:
    """The number that `salesforce_id` made an id from; 0 for an id made elsewhere."""
    if record_id[3:6] != _POD:
        return 0
    number = 0
    for digit in record_id[6:15]:
        number = number * 62 + _DIGITS.index(digit)
    return number

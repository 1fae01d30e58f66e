"""How many records came, by ranges of their ids, in a few hundred numbers however many they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from itertools import pairwise

MOST = 256
"""Ranges, at most. A place carries them: some five kilobytes."""

Tallies = tuple[tuple[int, int], ...]
"""The id that a range begins with, and how many came of it: up to the id that the next one begins with. Ascending."""


def came(tallies: Tallies) -> int:
    """How many came in all."""
    return sum(count for _, count in tallies)


def added(tallies: Tallies, low: int, count: int, unread: Collection[int]) -> Tallies:
    """With `count` more that came from the id `low` on. `unread`: where what is still to be read begins. Ranges between
    which there is some of that are never made one, so that what comes of it falls between them."""
    told = sorted((*tallies, (low, count)))
    while len(told) > MOST:
        joint = [
            (first[1] + second[1], at)
            for at, (first, second) in enumerate(pairwise(told))
            if not any(first[0] <= start <= second[0] for start in unread)
        ]
        if not joint:
            break
        total, at = min(joint)
        told[at : at + 2] = [(told[at][0], total)]
    return tuple(told)


def less(tallies: Tallies, ids: Collection[int]) -> Tallies:
    """Without these, which had come."""
    told = list(tallies)
    lows = [low for low, _ in told]
    for one in ids:
        at = max(0, bisect_right(lows, one) - 1)
        if told:
            told[at] = (told[at][0], told[at][1] - 1)
    return tuple(told)


def parts(tallies: Tallies, top: int) -> list[tuple[int, int, int]]:
    """All ids from 1 to `top` in closed ranges, each with how many came of it."""
    lows = [1, *(low for low, _ in tallies[1:])]
    highs = [*(low - 1 for low in lows[1:]), top]
    counts = [count for _, count in tallies] or [0]
    return [(low, min(high, top), n) for low, high, n in zip(lows, highs, counts, strict=True) if low <= top]

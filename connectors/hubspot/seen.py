"""Which ids a process may have seen, in eight megabytes however many they are: a portal may have twenty million."""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap

_BITS = 1 << 26
_PRIMES = (67_108_859, 67_108_837, 67_108_819)
"""The greatest below the number of bits: each id has a bit by each."""
_SURE = 200_000
"""Ids up to which a million others contain less than one that looks as if it was seen."""


class Seen:
    """Ids by their numbers (a Bloom filter). What is not in it was not seen; of what is, that is certain as long as
    there are few: of a million others, then, less than one is taken for seen. Not to be added to by two threads at a
    time."""

    def __init__(self) -> None:
        # Of the memory only what is written to is taken: most slices are small.
        self._bits = mmap(-1, _BITS >> 3)
        self._added = 0

    def add(self, numbers: Sequence[int]) -> None:
        bits = self._bits
        self._added += len(numbers)
        for number in numbers:
            for prime in _PRIMES:
                bit = number % prime
                bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, number: int) -> bool:
        bits = (number % prime for prime in _PRIMES)
        return all(self._bits[bit >> 3] & 1 << (bit & 7) for bit in bits)

    @property
    def is_sure(self) -> bool:
        return self._added <= _SURE

    def unseen(self, ids: Sequence[str]) -> list[str]:
        """Those that were not seen, in their order; all are numbers."""
        return [i for i in ids if int(i) not in self]

"""Where the reading of a slice stands, as text that a later run goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import orjson

from connectors.errors import SliceLost
from connectors.hubspot.ranges import Range
from connectors.hubspot.tallies import Tallies

Road = Literal["list", "search", "bin", "proof"]


@dataclass(frozen=True)
class Place:
    """The road, how far it is, and what was counted so far.

    `ranges`: of a list, what is still to be read. `after`: the last id of a search or a proof, the cursor of the bin.
    `rows`: all rows given. `lacking`: how many of those that the index counted at the beginning have neither come nor
    been put into the bin meanwhile; None before it was asked.

    Of a list alone: `top` is the highest id that the index had then, None where it did not tell; `came` how many came
    of those it may have had, less those that have gone since; `moved`, whether anything was seen to change meanwhile;
    `again`, whether its records were held before.
    """

    road: Road
    ranges: tuple[Range, ...] = ()
    after: str | None = None
    rows: int = 0
    lacking: int | None = None
    top: int | None = None
    came: Tallies = ()
    moved: bool = False
    again: bool = False

    def text(self) -> str:
        """Opaque text that `parse` takes."""
        return orjson.dumps(vars(self) | {"ranges": [[r.after, r.before] for r in self.ranges]}).decode()

    @classmethod
    def parse(cls, text: str) -> Place:
        try:
            told = orjson.loads(text)
            ranges = tuple(Range(after, before) for after, before in told.pop("ranges"))
            came = tuple((int(low), int(count)) for low, count in told.pop("came"))
            place = cls(**told, ranges=ranges, came=came)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SliceLost("the place to resume from is not one that this connector wrote") from None
        if place.road not in get_args(Road) or (place.road == "list") is not bool(ranges):
            raise SliceLost("the place to resume from is not one that this connector wrote")
        return place

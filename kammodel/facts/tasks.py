"""What we have promised to do, and not done yet, as it was known at the end of a day."""

from __future__ import annotations

import polars as pl

from kammodel.facts.activities import promised
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.touches import TOUCHES


def _tasks(sources: Sources) -> pl.DataFrame:
    """group, due_on (null: none), `is_open` (true): what is `promised`."""
    return sources.once(promised).with_columns(is_open=pl.lit(value=True))


TASKS = FactFrame("tasks", reads=(frozenset({"tasks"}),), entities=TOUCHES.entities, build=_tasks)

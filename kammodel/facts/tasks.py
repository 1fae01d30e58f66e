"""What we have promised to do, and not done yet, as it was known at the end of a day."""

from __future__ import annotations

import polars as pl

from kammodel.entities import Activity
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.touches import TOUCHES, placed

_KINDS = ("task", "call", "email", "meeting")


def _tasks(sources: Sources) -> pl.DataFrame:
    """group, due_on (null: none), `is_open` (true): tasks open at the cut, one row per task and group it belongs to.

    Open: planned, or done after the cut. What stands in a calendar is no task. HubSpot keeps the day by which a task
    is due where others keep its start.
    """
    moment = sources.moment
    due = pl.coalesce("due_on", moment.local_day(pl.col("starts_at")))
    done_later = (pl.col("status") == "done") & (pl.col("completed_at") > moment.at)
    is_open = ((pl.col("status") == "planned") | done_later).fill_null(value=False)
    known = sources.of(Activity).filter(
        moment.existed(), "is_counted", ~pl.col("is_calendar"), pl.col("kind").is_in(_KINDS), is_open
    )
    rows, _ = placed(known.with_columns(due_on=due), sources, ("due_on",))
    return rows.select("group", "due_on", is_open=pl.lit(value=True))


TASKS = FactFrame("tasks", reads=(frozenset({"tasks"}),), entities=TOUCHES.entities, build=_tasks)

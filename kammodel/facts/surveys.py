"""What customers answered when they were asked."""

from __future__ import annotations

import polars as pl

from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.team import in_group
from kammodel.given.files import SCALES
from kammodel.given.words import BUYING_ROLES, is_one_of, words_of


def _surveys(sources: Sources) -> pl.DataFrame:
    """group, kind, asked_on, answered_on, score, `is_top` (one of the two highest answers), `is_key` (the person has
    a buying role, or sponsors us): one row per question asked by the cut. An answer after it had not come."""
    schema = {"group": pl.UInt32, "kind": pl.String, "asked_on": pl.Date, "answered_on": pl.Date, "score": pl.Float64}
    rows = in_group(sources, "surveys")
    if rows is None:
        return pl.DataFrame(schema={**schema, "is_top": pl.Boolean, "is_key": pl.Boolean})
    words, day = sources.file("words"), sources.moment.day
    asked = rows.with_columns(asked_on=pl.coalesce("asked_on", "answered_on")).filter(pl.col("asked_on") <= day)
    came = pl.col("answered_on") <= day
    highest = pl.coalesce("scale", pl.col("kind").replace_strict(SCALES, default=None, return_dtype=pl.Int64))
    roles = [*BUYING_ROLES, "executive_sponsor"]
    key = pl.any_horizontal(
        is_one_of(pl.col("role"), [*words_of(role, words), role.replace("_", " ")]) for role in roles
    )
    return asked.select(
        "group",
        "kind",
        "asked_on",
        answered_on=pl.when(came).then("answered_on"),
        score=pl.when(came).then("score"),
        is_top=pl.when(came).then(pl.col("score") >= highest - 1),
        is_key=key,
    )


SURVEYS = FactFrame("surveys", reads=(), entities={}, build=_surveys)

"""The steps of a run as plain functions over a store and connectors. Prefect knows of them, not they of it."""

from flows.pipeline.applying import apply
from flows.pipeline.backfilling import Every, backfill, past_days
from flows.pipeline.cells import check_fields
from flows.pipeline.forgetting import forget
from flows.pipeline.planning import plan
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.pulling import pull
from flows.pipeline.scoring import score, score_day_of
from flows.pipeline.thinning import thin

__all__ = [
    "Clock",
    "Every",
    "Progress",
    "apply",
    "backfill",
    "check_fields",
    "forget",
    "past_days",
    "plan",
    "pull",
    "quiet",
    "score",
    "score_day_of",
    "thin",
]

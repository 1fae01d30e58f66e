"""The single schema: SQLModel tables by theme, and the Polars schema that each of them implies."""

from kammodel.entities.accounts import Account, User
from kammodel.entities.activities import Activity
from kammodel.entities.control import AccountToCompare, Bookmark, RejectedRecord, Run
from kammodel.entities.envelope import KEY, OURS, Sourced
from kammodel.entities.opportunities import Opportunity, OpportunityStageEvent, PipelineStage
from kammodel.entities.publishing import PlannedCell, PublishPlan, WrittenCell
from kammodel.entities.rates import ExchangeRate
from kammodel.entities.schema import content_columns, polars_schema
from kammodel.entities.scores import ScoreSnapshot

ENTITIES: tuple[type[Sourced], ...] = (
    Account,
    User,
    Opportunity,
    OpportunityStageEvent,
    PipelineStage,
    Activity,
    ExchangeRate,
)
"""Every table that is filled from a CRM."""

__all__ = [
    "ENTITIES",
    "KEY",
    "OURS",
    "Account",
    "AccountToCompare",
    "Activity",
    "Bookmark",
    "ExchangeRate",
    "Opportunity",
    "OpportunityStageEvent",
    "PipelineStage",
    "PlannedCell",
    "PublishPlan",
    "RejectedRecord",
    "Run",
    "ScoreSnapshot",
    "Sourced",
    "User",
    "WrittenCell",
    "content_columns",
    "polars_schema",
]

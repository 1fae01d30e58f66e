"""The single schema: SQLModel tables by theme, and the Polars schema that each of them implies."""

from kammodel.entities.accounts import Account, User
from kammodel.entities.activities import Activity
from kammodel.entities.backfills import BackfillWindow
from kammodel.entities.commerce import Asset, Contract, LineItem, Order, Product
from kammodel.entities.control import AccountToCompare, Bookmark, Certificate, RejectedRecord, Restamp, Run, Sweep
from kammodel.entities.envelope import KEY, OURS, Sourced
from kammodel.entities.opportunities import (
    Opportunity,
    OpportunityFieldChange,
    OpportunityStageEvent,
    PipelineStage,
)
from kammodel.entities.people import AccountPerson, OpportunityPerson, Person, TeamMember
from kammodel.entities.plans import AccountPlan, PlanMeasure, PlanObjective
from kammodel.entities.privacy import Suppression
from kammodel.entities.publishing import Lease, PlannedCell, PublishPlan, WriteJob, WrittenCell
from kammodel.entities.rates import ExchangeRate
from kammodel.entities.schema import content_columns, polars_schema
from kammodel.entities.scores import ScoreSnapshot
from kammodel.entities.service import Case
from kammodel.entities.targets import Target
from kammodel.entities.versions import EntityVersion, ScoreRules

ENTITIES: tuple[type[Sourced], ...] = (
    Account,
    User,
    Opportunity,
    OpportunityStageEvent,
    OpportunityFieldChange,
    PipelineStage,
    Activity,
    Person,
    AccountPerson,
    OpportunityPerson,
    TeamMember,
    Case,
    Contract,
    Order,
    Asset,
    LineItem,
    Product,
    AccountPlan,
    PlanObjective,
    PlanMeasure,
    Target,
    ExchangeRate,
)
"""Every table that is filled from a CRM."""

__all__ = [
    "ENTITIES",
    "KEY",
    "OURS",
    "Account",
    "AccountPerson",
    "AccountPlan",
    "AccountToCompare",
    "Activity",
    "Asset",
    "BackfillWindow",
    "Bookmark",
    "Case",
    "Certificate",
    "Contract",
    "EntityVersion",
    "ExchangeRate",
    "Lease",
    "LineItem",
    "Opportunity",
    "OpportunityFieldChange",
    "OpportunityPerson",
    "OpportunityStageEvent",
    "Order",
    "Person",
    "PipelineStage",
    "PlanMeasure",
    "PlanObjective",
    "PlannedCell",
    "Product",
    "PublishPlan",
    "RejectedRecord",
    "Restamp",
    "Run",
    "ScoreRules",
    "ScoreSnapshot",
    "Sourced",
    "Suppression",
    "Sweep",
    "Target",
    "TeamMember",
    "User",
    "WriteJob",
    "WrittenCell",
    "content_columns",
    "polars_schema",
]

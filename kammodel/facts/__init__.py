"""Facts: what is known of account groups at the end of a day, in frames that KPIs are computed over."""

from kammodel.facts import (
    accounts,
    cases,
    contracts,
    deals,
    forecasts,
    outcomes,
    people,
    plans,
    products,
    prospects,
    pushes,
    ratings,
    revenue,
    stages,
    surveys,
    talks,
    targets,
    tasks,
    team,
    touches,
)
from kammodel.facts.frames import FactFrame, Sources

FRAMES: tuple[FactFrame, ...] = (
    deals.DEALS,
    revenue.REVENUE_EVENTS,
    revenue.PURCHASE_DAYS,
    outcomes.OUTCOMES,
    stages.STAGE_VISITS,
    stages.OPEN_STAGES,
    prospects.OPEN_DEALS,
    prospects.WORKED_DEALS,
    prospects.IDLE_DEALS,
    pushes.PUSHES,
    contracts.CONTRACTS,
    targets.TARGETS,
    forecasts.FORECASTS,
    touches.TOUCHES,
    touches.CONTACTS,
    talks.DIRECTIONS,
    talks.OWNED_TOUCHES,
    talks.FUNCTIONS,
    people.PEOPLE,
    people.ROLE_HOLDERS,
    people.EXECUTIVES,
    people.EXECUTIVE_TOUCHES,
    team.ASSIGNMENTS,
    cases.CASES,
    surveys.SURVEYS,
    ratings.RATINGS,
    ratings.WALLETS,
    products.FAMILIES,
    products.GAPS,
    plans.PLANS,
    plans.OBJECTIVES,
    plans.ATTAINMENTS,
    plans.ACTIONS,
    tasks.TASKS,
    accounts.RECORDS,
)
"""Every frame of facts. A new one is one more line, after those that it is built on."""

REGISTRY = {frame.name: frame for frame in FRAMES}

__all__ = ["FRAMES", "REGISTRY", "FactFrame", "Sources"]

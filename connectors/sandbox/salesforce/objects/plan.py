"""Account plans with their objectives and the measures of these.

There from v62.0 on, in an org with sales account plans turned on. Names and types: Salesforce object reference,
AccountPlan, AccountPlanObjective and AccountPlanObjectiveMeasure
(https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-accountplan.html,
read 2026-11-28). Their key prefixes were found nowhere; nothing depends on them.
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

_SINCE = 62

ACCOUNT_PLAN = f.SObject(
    name="AccountPlan",
    label="Account Plan",
    plural="Account Plans",
    since=_SINCE,
    prefix="1yA",
    undeletable=False,
    fields=(
        f.record_id("Account Plan ID"),
        f.text("Name", "Name", name_field=True).required,
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.picklist("Status", "Status", ("Active", "Inactive", "Not Started")),
        f.day("StartDate", "Start Date"),
        f.day("EndDate", "End Date"),
        f.long_text("AccountChallenges", "Account Challenges"),
        f.long_text("AccountCompetitors", "Account Competitors"),
        f.long_text("AccountStrategicPriorities", "Account Strategic Priorities"),
        f.long_text("AccountVision", "Account Vision"),
        f.long_text("RelationshipOpportunities", "Relationship Opportunities"),
        f.long_text("RelationshipStrengths", "Relationship Strengths"),
        f.long_text("RelationshipThreats", "Relationship Threats"),
        f.long_text("RelationshipWeaknesses", "Relationship Weaknesses"),
        f.long_text("Notes", "Notes"),
        f.lookup("OwnerId", "Owner ID", ("Group", "User"), "Owner").required,
        *f.audit(),
    ),
    children=(("AccountPlanObjective", "AccountPlanId", "AccountPlanObjectives", True),),
)

ACCOUNT_PLAN_OBJECTIVE = f.SObject(
    name="AccountPlanObjective",
    label="Account Plan Objective",
    plural="Account Plan Objectives",
    since=_SINCE,
    prefix="1yB",
    fields=(
        f.record_id("Account Plan Objective ID"),
        f.lookup("AccountPlanId", "Account Plan ID", "AccountPlan", "AccountPlan", updateable=False).required,
        f.text("Name", "Name", name_field=True).required,
        f.long_text("Description", "Description"),
        f.picklist("Status", "Status", ("Closed", "In Progress", "New"), restricted=True),
        f.day("StartDate", "Start Date"),
        f.day("EndDate", "End Date"),
        f.lookup("ObjectiveOwnerId", "Objective Owner ID", "User", "ObjectiveOwner"),
        f.lookup("OwnerId", "Owner ID", ("Group", "User"), "Owner").required,
        *f.audit(),
    ),
    children=(("AccountPlanObjectiveMeasure", "AccountPlanObjectiveId", "AccountPlanObjectiveMeasures", True),),
)

ACCOUNT_PLAN_OBJECTIVE_MEASURE = f.SObject(
    name="AccountPlanObjectiveMeasure",
    label="Account Plan Objective Measure",
    plural="Account Plan Objective Measures",
    since=_SINCE,
    prefix="1yC",
    fields=(
        f.record_id("Account Plan Objective Measure ID"),
        f.lookup(
            "AccountPlanObjectiveId",
            "Account Plan Objective ID",
            "AccountPlanObjective",
            "AccountPlanObjective",
            updateable=False,
        ).required,
        f.text("Name", "Name", name_field=True).required,
        f.picklist("ValueType", "Value Type", ("Currency", "Number", "Percent"), restricted=True),
        # The values are text; the org offers each as a number too, in the field that fits the type.
        f.text("CurrentValue", "Current Value"),
        f.text("TargetValue", "Target Value"),
        f.moment("CurrentValueTimestamp", "Current Value Timestamp", permissionable=False).fixed,
        *(
            one
            for word in ("Current", "Target")
            for one in (
                f.money(f"{word}CurrencyValue", f"{word} Currency Value").fixed,
                f.number(f"{word}NumberValue", f"{word} Number Value", 18, 2).fixed,
                f.percent(f"{word}PercentValue", f"{word} Percent Value", 16, 2).fixed,
            )
        ),
        *f.audit(),
    ),
)

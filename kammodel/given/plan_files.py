"""The files of account plans: plans, their objectives, what is to be done, how far it is."""

from __future__ import annotations

import polars as pl

from kammodel.given.declaring import Column, GivenFile, Rule, account_column, not_before

PLAN_FILES: tuple[GivenFile, ...] = (
    GivenFile(
        "plans",
        "Account plans, beside those of a CRM.",
        (
            Column("plan_id", "text", "What objectives and actions refer to", required=True),
            account_column(),
            Column("name", "text", "Its name"),
            Column("owner", "text", "Who answers for it"),
            Column("status", "choice", "Empty: active", choices=("draft", "active", "done", "cancelled")),
            Column("starts_on", "date", "First day", required=True),
            Column("ends_on", "date", "Last day", required=True),
        ),
        key=("plan_id",),
        rules=(not_before("ends_on", "starts_on"),),
    ),
    GivenFile(
        "objectives",
        "What a plan is to reach. One of quality has no target.",
        (
            Column("objective_id", "text", "What actions and readings refer to", required=True),
            Column("plan_id", "text", "Plan, of plans.csv or of a CRM", required=True),
            Column("name", "text", "Its name"),
            Column(
                "kind",
                "choice",
                "What it is about",
                choices=("revenue", "retention", "relationship", "service", "cross_sell", "sustainability"),
            ),
            Column("unit", "text", "Of the numbers: EUR, percent, meetings, ...; sums stay within a unit"),
            Column("baseline", "number", "Where it started; empty: 0"),
            Column("target", "number", "Where it is to end"),
            Column("current", "number", "Where it is now; a reading wins"),
            Column("starts_on", "date", "First day; empty: the plan's"),
            Column("due_on", "date", "Last day; empty: the plan's"),
            Column("status", "choice", "Empty: open", choices=("open", "done", "cancelled")),
            Column("owner", "text", "Who answers for it"),
        ),
        key=("objective_id",),
        rules=(not_before("due_on", "starts_on"),),
    ),
    GivenFile(
        "actions",
        "What is to be done for an objective, or for the plan as a whole.",
        (
            Column("action_id", "text", "What tells it apart", required=True),
            Column("objective_id", "text", "Objective that it serves"),
            Column("plan_id", "text", "Plan, where it serves no single objective"),
            Column("name", "text", "Its name"),
            Column("owner", "text", "Who does it"),
            Column("function", "text", "Function of the owner: sales, service, logistics, ..."),
            Column("due_on", "date", "Day by which it is to be done"),
            Column("done_on", "date", "Day on which it was done"),
            Column("status", "choice", "Empty: done if done_on is filled", choices=("open", "done", "cancelled")),
        ),
        key=("action_id",),
        one_of=(("objective_id", "plan_id"),),
        rules=(
            Rule(
                "done_on",
                (pl.col("status") == "done") & pl.col("done_on").is_null(),
                "is empty, though the status is done: give the day",
            ),
            Rule(
                "status",
                pl.col("status").is_in(["open", "cancelled"]) & pl.col("done_on").is_not_null(),
                "contradicts done_on: empty one of them",
            ),
        ),
    ),
    GivenFile(
        "readings",
        "How far an objective was on a day.",
        (
            Column("objective_id", "text", "Objective", required=True),
            Column("measured_on", "date", "Day of the reading", required=True),
            Column("value", "number", "The reading", required=True),
        ),
        key=("objective_id", "measured_on"),
    ),
)

"""The files that a person keeps for what no CRM holds: a new one is one entry in FILES."""

from __future__ import annotations

import polars as pl

from kammodel.given.declaring import Column, GivenFile, Rule, account_column, not_before
from kammodel.given.plan_files import PLAN_FILES

_CURRENCY = Column("currency", "currency", "ISO 4217 code; empty: the reporting currency")
SCALES = {"nps": 10, "csat": 5, "ces": 7}
"""The highest answer of each kind of survey where a row does not say."""

STAGES = ("exploratory", "basic", "cooperative", "interdependent", "integrated")
"""Of a relationship, from the first on (kam.md §1b)."""

WORD_LISTS = (
    "executive_title",
    "no_executive_title",
    "economic_buyer",
    "champion",
    "user",
    "technical",
    "executive_sponsor",
    "economic_buyer_title",
    "technical_title",
    "user_title",
    "required_role",
    "high_priority",
    "escalated",
    "not_in_force",
)
"""What the words of words.csv may stand for; ours are in words.py."""


FILES: tuple[GivenFile, ...] = (
    GivenFile(
        "ratings",
        "What people think of an account. A field of the CRM wins: the file fills what is empty there.",
        (
            account_column(),
            Column("strategic_value", "number", "Strategic value", low=0, high=10),
            Column("service_sensitivity", "number", "How much the account values service", low=0, high=10),
            Column("premium_support", "flag", "Whether it pays for premium support"),
            Column("esg_score", "number", "Sustainability rating, shown beside the tier", low=0, high=100),
            Column(
                "relationship_stage",
                "choice",
                "Stage of the relationship, as confirmed",
                choices=STAGES,
            ),
            Column("is_nominated", "flag", "Scored even without revenue"),
            Column("do_not_score", "flag", "Never scored"),
        ),
        key=("account",),
    ),
    GivenFile(
        "targets",
        "What an account or an owner is to bring in a period.",
        (
            account_column(required=False),
            Column("owner", "text", "User: id in a CRM, or `salesforce:<id>`"),
            Column(
                "period", "period", "A year, half, quarter or month: 2026, 2026-H1, 2026-Q2, 2026-06", required=True
            ),
            Column("metric", "choice", "What is counted", required=True, choices=("revenue",)),
            Column("value", "money", "The target, above 0", required=True, low=0.0001),
            _CURRENCY,
        ),
        key=("account", "owner", "starts_on", "ends_on", "metric"),
        one_of=(("account", "owner"),),
    ),
    GivenFile(
        "revenue",
        "What was invoiced, ordered or is due every month, where that is more than the deals of the CRM tell.",
        (
            Column("event_id", "text", "What tells it apart: number and line of the invoice", required=True),
            account_column(),
            Column("booked_on", "date", "Day of the invoice, the order or the month", required=True),
            Column("kind", "choice", "What it is", required=True, choices=("invoice", "credit", "order", "recurring")),
            Column("amount", "money", "Its amount without taxes; a credit is below 0", required=True),
            _CURRENCY,
        ),
        key=("event_id",),
        rules=(
            Rule("amount", (pl.col("kind") == "credit") & (pl.col("amount") > 0), "is above 0: write a credit below 0"),
        ),
    ),
    GivenFile(
        "wallet",
        "What an account spends in a year, with all suppliers, on what we sell: an estimate.",
        (
            account_column(),
            Column("valid_from", "date", "First day of the estimate; empty: since ever"),
            Column("amount", "money", "Spend of a year, above 0", required=True, low=0.0001),
            _CURRENCY,
        ),
        key=("account", "valid_from"),
    ),
    GivenFile(
        "surveys",
        "Questions asked of customers, answered or not: what a survey tool exports.",
        (
            Column("survey_id", "text", "What tells this question to this person apart", required=True),
            account_column(),
            Column("kind", "choice", "Kind of question", required=True, choices=tuple(SCALES)),
            Column("asked_on", "date", "Day on which it was asked; empty: the day of the answer"),
            Column("answered_on", "date", "Day of the answer; empty: none came"),
            Column("score", "number", "The answer, from 0 to `scale`", low=0),
            Column("scale", "whole", "Highest answer; empty: 10 for nps, 5 for csat, 7 for ces", low=2, high=100),
            Column("role", "text", "What the person is at the account"),
        ),
        key=("survey_id",),
        rules=(
            not_before("answered_on", "asked_on"),
            Rule(
                "answered_on",
                pl.col("asked_on").is_null() & pl.col("answered_on").is_null(),
                "is empty, and so is asked_on: give one of the days",
            ),
            Rule(
                "score",
                pl.col("score").is_null() != pl.col("answered_on").is_null(),
                "and answered_on go together: fill both or neither",
            ),
            Rule(
                "score",
                pl.col("score") > pl.coalesce("scale", pl.col("kind").replace_strict(SCALES, default=100)),
                "is above the scale: correct it, or give the scale",
            ),
            Rule(
                "scale",
                (pl.col("kind") == "nps") & (pl.col("scale").fill_null(10) != 10),
                "is not 10: an nps is asked from 0 to 10",
            ),
        ),
    ),
    *PLAN_FILES,
    GivenFile(
        "assignments",
        "Who of us looks after an account, as what, and since when.",
        (
            account_column(),
            Column("user", "text", "User: id in a CRM, or `salesforce:<id>`", required=True),
            Column(
                "role",
                "choice",
                "As what",
                required=True,
                choices=("kam", "exec_sponsor", "csm", "technical_lead", "finance"),
            ),
            Column("starts_on", "date", "First day; empty: since ever"),
            Column("ends_on", "date", "Last day; empty: until further notice"),
            Column("share", "number", "Percent of the work; empty: 100", low=0, high=100),
        ),
        key=("account", "user", "role", "starts_on"),
        rules=(not_before("ends_on", "starts_on"),),
    ),
    GivenFile(
        "team",
        "Our own people: the function of each, and the hours a month for customers.",
        (
            Column("user", "text", "User: id in a CRM, or `salesforce:<id>`", required=True),
            Column("function", "text", "sales, service, logistics, marketing, product, finance, ..."),
            Column("hours_per_month", "number", "Hours with customers; empty: 120", low=0, high=744),
        ),
        key=("user",),
    ),
    GivenFile(
        "fx_rates",
        "Rates of currencies: reporting = amount x rate, from its day until the next one of the currency.",
        (
            Column("currency", "currency", "ISO 4217 code", required=True),
            Column("valid_from", "date", "First day", required=True),
            Column("rate", "rate", "Units of the reporting currency for one unit, above 0", required=True),
        ),
        key=("currency", "valid_from"),
    ),
    GivenFile(
        "families",
        "Which product families an account may buy. Without the file, every family of the catalogue.",
        (
            Column("family", "text", "Product family, as the catalogue of the CRM spells it", required=True),
            Column("industry", "text", "Industry, as the CRM spells it; empty: any"),
            Column("country", "text", "Country, as the CRM spells it; empty: any"),
            Column("is_eligible", "flag", "Empty: yes. Of two lines that fit, one that says no wins"),
        ),
        key=("family", "industry", "country"),
    ),
    GivenFile(
        "installed_base",
        "What accounts have of us that the deals in the CRM do not tell.",
        (
            account_column(),
            Column("family", "text", "Product family, as the catalogue of the CRM spells it", required=True),
            Column("starts_on", "date", "First day; empty: since ever"),
            Column("ends_on", "date", "Last day; empty: until further notice"),
        ),
        key=("account", "family", "starts_on"),
        rules=(not_before("ends_on", "starts_on"),),
    ),
    GivenFile(
        "service",
        "What a service desk knows of a case beside the CRM.",
        (
            Column("case", "text", "Case or ticket: its id in a CRM", required=True),
            Column("first_response_hours", "number", "Hours until the first answer", low=0),
            Column("is_sla_met", "flag", "Whether the agreed time was kept; empty: none was agreed"),
            Column("reopened", "whole", "How often it was opened again", low=0),
        ),
        key=("case",),
    ),
    GivenFile(
        "matches",
        "Which accounts of two CRMs are one company, and which are not, whatever they look like.",
        (
            Column("left", "text", "Account of one CRM", required=True),
            Column("right", "text", "Account of the other", required=True),
            Column("decision", "choice", "Empty: not decided yet", choices=("confirm", "forbid")),
            Column("note", "text", "For people: names and reason, as kam matches --csv writes them"),
        ),
        key=("left", "right"),
    ),
    GivenFile(
        "words",
        "Words of your organisation. A list that the file names replaces ours.",
        (
            Column("list", "choice", "What the word stands for", required=True, choices=WORD_LISTS),
            Column("word", "text", "The word, in any case, with or without accents", required=True),
        ),
        key=("list", "word"),
    ),
)

FILE = {one.name: one for one in FILES}

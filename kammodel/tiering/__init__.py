"""From KPIs to tiers: a policy, criteria, scores, and why."""

from kammodel.tiering.explained import Explanation
from kammodel.tiering.explanation import explain
from kammodel.tiering.policy import Policy, load_policy, policy_hash
from kammodel.tiering.reason import criteria_json, reason_text
from kammodel.tiering.scorecard import SCORE_COLUMNS, Scores, score

__all__ = [
    "SCORE_COLUMNS",
    "Explanation",
    "Policy",
    "Scores",
    "criteria_json",
    "explain",
    "load_policy",
    "policy_hash",
    "reason_text",
    "score",
]

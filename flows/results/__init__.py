"""What each step of the pipeline gives back: small receipts, never rows. `as_json` is what `--json` prints."""

from flows.results.estimated import (
    EstimateReceipt,
    NotCounted,
    RunKind,
    ScoresEstimate,
    StreamEstimate,
    WriteBackEstimate,
)
from flows.results.filled import CrmBackfillReceipt, FillReceipt, WindowReceipt
from flows.results.kept import DigestReceipt, ForgetReceipt
from flows.results.plain import as_json
from flows.results.published import (
    AdoptReceipt,
    ApplyReceipt,
    ApprovalReceipt,
    Overwritten,
    PlanReceipt,
    WriteBackReceipt,
)
from flows.results.pulled import FIRST_LOAD, Outcome, PullReceipt, StreamReceipt, StreamState, resumes
from flows.results.reconciled import ReconcileReceipt, Verdict, WindowProof
from flows.results.run import RunReceipt
from flows.results.scored import BackfilledDay, BackfillReceipt, ScoreReceipt, ThinReceipt, TierMove

__all__ = [
    "FIRST_LOAD",
    "AdoptReceipt",
    "ApplyReceipt",
    "ApprovalReceipt",
    "BackfillReceipt",
    "BackfilledDay",
    "CrmBackfillReceipt",
    "DigestReceipt",
    "EstimateReceipt",
    "FillReceipt",
    "ForgetReceipt",
    "NotCounted",
    "Outcome",
    "Overwritten",
    "PlanReceipt",
    "PullReceipt",
    "ReconcileReceipt",
    "RunKind",
    "RunReceipt",
    "ScoreReceipt",
    "ScoresEstimate",
    "StreamEstimate",
    "StreamReceipt",
    "StreamState",
    "ThinReceipt",
    "TierMove",
    "Verdict",
    "WindowProof",
    "WindowReceipt",
    "WriteBackEstimate",
    "WriteBackReceipt",
    "as_json",
    "resumes",
]

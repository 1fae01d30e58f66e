"""What every CRM connector offers the pipeline: types only."""

from connectors.contract.connector import CallCount, Connector, Identity
from connectors.contract.counting import Countable, Counting, Tally, Window
from connectors.contract.provisioning import Done, Finding, Part, Provisioned, Provisioning, Removal
from connectors.contract.reading import (
    Deletions,
    Existing,
    Known,
    LinksNow,
    Notes,
    Page,
    RecallsStages,
    Slice,
    Stream,
    Sweeps,
    SweepsByRange,
    SweepsLinks,
    Typed,
)
from connectors.contract.writing import AccountWrite, FaultKind, JobBook, LooksBack, Outcome, WriteOutcome, WritesByJobs

__all__ = [
    "AccountWrite",
    "CallCount",
    "Connector",
    "Countable",
    "Counting",
    "Deletions",
    "Done",
    "Existing",
    "FaultKind",
    "Finding",
    "Identity",
    "JobBook",
    "Known",
    "LinksNow",
    "LooksBack",
    "Notes",
    "Outcome",
    "Page",
    "Part",
    "Provisioned",
    "Provisioning",
    "RecallsStages",
    "Removal",
    "Slice",
    "Stream",
    "Sweeps",
    "SweepsByRange",
    "SweepsLinks",
    "Tally",
    "Typed",
    "Window",
    "WriteOutcome",
    "WritesByJobs",
]

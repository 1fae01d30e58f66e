"""What every CRM connector offers the pipeline: types only."""

from connectors.contract.connector import CallCount, Connector, Identity
from connectors.contract.counting import Countable, Counting, Tally, Window
from connectors.contract.provisioning import Done, Finding, Part, Provisioned, Provisioning, Removal
from connectors.contract.reading import Deletions, Known, LinksNow, Page, Slice, Stream, Sweeps, SweepsLinks, Typed
from connectors.contract.writing import AccountWrite, FaultKind, LooksBack, Outcome, WriteOutcome

__all__ = [
    "AccountWrite",
    "CallCount",
    "Connector",
    "Countable",
    "Counting",
    "Deletions",
    "Done",
    "FaultKind",
    "Finding",
    "Identity",
    "Known",
    "LinksNow",
    "LooksBack",
    "Outcome",
    "Page",
    "Part",
    "Provisioned",
    "Provisioning",
    "Removal",
    "Slice",
    "Stream",
    "Sweeps",
    "SweepsLinks",
    "Tally",
    "Typed",
    "Window",
    "WriteOutcome",
]

"""`kam reconcile`: what counting showed, as tables or as JSON, and as an exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flows import proving
from flows.cli.faults import FAILED, PARTIAL, say
from flows.cli.session import session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from flows.pipeline.reconciling import StoreDiffers
from flows.report.reconciled import HEAD, head_line, proof_cells, remarks
from flows.results import ReconcileReceipt, Verdict
from flows.results import as_json as plain_values

_STYLE: dict[Verdict, str] = {"ok": "green", "differs": "bold red", "unproven": "yellow"}
_LEFT = 2
"""Columns of words; the others are numbers."""


def reconcile(crm: str | None, *, repair: bool, prefect: bool, as_json: bool) -> int | None:
    """Counts each CRM against the store."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.reconcile import reconcile as flow

            try:
                receipts = at.flow(flow(crm=at.one(crm), repair=repair))
            except StoreDiffers as fault:
                receipts = fault.receipts
        else:
            receipts = tuple(
                proving.reconcile(at.runtime, name, repair=repair, progress=at.progress)
                for name in at.runtime.chosen(crm)
            )
    print_json([as_document(one) for one in receipts]) if as_json else _show(receipts)
    if any(one.verdict == "differs" for one in receipts):
        say(plain(str(StoreDiffers(receipts))), logging.ERROR)
        return FAILED
    left = proving.unproven(receipts)
    if left:
        say(f"partial: {plain('; '.join(left))}")
        return PARTIAL
    return None


def as_document(receipt: ReconcileReceipt) -> dict[str, Any]:
    """For programs: also the verdict of the whole, and what each window differs by."""
    document = plain_values(receipt) | {"verdict": receipt.verdict}
    for window, told in zip(receipt.windows, document["windows"], strict=True):
        told["difference"] = window.difference
    return document


def _show(receipts: Sequence[ReconcileReceipt]) -> None:
    for receipt in receipts:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, name in enumerate(HEAD):
            table.add_column(name, justify="left" if place < _LEFT or place == len(HEAD) - 1 else "right")
        for window in receipt.windows:
            *cells, verdict = (Text(plain(cell)) for cell in proof_cells(window))
            verdict.stylize(_STYLE[window.verdict])
            table.add_row(*cells, verdict)
        title = Text(plain(head_line(receipt)), style="bold")
        printed(Group(title, Text(""), table, *(Text(plain(line)) for line in remarks(receipt))))

"""What counting showed, as cells and lines of text: what the terminal and the artifact have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from flows.escaping import markdown
from flows.pipeline.reconciling import spelled
from flows.results import ReconcileReceipt, WindowProof
from kammodel.entities.types import to_decimal

HEAD = ("stream", "window", "lag", "CRM", "store", "difference", "explained", "wrong", "verdict")
LAG = "lag: how long before the count the last pull had read to; what was created since then is not counted"
LEGEND = (
    "explained: set aside, forgotten on purpose, changed in the CRM since it was last read, or no longer there; wrong, "
    "and nothing explains it: missing in the store, extra (deleted in the CRM), or altered (another amount)"
)


def head_line(receipt: ReconcileReceipt) -> str:
    """CRM, verdict and cost in one line."""
    name = receipt.organisation or receipt.instance
    rows = sum(one.crm or 0 for one in receipt.windows)
    told = {"ok": "proven", "differs": "DIFFERS", "unproven": "not all proven"}[receipt.verdict]
    again = f", {receipt.repaired:,} records read again" if receipt.repaired else ""
    return (
        f"{receipt.source} · {name}: {told}, {rows:,} records counted with {receipt.calls:,} calls in "
        f"{receipt.seconds:.1f} s{again}"
    )


def proof_cells(window: WindowProof) -> tuple[str, ...]:
    """Under HEAD."""
    difference = window.difference
    return (
        window.stream,
        spelled(window),
        _lag(window),
        _number(window.crm),
        _number(window.ours),
        "" if not difference else f"{difference:+,}",
        f"{window.explained:,}" if window.explained else "",
        f"{window.wrong:,}" if window.wrong else "",
        window.verdict,
    )


def remarks(receipt: ReconcileReceipt) -> list[str]:
    """Lines below the table: sums of amounts, what differs, why something is unproven, and what the columns mean."""
    lines = [LAG] if any(one.before for one in receipt.windows) else []
    lines += [
        f"{one.stream}, {spelled(one)}: amounts {_money(theirs)} in the CRM, {_money(ours)} in the store {currency}"
        for one in receipt.windows
        for currency, (theirs, ours) in one.sums.items()
    ]
    newest = {one.stream: one.counted_at for one in receipt.windows}
    lines += [
        f"{one.stream}, {spelled(one)}: {one.reason}{_as_counted(one) if one.counted_at != newest[one.stream] else ''}"
        for one in receipt.windows
        if one.reason is not None and one.verdict != "unproven"
    ]
    lines += [f"not proven: {streams}: {why}" for why, streams in receipt.unproven.items()]
    lines += [f"stopped: {receipt.stopped}"] if receipt.stopped else []
    needs_legend = any(one.explained or one.wrong for one in receipt.windows)
    return ["", *lines, *([LEGEND] if needs_legend else [])] if lines or needs_legend else []


def _lag(window: WindowProof) -> str:
    """How long before the count the newest records were created that were counted."""
    if window.before is None or window.counted_at is None:
        return ""
    minutes = (window.counted_at - window.before).total_seconds() / 60
    return f"{minutes:,.1f} min" if minutes < 120 else f"{minutes / 60:,.1f} h"


def _as_counted(one: WindowProof) -> str:
    """What stays of an earlier count, as the newest one could not tell; the newest stands last."""
    return "" if one.counted_at is None else f", as counted at {_instant(one.counted_at)} and not disproven since"


def _instant(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def reconciled_page(receipts: Iterable[ReconcileReceipt]) -> str:
    """The artifact."""
    parts = []
    for receipt in receipts:
        rows = [HEAD, ("---",) * len(HEAD), *(proof_cells(one) for one in receipt.windows)]
        table = "\n".join(_row(row, escape=place != 1) for place, row in enumerate(rows))
        lines = "\n\n".join(markdown(line) for line in remarks(receipt) if line)
        parts += [f"## {markdown(head_line(receipt))}", table, lines]
    return "\n\n".join(filter(None, parts))


def _row(cells: Sequence[str], *, escape: bool) -> str:
    return f"| {' | '.join(markdown(cell) if escape else cell for cell in cells)} |"


def _number(rows: int | None) -> str:
    return "?" if rows is None else f"{rows:,}"


def _money(amount: int) -> str:
    return f"{to_decimal(amount):,.2f}"

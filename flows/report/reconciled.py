"""What counting showed, as cells and lines of text: what the terminal and the artifact have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flows.escaping import markdown
from flows.pipeline.reconciling import spelled
from flows.results import ReconcileReceipt, WindowProof
from kammodel.entities.types import to_decimal

HEAD = ("stream", "window", "CRM", "store", "difference", "explained", "wrong", "verdict")
LEGEND = (
    "explained: set aside, forgotten on purpose, or changed in the CRM since it was last read; wrong: missing, there "
    "still, or with another amount, and nothing explains it"
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
        _number(window.crm),
        _number(window.ours),
        "" if not difference else f"{difference:+,}",
        f"{window.explained:,}" if window.explained else "",
        f"{window.wrong:,}" if window.wrong else "",
        window.verdict,
    )


def remarks(receipt: ReconcileReceipt) -> list[str]:
    """Lines below the table: sums of amounts, why something is unproven, and what the columns mean."""
    lines = [
        f"{one.stream}, {spelled(one)}: amounts {_money(theirs)} in the CRM, {_money(ours)} in the store {currency}"
        for one in receipt.windows
        for currency, (theirs, ours) in one.sums.items()
    ]
    lines += [f"not proven: {streams}: {why}" for why, streams in receipt.unproven.items()]
    lines += [f"stopped: {receipt.stopped}"] if receipt.stopped else []
    needs_legend = any(one.explained or one.wrong for one in receipt.windows)
    return ["", *lines, *([LEGEND] if needs_legend else [])] if lines or needs_legend else []


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

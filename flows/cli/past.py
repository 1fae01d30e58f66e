"""What reading takes, and reading the past of CRMs, at work."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import cast

from rich.text import Text

from flows import past
from flows.cli.faults import FAILED, PARTIAL, say
from flows.cli.session import session
from flows.cli.show import (
    print_json,
    printed,
    show_applied,
    show_backfilled,
    show_planned,
    show_scored,
    table,
)
from flows.crms import Sharing, StreamName, shared_out
from flows.escaping import plain
from flows.past import Past
from flows.pipeline.gating import needs_approval
from flows.report.past import (
    ESTIMATE,
    WINDOW,
    estimate_cells,
    estimate_lines,
    fill_title,
    told_windows,
    window_cells,
)
from flows.results import CrmBackfillReceipt, EstimateReceipt, NotCounted
from kammodel.errors import KamError

_SAME = ("first", "last", "every", "calls", "again", "scores", "write_back")
"""What the flow takes under the same name."""


def backfill_crms(crm: str | None, asked: Past, *, prefect: bool, as_json: bool) -> int | None:
    """Reads the past of CRMs into the store; the estimate comes first."""
    with session(prefect=prefect) as at:
        crms = at.runtime.chosen(crm)
        _say_passed_over(shared_out(crms, asked.streams))
        if at.as_flows:
            from flows.backfill import Of
            from flows.backfill import backfill as flow

            named, ways = at.one(crm), _in_form(asked.streams)
            given = {name: getattr(asked, name) for name in _SAME}
            receipt = cast("CrmBackfillReceipt", at.flow(flow(of=Of.crm, crm=named, streams=ways, **given)))
        else:
            receipt = past.backfill(at.runtime, crms, asked, announce=_announce)
    print_json(receipt) if as_json else _show(receipt)
    beyond = [one for one in receipt.stopped if one.tripped]
    if beyond:
        say(plain(str(needs_approval(beyond))), logging.ERROR)
        return FAILED
    if not receipt.left:
        return None
    say(f"partial: {plain('; '.join(receipt.left))}")
    return PARTIAL


def estimate(crm: str | None, asked: Past | None, streams: tuple[str, ...], *, full: bool, as_json: bool) -> None:
    """Counts, and reads nothing."""
    with session() as at:
        sharing = shared_out(at.runtime.chosen(crm), streams)
        _say_passed_over(sharing)
        receipts = tuple(
            past.estimate(at.runtime, name, asked and replace(asked, streams=own), full=full, streams=own)
            for name, own in sharing.streams.items()
        )
    if as_json:
        print_json(receipts)
        return
    for receipt in receipts:
        printed(table(receipt.source, ESTIMATE, map(estimate_cells, receipt.streams), words=2))
        for line in estimate_lines(receipt):
            printed(Text(plain(line)))


def _in_form(streams: tuple[str, ...]) -> list[StreamName]:
    """As the flow's form offers them. Raises KamError for a name that no CRM has."""
    for name in streams:
        if name not in list(StreamName):
            raise KamError(f"there is no stream named {name} that has a past; there are {', '.join(StreamName)}")
    return [StreamName(name) for name in streams]


def _say_passed_over(sharing: Sharing) -> None:
    for line in sharing.passed_over:
        say(line)


def _announce(receipt: EstimateReceipt | NotCounted) -> None:
    """Beside the result, which a program may read."""
    for line in estimate_lines(receipt):
        say(plain(line))


def _show(receipt: CrmBackfillReceipt) -> None:
    for one in receipt.crms:
        windows = told_windows(one)
        title = Text(plain(fill_title(one)))
        printed(table(str(title), WINDOW, map(window_cells, windows), words=2) if windows else title)
    if receipt.scores is not None:
        show_backfilled(receipt.scores)
    if receipt.scored is not None:
        show_scored(receipt.scored)
    show_planned(receipt.stopped or [one.plan for one in receipt.write_backs])
    show_applied([one.applied for one in receipt.write_backs])

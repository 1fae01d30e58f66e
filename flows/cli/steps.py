"""The steps of the work as commands: straight through the pipeline, or as Prefect flows."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import cast

from flows import past, steps
from flows.cli.faults import FAILED, PARTIAL, say
from flows.cli.session import Session, session
from flows.cli.show import (
    print_json,
    show_applied,
    show_backfilled,
    show_planned,
    show_pulled,
    show_run,
    show_scored,
    show_thinned,
)
from flows.cli.telling import say_digests
from flows.escaping import plain
from flows.pipeline import Every
from flows.pipeline.gating import needs_approval
from flows.report.past import scores_lines
from flows.results import BackfillReceipt


def pull(crm: str | None, *, full: bool, prefect: bool, as_json: bool) -> int | None:
    """Reads the CRMs into the store."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.sync import pull as flow

            receipts = at.flow(flow(crm=at.one(crm), full=full))
        else:
            receipts = tuple(
                steps.pull(at.runtime, name, full=full, progress=at.progress) for name in at.runtime.chosen(crm)
            )
    print_json(receipts) if as_json else show_pulled(receipts)
    return _code(steps.unread(receipts))


def score(as_of: dt.date | None, *, prefect: bool, as_json: bool) -> None:
    """Scores every account group."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.score import score as flow

            receipt = at.flow(flow(as_of=as_of))
        else:
            _say_alone(at)
            receipt = steps.score(at.runtime, as_of, progress=at.progress)
    print_json(receipt) if as_json else show_scored(receipt)


def backfill(first: dt.date, last: dt.date | None, every: Every, *, prefect: bool, as_json: bool) -> None:
    """Scores past days."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.backfill import backfill as flow

            receipt = cast("BackfillReceipt", at.flow(flow(first=first, last=last, every=every)))
        else:
            estimated = past.estimate_scores(at.runtime, first, last, every)
            for line in scores_lines(estimated) if estimated else ():
                say(line)
            receipt = steps.backfill(at.runtime, first, last, every, progress=at.progress)
    print_json(receipt) if as_json else show_backfilled(receipt)


def thin(*, prefect: bool, as_json: bool) -> None:
    """Thins older daily snapshots out."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.backfill import thin as flow

            receipt = at.flow(flow())
        else:
            receipt = steps.thin(at.runtime)
    print_json(receipt) if as_json else show_thinned(receipt)


def plan(crm: str | None, as_of: dt.date | None, *, full: bool, prefect: bool, as_json: bool) -> int | None:
    """Stores a plan per CRM."""
    unplanned: tuple[str, ...] = ()
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.write_back import plan as flow

            receipts = at.flow(flow(crm=at.one(crm), as_of=as_of, full=full))
        else:
            receipts, unplanned = steps.each(
                at.runtime.chosen(crm),
                lambda name: steps.plan(at.runtime, name, as_of, full=full, progress=at.progress),
            )
    print_json(receipts) if as_json else show_planned(receipts)
    return _code(unplanned)


def apply(crm: str | None, *, prefect: bool, as_json: bool) -> int | None:
    """Writes the latest plan of each CRM."""
    unbegun: tuple[str, ...] = ()
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.write_back import apply as flow

            receipts = at.flow(flow(crm=at.one(crm)))
        else:
            names = at.runtime.chosen(crm)
            steps.require_writable(at.runtime, names)
            receipts, unbegun = steps.each(
                names, lambda name: steps.apply(at.runtime, name, None, progress=at.progress)
            )
            say_digests(steps.unsent_digests(at.runtime, receipts))
    print_json(receipts) if as_json else show_applied(receipts)
    return _code((*steps.unwritten(receipts), *unbegun))


def run(as_of: dt.date | None, *, full: bool, prefect: bool, as_json: bool) -> int | None:
    """Pull, score, plan and apply, for every configured CRM."""
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.run import run as flow

            receipt = at.flow(flow(as_of=as_of, full=full))
        else:
            # Before anything is written down of it, there has to be something to run.
            at.runtime.chosen(None)
            _say_alone(at)
            receipt = steps.run(at.runtime, as_of, full=full, progress=at.progress)
    print_json(receipt) if as_json else show_run(receipt)
    say_digests(receipt.digests)
    beyond = [one for one in receipt.stopped if one.tripped]
    if beyond:
        say(plain(str(needs_approval(beyond))), logging.ERROR)
        return FAILED
    return _code(receipt.left)


def _say_alone(at: Session) -> None:
    """Says that a cluster which was asked for is not used."""
    if at.runtime.settings.dask is not None:
        say("KAM_DASK: shards are mapped over a cluster by flows only; add --prefect, or set PREFECT_API_URL")


def _code(left: Sequence[str]) -> int | None:
    """Says in one line what is left to do."""
    if not left:
        return None
    say(f"partial: {plain('; '.join(left))}")
    return PARTIAL

"""`kam sweep`: straight through the pipeline, or as a Prefect flow."""

from __future__ import annotations

from flows import steps
from flows.cli.faults import PARTIAL, say
from flows.cli.session import session
from flows.cli.show import print_json, show_pulled
from flows.escaping import plain
from flows.pipeline.swept import Sweeps
from flows.sweeping import sweep_one


def sweep(crm: str | None, of: str, *, prefect: bool, as_json: bool) -> int | None:
    """Looks through each CRM."""
    what = Sweeps(of)
    with session(prefect=prefect) as at:
        if at.as_flows:
            from flows.sweep import sweep as flow

            receipts = at.flow(flow(crm=at.one(crm), of=what))
        else:
            names = at.runtime.chosen(crm)
            receipts = tuple(sweep_one(at.runtime, name, of=what, progress=at.progress) for name in names)
    print_json(receipts) if as_json else show_pulled(receipts)
    left = steps.unread(receipts)
    if not left:
        return None
    say(f"partial: {plain('; '.join(left))}")
    return PARTIAL

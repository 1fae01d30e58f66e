"""What the page of each run shows beside what was done: rows that are set aside, calls, and the slowest steps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from connectors.contract.estimating import Foresees
from flows.report.usage import Left, Receipt, usage_page, works_of
from flows.results.standing import Rejects
from flows.runtime import Runtime
from kammodel.errors import KamError
from kammodel.store import health

_log = logging.getLogger(__name__)


async def with_usage(runtime: Runtime, page: str, crms: Sequence[str], receipts: Iterable[Receipt]) -> str:
    """The page with what these steps cost, and what is set aside of these CRMs. Asks no CRM.

    A fault in finding that out is told on the page, and raises nothing: what was done is done.
    """
    try:
        works = works_of(receipts)
        left = {crm: rest for crm in crms if (rest := _left(runtime, crm)) is not None}
        rejects = await asyncio.to_thread(_rejects, runtime, crms)
        usage = usage_page(works, left, rejects)
    except Exception as fault:  # noqa: BLE001  whatever it is, the run has not failed for it
        kind = type(fault).__name__
        _log.warning("what the run cost could not be found out (%s)", kind)
        usage = f"What it cost, and what is set aside, could not be found out ({kind})."
    return "\n\n".join(filter(None, (page, usage)))


def _rejects(runtime: Runtime, crms: Sequence[str]) -> dict[str, tuple[Rejects, ...]]:
    with runtime.store.transaction() as tx:
        return {crm: tuple(Rejects(*row) for row in health.rejects_by_reason(tx, crm)) for crm in crms}


def _left(runtime: Runtime, crm: str) -> Left | None:
    """What the CRM's last answers said."""
    try:
        connector = runtime.connector(crm)
        quota = connector.estimates.quota() if isinstance(connector, Foresees) else None
    except KamError:
        return None
    return Left(quota.left, quota.limit) if quota is not None else None

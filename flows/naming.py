"""Says of which CRM a fault is that does not say so itself, and how many of a thing there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from connectors.contract import Identity
from connectors.errors import QuotaSpent
from flows.runtime import Runtime
from kammodel.errors import KamError


@contextmanager
def about(crm: str) -> Iterator[None]:
    """Puts the name of the CRM before the text of a QuotaSpent, as in the lines of what is left to do."""
    try:
        yield
    except QuotaSpent as fault:
        fault.args = (named(crm, fault),)
        raise


def named(crm: str, fault: KamError) -> str:
    """Its text with the name of the CRM before it, once."""
    text = str(fault)
    return text if text.startswith(f"{crm}: ") else f"{crm}: {text}"


def refusals(faults: Mapping[str, KamError], done: Sequence[object]) -> tuple[str, ...]:
    """A line for each CRM that something was refused of. Raises the first fault where nothing was `done` at all."""
    if faults and not done:
        raise next(iter(faults.values()))
    return tuple(named(crm, fault) for crm, fault in faults.items())


def who(runtime: Runtime, crm: str) -> Identity:
    """Signs in to a CRM, for a step that is not of it alone."""
    with about(crm):
        return runtime.connector(crm).identify()


def cells_left(cells: int) -> str:
    """As the end of "resumes with"."""
    return "the 1 cell that is left" if cells == 1 else f"the {cells:,} cells that are left"

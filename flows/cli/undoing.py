"""`kam undo` and `kam adopt`: shown first, then asked, then done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from flows import steps
from flows.cli.asking import ask
from flows.cli.faults import PARTIAL, say
from flows.cli.planned import show_cells, texts_of
from flows.cli.session import Session, session
from flows.cli.show import print_json, printed, show_applied, table
from flows.cli.telling import say_digests
from flows.escaping import plain
from flows.naming import refusals
from flows.pipeline.adopting import adopt
from flows.pipeline.undoing import Undo, plans_to_undo
from flows.results import AdoptReceipt, ApplyReceipt, PlanReceipt
from flows.results import as_json as as_plain
from kammodel.errors import KamError

_UNDO = ("CRM", "plan", "accounts", "cells", "spared", "back already", "write calls")
_ADOPT = ("CRM", "accounts", "filled cells", "proven ours", "not proven", "new in the ledger")


def undo_plan(name: str, *, dry_run: bool, yes: bool, as_json: bool) -> int | None:
    """Takes plans back, one for each CRM that the name means."""
    with session() as at:
        found = [
            steps.undo_of(at.runtime, plan, progress=at.progress) for plan in plans_to_undo(at.runtime.store, name)
        ]
        if not as_json:
            _show(at, found)
    undos = [one for one in found if not one.is_empty]
    done: list[ApplyReceipt] = []
    unbegun: tuple[str, ...] = ()
    if not dry_run and undos:
        if not yes:
            ask("take this back", "nothing was taken back")
        with session() as at:
            done, unbegun = _taken_back(at, undos)
            say_digests(steps.unsent_digests(at.runtime, done))
    if as_json:
        # What is only looked at is a plan that nobody finds by an id.
        shown = [as_plain(one.receipt) | {"plan_id": None, "undoes": one.made.undoes} for one in found]
        print_json(done or shown)
    else:
        show_applied(done)
    left = (*steps.unwritten(done), *unbegun)
    if left:
        say(f"partial: {plain('; '.join(left))}")
        return PARTIAL
    return None


def _taken_back(at: Session, undos: Sequence[Undo]) -> tuple[list[ApplyReceipt], tuple[str, ...]]:
    """CRM by CRM, so that none is kept and not written; and the `refusals`."""
    done: list[ApplyReceipt] = []
    faults: dict[str, KamError] = {}
    for undo in undos:
        crm = undo.made.source
        try:
            kept = steps.keep_undo(at.runtime, undo, progress=at.progress)
            done.append(steps.apply(at.runtime, crm, kept.plan_id, progress=at.progress))
        except KamError as fault:
            faults[crm] = fault
    return done, refusals(faults, done)


def adopt_all(crm: str | None, *, everything: bool, yes: bool, as_json: bool) -> None:
    """Enters into the ledger what is ours in each CRM."""
    if everything and not yes:
        found = _adopted(crm, everything=True, dry_run=True)
        _show_adopted(found)
        ask("take all of it for ours, so that it may be written over", "nothing was adopted")
    receipts = _adopted(crm, everything=everything, dry_run=False)
    print_json(receipts) if as_json else _show_adopted(receipts)


def _adopted(crm: str | None, *, everything: bool, dry_run: bool) -> list[AdoptReceipt]:
    with session() as at:
        given, store = at.runtime.given, at.runtime.store
        return [
            adopt(
                at.runtime.connector(name),
                store,
                at.runtime.clock,
                everything=everything,
                dry_run=dry_run,
                given=given,
                progress=at.progress,
            )
            for name in at.runtime.chosen(crm)
        ]


def _show(at: Session, found: Sequence[Undo]) -> None:
    rows = [(undo.made.source, undo.made.undoes or "", *_counts(undo.receipt)) for undo in found]
    printed(table("To be taken back", _UNDO, rows, words=2))
    for undo in found:
        show_cells(undo.cells, texts_of(at.runtime, undo.made, undo.cells), f"kam plans {undo.made.undoes} --csv FILE")


def _counts(one: PlanReceipt) -> tuple[str, ...]:
    counts = (one.accounts_to_write, one.cells_to_write, one.cells_held, one.cells_equal, one.write_calls)
    return tuple(f"{n:,}" for n in counts)


def _show_adopted(receipts: Sequence[AdoptReceipt]) -> None:
    title = "Would be adopted" if receipts and receipts[0].is_dry_run else "Adopted"
    rows = [
        (one.source, *(f"{n:,}" for n in (one.accounts, one.filled, one.proven, one.unproven, one.adopted)))
        for one in receipts
    ]
    printed(table(title, _ADOPT, rows))
    if any(one.unproven for one in receipts) and not any(one.is_dry_run for one in receipts):
        printed(Text("What is not proven counts as a person's; kam adopt --all takes it for ours.", style="dim"))

"""What `kam forget` does: shows what would go, asks, erases; lists what was forgotten, and lets it in again."""

from __future__ import annotations

import os
from typing import Any

from rich.text import Text

from flows import pipeline
from flows.cli.asking import ask
from flows.cli.faults import PARTIAL, say
from flows.cli.session import session
from flows.cli.show import print_json, printed, table
from flows.escaping import plain
from flows.pipeline.forgetting import Places, Whom
from flows.results import ForgetReceipt
from flows.runtime import Runtime
from kammodel.store.suppressing import lift_suppression, suppressions

SHOWN_DIGITS = 12


def forget_one(whom: Whom, *, yes: bool, as_json: bool) -> int | None:
    """Forgets one; nothing is done before a person has seen what, and said yes."""
    if not yes:
        with session() as at:
            would = _forget(at.runtime, whom, rehearsal=True)
        printed(*_records(would), _counts(would), *_files(would))
        ask(f"forget this {whom.kind}" if would.records == 1 else "forget all of these", "nothing was forgotten")
    with session() as at:
        done = _forget(at.runtime, whom, rehearsal=False)
    if as_json:
        print_json(done)
    else:
        printed(_counts(done), *_files(done), Text(f"remembered as {done.entry[:SHOWN_DIGITS]}", style="bold"))
    if os.environ.get("PREFECT_API_URL"):
        say("the Prefect server of PREFECT_API_URL keeps pages and logs of earlier runs: see to them there")
    return _code(done)


def show_list(*, as_json: bool) -> None:
    """What was forgotten: hash, kind, when, and how many records came under it."""
    with session() as at, at.runtime.store.transaction() as tx:
        rows = [(one.hash, one.kind, one.forgotten_at, under) for one, under in suppressions(tx)]
    if as_json:
        names = ("hash", "kind", "forgotten_at", "under")
        told: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({"forgotten": [one | {"forgotten_at": one["forgotten_at"].isoformat()} for one in told]})
        return
    cells = [(hash_[:SHOWN_DIGITS], kind, f"{at:%Y-%m-%d %H:%M} UTC", f"{under:,}") for hash_, kind, at, under in rows]
    title = f"{len(rows):,} forgotten"
    printed(table(title, ("hash", "kind", "when", "with it"), cells, words=3) if rows else Text(title))


def let_in(prefix: str, *, as_json: bool) -> None:
    """What was forgotten is read again with the next full load."""
    with session() as at, at.runtime.store.transaction() as tx:
        lifted = lift_suppression(tx, prefix)
        told = {"hash": lifted.hash, "kind": lifted.kind}
    if as_json:
        print_json(told)
        return
    printed(Text(f"{told['kind']} {told['hash'][:SHOWN_DIGITS]} is let in again, with the next: kam pull --full"))


def _forget(runtime: Runtime, whom: Whom, *, rehearsal: bool) -> ForgetReceipt:
    places = Places(runtime.settings.home, runtime.settings.inputs_dir)
    return pipeline.forget(runtime.store, whom, places, runtime.clock, rehearsal=rehearsal)


def _counts(receipt: ForgetReceipt) -> Any:
    rows = [(name, f"{n:,}", "") for name, n in receipt.counts.items()]
    rows += [(name, "", f"{n:,}") for name, n in receipt.emptied.items()]
    what = "would go" if receipt.is_rehearsal else "is gone"
    title = f"{receipt.records:,} {receipt.kind} record{'s' if receipt.records > 1 else ''}: what {what}"
    return table(title, ("table", "rows", "rows that lose a link"), rows)


def _records(receipt: ForgetReceipt) -> list[Text]:
    """Which they are, where an address is of several."""
    named = receipt.ids if len(receipt.ids) > 1 else ()
    return [Text(f"{receipt.kind} {plain(one)}") for one in named]


def _files(receipt: ForgetReceipt) -> list[Text]:
    done = "would be cleaned" if receipt.is_rehearsal else "cleaned"
    told = [Text(f"file {done}: {plain(path)}") for path in receipt.cleaned]
    theirs = "your file, which names it; kam does not edit it"
    return told + [Text(f"{theirs}: {plain(path)}", style="yellow") for path in receipt.theirs]


def _code(done: ForgetReceipt) -> int | None:
    if done.is_complete:
        return None
    if not done.is_wiped:
        say(
            "partial: it is out of the store, but another program was at work on it, so that bytes may be left in its "
            "file: end that program, and run kam thin"
        )
    for path in done.left:
        say(f"partial: {plain(path)} names it still, and could not be cleaned: see to it, or delete it")
    return PARTIAL

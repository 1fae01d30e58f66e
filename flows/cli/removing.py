"""`kam provision --remove`: shows what would go, asks, and takes it away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from connectors.contract import Connector, Provisioning, Removal
from flows.cli.asking import ask
from flows.cli.provisioning import cannot
from flows.cli.session import Session, session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from kammodel.publish.fields import CustomField
from kammodel.rollups.retired import retired_fields
from kammodel.store import plans


def remove_all(crm: str | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Removes from each CRM what provisioning made. `dry_run`: checked by the CRM, and nothing is changed."""
    shown = _look(crm)
    there = [name for name, removal in shown.items() if removal is not None and not removal.is_empty]
    if not as_json:
        for name, removal in shown.items():
            printed(_lines(name, removal))
    if there and not dry_run and not yes:
        ask(f"remove this from {', '.join(there)}", "nothing was removed")
    done = _remove(there, dry_run=dry_run)
    if as_json:
        print_json({name: _facts(name, shown[name], done, dry_run=dry_run) for name in shown})
        return
    for name in done:
        printed(Text(f"{name}: {'it can be removed; nothing was changed' if dry_run else 'removed'}", style="bold"))


def _look(crm: str | None) -> dict[str, Removal | None]:
    """What each CRM would lose; None where there is no way to remove it."""
    shown: dict[str, Removal | None] = {}
    with session() as at:
        names = at.runtime.chosen(crm)
        for name in names:
            at.progress(f"{name} look", 0, None)
            connector = at.runtime.connector(name)
            if cannot(connector, "--remove", alone=len(names) == 1):
                shown[name] = None
            elif isinstance(connector, Provisioning):
                shown[name] = connector.removal(_fields(at, connector))
    return shown


def _remove(names: list[str], *, dry_run: bool) -> dict[str, Removal]:
    done: dict[str, Removal] = {}
    if not names:
        return done
    with session() as at:
        for name in names:
            at.progress(f"{name} remove", 0, None)
            connector = at.runtime.connector(name)
            if isinstance(connector, Provisioning):
                done[name] = connector.remove(_fields(at, connector), dry_run=dry_run)
    return done


def _fields(at: Session, connector: Connector) -> tuple[CustomField, ...]:
    """All that provisioning made, those of rollups that are declared no more included."""
    identity, fields = connector.identify(), at.runtime.fields
    with at.runtime.store.transaction() as tx:
        written = plans.ledger(tx, identity.source, identity.instance)
    return (*fields, *retired_fields(written, fields))


def _facts(name: str, shown: Removal | None, done: dict[str, Removal], *, dry_run: bool) -> dict[str, Any]:
    if shown is None:
        return {"notes": [_by_hand(name)]}
    return asdict(done.get(name, shown)) | {"removed": name in done and not dry_run, "dry_run": dry_run}


def _by_hand(name: str) -> str:
    return f"{name}: kam cannot remove its fields there; delete them in its settings"


def _lines(name: str, removal: Removal | None) -> Text:
    text = Text(name, style="bold")
    if removal is None:
        return Text(_by_hand(name), style="yellow")
    if removal.is_empty:
        return text.append("  nothing of kam is there", style="green")
    text.append("  what goes", style="default")
    for api_name, held in removal.fields.items():
        people = api_name in removal.typed_by_people
        values = "it is not known how many accounts hold a value" if held is None else f"{held:,} accounts hold a value"
        typed = ", typed by people and nowhere else" if people and held != 0 else ""
        text.append(f"\n  field {plain(api_name)}: {values}{typed}", style="yellow" if typed else "default")
    for part in removal.parts:
        what = f"our fields on the {part.kind} {part.name}" if part.done == "changed" else f"{part.kind} {part.name}"
        text.append(f"\n  {plain(what)}", style="default")
    return text

"""`kam provision`: our custom fields and permissions in the CRMs, or as files for an admin."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.text import Text

from flows.cli.session import session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from kammodel.publish.fields import FIELDS


def provision_all(crm: str | None, out: Path | None, *, as_json: bool) -> None:
    """Provisions each CRM, or writes what would be done into a folder per CRM."""
    done: dict[str, object] = {}
    with session() as at:
        language = at.runtime.settings.language
        for name in at.runtime.chosen(crm):
            connector = at.runtime.connector(name)
            if out is not None:
                files = connector.export_provisioning(FIELDS, language, out / name)
                done[name] = {"files": [str(file) for file in files]}
                continue
            at.progress(f"{name} provision", 0, None)
            done[name] = asdict(connector.provision(FIELDS, language))
    if as_json:
        print_json(done)
        return
    for name, what in done.items():
        printed(_lines(name, what))


def _lines(name: str, what: object) -> Text:
    facts: dict[str, list[str]] = what if isinstance(what, dict) else {}
    text = Text(name, style="bold")
    for kind in ("files", "created", "changed", "unchanged"):
        items = facts.get(kind) or ()
        if items:
            text.append(f"\n  {kind}: ", style="default")
            text.append(plain(", ".join(items)), style="green" if kind == "created" else "default")
    for note in facts.get("notes") or ():
        text.append(f"\n  {plain(note)}", style="yellow")
    return text

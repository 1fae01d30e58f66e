"""`kam provision`: our custom fields and what shows them in the CRMs, or as files for an admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from connectors.contract import Connector, Finding, Part, Provisioning
from connectors.errors import FieldsNotProvisioned
from flows.cli.session import session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from kammodel.errors import KamError
from kammodel.publish.fields import CustomField

STYLES = {"error": "red", "warning": "yellow", "unknown": "yellow"}
_ALIKE = ("created", "changed", "unchanged")


def provision_all(crm: str | None, out: Path | None, *, layouts: bool, dry_run: bool, as_json: bool) -> None:
    """Provisions each CRM, says what that would do, or writes it into a folder per CRM."""
    done: dict[str, dict[str, Any]] = {}
    with session() as at:
        language = at.runtime.settings.language
        names = at.runtime.chosen(crm)
        for name in names:
            connector = at.runtime.connector(name)
            if out is not None:
                files = connector.export_provisioning(at.runtime.fields, language, out / name)
                done[name] = {"files": [str(file) for file in files]}
                continue
            at.progress(f"{name} provision", 0, None)
            if dry_run and cannot(connector, "--dry-run", alone=len(names) == 1):
                done[name] = {
                    "notes": [f"{name} cannot be tried beforehand; kam provision --out DIR shows what it makes"]
                }
                continue
            done[name] = _provision(connector, at.runtime.fields, language, layouts=layouts, dry_run=dry_run)
    if as_json:
        print_json(done)
        return
    for name, facts in done.items():
        printed(_lines(name, facts))


def cannot(connector: Connector, option: str, *, alone: bool) -> bool:
    """Whether a CRM has no such way; raises KamError where it was the only one that was asked for."""
    if isinstance(connector, Provisioning):
        return False
    if alone:
        raise KamError(f"{connector.name} has no {option}: kam provision --out DIR shows what provisioning makes")
    return True


def finding_lines(findings: Iterable[Finding]) -> Text:
    """A line for each, errors first."""
    text = Text()
    for one in sorted(findings, key=lambda f: list(STYLES).index(f.grade)):
        text.append(f"\n  {one.grade}: {plain(one.text)}", style=STYLES[one.grade])
    return text


def _part_lines(parts: Iterable[Part]) -> Text:
    """A line for each kind of part and what became of it; a reason has a line of its own."""
    text, named = Text(), dict[tuple[str, str], list[str]]()
    for part in parts:
        if part.why is None:
            named.setdefault((part.kind, part.done), []).append(part.name)
    for (kind, done), names in named.items():
        text.append(f"\n  {kind} {done}: {plain(', '.join(names))}", style="green" if done == "created" else "default")
    for part in (p for p in parts if p.why is not None):
        text.append(f"\n  {part.kind} {part.done}: {plain(part.name)}: {plain(part.why or '')}", style="yellow")
    return text


def _provision(
    connector: Connector, fields: Sequence[CustomField], language: str, *, layouts: bool, dry_run: bool
) -> dict[str, Any]:
    if not isinstance(connector, Provisioning):
        return asdict(connector.provision(fields, language))
    # Before anything is written. What only the later runs lack does not stop the admin.
    findings = connector.preflight(fields)
    errors = [f.text for f in findings if f.grade == "error" and f.about == "provision"]
    if errors:
        raise FieldsNotProvisioned(f"{connector.name}: nothing was provisioned: {'; '.join(errors)}")
    done = connector.provision(fields, language, layouts=layouts, dry_run=dry_run)
    return asdict(done) | {"findings": [asdict(one) for one in findings]}


def _lines(name: str, facts: Mapping[str, Any]) -> Text:
    text = Text(name, style="bold")
    if facts.get("dry_run"):
        text.append("  tried only, nothing was changed", style="default")
    if _is_idle(facts):
        text.append("  nothing to do: everything is there as it shall be", style="green")
    for kind in ("files", *_ALIKE):
        items = facts.get(kind) or ()
        if items:
            text.append(f"\n  {kind}: ", style="default")
            text.append(plain(", ".join(items)), style="green" if kind == "created" else "default")
    text.append_text(_part_lines([Part(**part) for part in facts.get("parts") or ()]))
    text.append_text(finding_lines([Finding(**one) for one in facts.get("findings") or ()]))
    for note in facts.get("notes") or ():
        text.append(f"\n  {plain(note)}", style="yellow")
    return text


def _is_idle(facts: Mapping[str, Any]) -> bool:
    changed = {part["done"] for part in facts.get("parts") or ()} & {"created", "changed"}
    return bool(facts.get("unchanged")) and not (facts.get("created") or facts.get("changed") or changed)

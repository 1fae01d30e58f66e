"""`kam explain --stored`: what was recorded of an account group, printed again and not computed again."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from flows.cli.session import session
from flows.cli.show import printed, tier_text
from flows.escaping import plain
from flows.pipeline.reprinting import Recorded, recorded
from flows.report.history import changes_text
from flows.words import Words
from kammodel.reprint import snapshot_json


def reprint_account(account: str, day: dt.date | None, recorded_at: str | None, *, as_json: bool) -> None:
    """Prints what was recorded of the group of one account; `recorded_at` is an instant as ISO 8601."""
    with session() as at:
        config = at.runtime.scoring()
        until, given = instant(recorded_at), at.runtime.given
        found = recorded(at.runtime.store, config, account, day=day, recorded_until=until, given=given)
    if as_json:
        sys.stdout.write(snapshot_json(found.row) + "\n")
        return
    say = Words(config.language)
    printed(_head(found.row, say), _criteria(found.row, say), _kpis(found.row, say), _foot(found, say))


def instant(text: str | None) -> dt.datetime | None:
    """An instant with its offset; one without would be read otherwise in another place."""
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant such as 2026-03-01T02:15:00+00:00") from None
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text} needs an offset: {text}+00:00 is UTC")
    return found


def _head(row: dict[str, Any], say: Words) -> Text:
    text = Text(row["group_id"], style="bold")
    text.append("\n")
    text.append_text(tier_text(row["tier_effective"], say.tier(row["tier_effective"])))
    text.append(f"  {say.number(row['score'], 1)}  ", style="bold")
    text.append(say("x_as_of", day=row["as_of"].isoformat()), style="dim")
    text.append(f"\n{plain(json.loads(row['reasons'])['reason'])}\n")
    text.append(say("x_recorded", at=row["recorded_at"].isoformat(timespec="seconds"), run=row["run_id"]), style="dim")
    return text


def _criteria(row: dict[str, Any], say: Words) -> Table:
    known: dict[str, float | None] = json.loads(row["criteria"])
    made = _table(say("x_criterion"), say("x_value"), say("x_points"))
    for key in sorted({name[2:] for name in known}):
        made.add_row(key, say.number(known.get(f"s_{key}"), 1), say.number(known.get(f"c_{key}"), 1))
    return made


def _kpis(row: dict[str, Any], say: Words) -> Table:
    # As text: a figure is shown with the digits that it was written with.
    known: dict[str, str] = json.loads(row["kpis"], parse_float=str, parse_int=str)
    rebuilt = set(json.loads(row["reconstructed"] or "[]"))
    made = _table(say("x_measure"), say("x_value"), "")
    for name in sorted({name.removesuffix("__why") for name in known}):
        why = known.get(f"{name}__why", "")
        mark = say("x_rebuilt") if name in rebuilt else ""
        made.add_row(name, Text(known.get(name, "-")), Text(plain(why or mark), style="dim"))
    return made


def _foot(found: Recorded, say: Words) -> Text:
    row = found.row
    made_from = (row["config_hash"], row["release"], row["inputs_fingerprint"])
    lines = [say("x_made_from", rules=made_from[0], release=made_from[1], inputs=made_from[2])]
    if row["reconstructed"] is None:
        lines.append(say("x_rebuilt_unknown"))
    if found.rules_since:
        lines.append(say("x_rules_since", changes=changes_text(found.rules_since)))
    return Text("\n".join(plain(line) for line in lines), style="dim")


def _table(*heads: str) -> Table:
    made = Table(box=None, header_style="dim", pad_edge=False)
    for place, head in enumerate(heads):
        made.add_column(head, justify="right" if place in {1, 2} and head else "left")
    return made

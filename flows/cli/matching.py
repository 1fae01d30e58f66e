"""`kam matches`: accounts of two CRMs that are, or may be, one company; and the file in which people decide."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
from rich.text import Text

from flows.cli.session import session
from flows.cli.show import print_json, printed, table
from flows.escaping import plain, spreadsheet
from flows.words import Words
from kammodel.entities import Account
from kammodel.errors import KamError
from kammodel.identity import COLUMNS, account_groups
from kammodel.scoring import ScoredDay

FILE = "matches.csv"
SHOWN = ("left", "left_name", "right", "right_name", "rule", "evidence", "state", "why")
MOST_ROWS = 50


def list_matches(*, everything: bool, into: Path | None, as_json: bool) -> None:
    """Shows the pairs that a person should decide, with `everything` also those that are settled; `into` writes the
    file for the decisions, with those made so far. Computed from the store; nothing is written there."""
    with session() as at:
        given = at.runtime.given.frames.get("matches")
        accounts = at.runtime.store.read(Account, list(COLUMNS))
        found = account_groups(accounts, at.runtime.settings.counting_crm, given)
        say, folder = Words(at.runtime.settings.language), at.runtime.settings.inputs_dir
    if into is not None:
        _write(
            into,
            decisions_csv(found.matches, given, say),
            replaces=folder is not None and into.absolute() == folder / FILE,
        )
    listed = found.matches if everything else found.matches.filter(pl.col("state") == "ambiguous")
    counts = {code: n for code, n in found.counts.items() if code.startswith("matches_")}
    if as_json:
        print_json({"counts": counts, "matches": listed.select(SHOWN).to_dicts()})
        return
    _show(listed, counts, into, say)


def matches_of(day: ScoredDay, group_id: str) -> list[dict[str, Any]]:
    """The pairs in which an account of a group is one of the two."""
    group = day.groups.filter(pl.col("group_id") == group_id)["group"].item()
    own = (pl.col("left_group") == group) | (pl.col("right_group") == group)
    return day.matches.filter(own).select(SHOWN).to_dicts()


def sentences(pairs: list[dict[str, Any]], say: Words) -> Text:
    """One line per pair: which two accounts, what became of them, and why."""
    lines = (
        say(f"m_{pair['state']}", left=_account(pair, "left"), right=_account(pair, "right"), reason=_reason(pair, say))
        for pair in pairs
    )
    return Text("\n".join(lines))


def decisions_csv(matches: pl.DataFrame, given: pl.DataFrame | None, say: Words) -> str:
    """The file: first what was decided, as it stood there, then the pairs that are open, with a note for people."""
    lines = io.StringIO()
    out = csv.writer(lines, lineterminator="\n")
    out.writerow(("left", "right", "decision", "note"))
    if given is not None:
        decided = given.drop_nulls("decision").select("left", "right", "decision", "note")
        out.writerows([spreadsheet(text) for text in row] for row in decided.iter_rows())
    for pair in matches.filter(pl.col("state") == "ambiguous").iter_rows(named=True):
        note = f"{plain(pair['left_name'])} | {plain(pair['right_name'])} | {_reason(pair, say)}"
        out.writerow((spreadsheet(pair["left"]), spreadsheet(pair["right"]), "", spreadsheet(note)))
    return lines.getvalue()


def _show(listed: pl.DataFrame, counts: dict[str, int], into: Path | None, say: Words) -> None:
    head = tuple(say(f"m_col_{name}") for name in ("one", "other", "state", "why"))
    rows = [
        (_account(pair, "left"), _account(pair, "right"), say(f"m_state_{pair['state']}"), _reason(pair, say))
        for pair in listed.head(MOST_ROWS).iter_rows(named=True)
    ]
    title = say("m_title", **{code.removeprefix("matches_"): say.number(n) for code, n in counts.items()})
    printed(table(title, head, rows, words=len(head)) if rows else Text(title, style="bold"))
    notes = [
        ("m_more", listed.height - MOST_ROWS),
        ("m_not_listed", counts["matches_not_listed"]),
        ("m_unknown", counts["matches_of_unknown_accounts"]),
        ("m_within", counts["matches_within_one_crm"]),
    ]
    for key, n in notes:
        if n > 0:
            printed(Text(say(key, n=say.number(n)), style="yellow"))
    if into is not None:
        printed(Text(say("m_written", file=str(into))))
    if counts["matches_ambiguous"]:
        printed(Text(say("m_decide"), style="dim"))


def _account(pair: dict[str, Any], side: str) -> str:
    return f"{plain(pair[f'{side}_name']) or '-'} ({plain(pair[side])})"


def _reason(pair: dict[str, Any], say: Words) -> str:
    reason = say(f"m_rule_{pair['rule']}", evidence=plain(pair["evidence"]))
    return f"{reason}; {say('m_why_' + pair['why'])}" if pair["why"] else reason


def _write(path: Path, text: str, *, replaces: bool) -> None:
    """Writes a file as a whole or not at all; one that is there is replaced only if its decisions are in the text."""
    if path.exists() and not replaces:
        raise KamError(f"{path} is there already: name a file that is not, or the {FILE} of KAM_INPUTS_DIR")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as fault:
        raise KamError(f"{path} cannot be written: {fault.strerror or type(fault).__name__}") from None

"""A digest as a Markdown page, in the language of the installation. Text from a CRM is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from flows.escaping import markdown, plain
from flows.words import Words
from kammodel.publish.digest import SECTIONS, Digest, Section, TierChange

NAMED = {"salesforce": "Salesforce", "hubspot": "HubSpot"}
"""CRMs as people call them."""

MOST_HELD = 5
_COLUMNS: tuple[str, ...] = ("d_account", "d_before", "d_now", "d_score", "d_coverage", "d_why")
_ADDRESS = ":/?#@!$&'+,;=%-._~"
"""What stays as it is in the address of a link: no sign that ends a link or a table's cell."""


def digest_page(digest: Digest, say: Words, *, most: int | None = None) -> str:
    """The page; of each section the first `most` changes."""
    parts = [f"# {digest_title(digest, say, owner=markdown(digest.owner))}", _summary(digest, say)]
    for section in SECTIONS:
        changes = digest.of(section)
        if changes:
            parts += [f"## {say(f'd_{section}')} ({say.number(len(changes))})", _table(section, changes[:most], say)]
            if most is not None and len(changes) > most:
                parts.append(say("d_more", shown=say.number(most), n=say.number(len(changes))))
    parts += [f"## {say('d_completeness')}", "\n".join(f"- {line}" for line in _completeness(digest, say))]
    return "\n\n".join(parts) + "\n"


def digest_title(digest: Digest, say: Words, *, owner: str | None = None) -> str:
    """Whose changes these are; `owner` as it is to be written, by default as plain text."""
    name = plain(digest.owner) if owner is None else owner
    return say("d_title", owner=name or digest.kam) if digest.kam else say("d_title_none")


def digest_subject(digest: Digest, say: Words) -> str:
    """The same with how many there are and of when, in one line of plain text."""
    counts = f"{say.number(len(digest.changes))}, {digest.as_of.isoformat()}"
    return f"{digest_title(digest, say)} ({counts})"


def _summary(digest: Digest, say: Words) -> str:
    counts = digest.counts
    told = ", ".join(f"{say(f'd_{s}_n')} {say.number(counts[s])}" for s in SECTIONS if counts[s])
    crms = sorted({NAMED.get(crm, crm) for change in digest.changes for crm in change.crms}, key=str.casefold)
    day, places = digest.as_of.isoformat(), f" {say('d_and')} ".join(crms)
    return f"**{say('d_as_of', day=day)}** · {told}\n\n{say('d_written', crms=places)}"


def _table(section: Section, changes: Sequence[TierChange], say: Words) -> str:
    keys = _COLUMNS if section != "left" else ("d_account", "d_before", "d_why")
    lines = [_row([say(key) for key in keys])]
    lines.append("|" + "".join(" ---: |" if key in {"d_score", "d_coverage"} else " --- |" for key in keys))
    told = (_cells(change, say) for change in changes)
    return "\n".join([*lines, *(_row([cells[key] for key in keys]) for cells in told)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(change: TierChange, say: Words) -> dict[str, str]:
    share = None if change.coverage is None else change.coverage * 100
    return {
        "d_account": _account(change, say),
        "d_before": say.tier(change.before),
        "d_now": f"**{say.tier(change.after)}**",
        "d_score": say.number(change.score, 1),
        "d_coverage": say.percent(share),
        "d_why": markdown(change.reason) or "-",
    }


def _account(change: TierChange, say: Words) -> str:
    """The name, as a link where there is a page; links into further CRMs by their names."""
    name, pages = markdown(change.name) or markdown(change.group_id), list(change.pages.items())
    told = [_link(name, page) for _, page in pages[:1]] or [name]
    if change.accounts > 1:
        told.append(f"({say('d_accounts', n=say.number(change.accounts))})")
    return " ".join([*told, *(_link(NAMED.get(crm, crm), page) for crm, page in pages[1:])])


def _link(text: str, address: str) -> str:
    return f"[{text}]({quote(address, safe=_ADDRESS)})"


def _completeness(digest: Digest, say: Words) -> list[str]:
    known = [c for c in digest.changes if c.coverage is not None]
    lines = []
    if known:
        shares = {c.group_id: c.coverage or 0.0 for c in known}
        least = min(known, key=lambda c: c.coverage or 0.0)
        mean = say.percent(100 * sum(shares.values()) / len(shares))
        name = markdown(least.name) or markdown(least.group_id)
        lines.append(say("d_covered", mean=mean, least=say.percent(100 * (least.coverage or 0.0)), name=name))
    if len(known) < len(digest.changes):
        lines.append(say("d_unknown", n=say.number(len(digest.changes) - len(known))))
    if digest.unwritten:
        lines.append(say("d_unwritten", n=say.number(digest.unwritten)))
    else:
        lines.append(say("d_all_written"))
    if digest.held:
        names = ", ".join(markdown(name) for name in digest.held[:MOST_HELD])
        rest = len(digest.held) - MOST_HELD
        more = say("d_held_more", n=say.number(rest)) if rest > 0 else ""
        lines.append(say("d_held", n=say.number(len(digest.held)), names=names + more))
    return lines

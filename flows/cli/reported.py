"""What `kam report` does: one HTML file, and a line about it."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from flows.cli.session import session
from flows.cli.show import print_json
from flows.escaping import plain
from flows.pipeline.digesting import keep_text
from flows.pipeline.reporting import report_facts
from flows.report.html.page import report_page
from flows.steps import record_pages
from flows.words import Words
from kammodel.errors import KamError


def write_report(day: dt.date | None, out: Path | None, accounts: int, *, as_json: bool) -> None:
    """Writes the report of a day, by default today, in one go; nothing is written into the store or a CRM."""
    with session() as at:
        runtime, say = at.runtime, Words(at.runtime.settings.language)
        config = runtime.scoring(day)
        facts = report_facts(
            runtime.store,
            config,
            lambda: record_pages(runtime),
            most=accounts,
            given=runtime.given,
            progress=at.progress,
        )
    file, text = out or Path(f"kam-report-{config.as_of.isoformat()}.html"), report_page(facts, say)
    try:
        keep_text(file, text)
    except OSError as fault:
        raise KamError(f"--out {file}: {fault.strerror or type(fault).__name__}; name a file you may write") from None
    told, size, groups = len(facts.accounts), len(text.encode()), facts.day.scores.frame.height
    if as_json:
        told_of = {"as_of": config.as_of.isoformat(), "file": str(file), "bytes": size}
        print_json({**told_of, "groups": groups, "accounts": told, "left_out": facts.left_out})
        return
    lines = [
        say("r_done", file=file, accounts=say.number(told), groups=say.number(groups), size=say.number(size / 1024))
    ]
    if facts.left_out:
        lines.append(say("r_done_left", n=say.number(facts.left_out)))
    sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))

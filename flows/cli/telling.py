"""`kam digest`: the digests of a day, printed, as JSON, or as files."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.cli.faults import say as say_beside
from flows.cli.session import session
from flows.cli.show import print_json
from flows.escaping import plain
from flows.pipeline import digesting
from flows.report.digest import digest_page
from flows.results import DigestReceipt
from flows.results import as_json as plain_values
from flows.steps import record_pages
from flows.words import Words
from kammodel.errors import KamError
from kammodel.publish.digest import Digest


def tell(day: dt.date | None, crm: str | None, out: Path | None, *, as_json: bool) -> None:
    """Prints the digests of a day, by default that of the last plan applied; with `out` writes them there instead."""
    with session() as at:
        runtime, say = at.runtime, Words(at.runtime.settings.language)
        if crm is not None:
            runtime.chosen(crm)
        found = day or digesting.last_applied_day(runtime.store)
        made: tuple[Digest, ...] = ()
        if found is not None:
            config, pages = runtime.scoring(found), record_pages(runtime)
            made = digesting.digests_of_day(runtime.store, config, pages, crm=crm, given=runtime.given)
    if out is not None:
        _write(out, made, say)
    if as_json:
        print_json({"as_of": found.isoformat() if found else None, "digests": [_as_json(one) for one in made]})
    elif out is None:
        sys.stdout.write("\n".join(digest_page(one, say) for one in made))
    elif made:
        lines = (say("d_file", file=out / f"{one.slug}.md", n=say.number(len(one.changes))) for one in made)
        sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))
    if not made:
        say_beside(say("d_never") if found is None else say("d_nothing", day=found.isoformat()))


def say_digests(receipts: Sequence[DigestReceipt]) -> None:
    """Says where new digests are, beside the receipts that a program reads, and what could not be delivered."""
    folders = sorted({str(Path(one.file).parent) for one in receipts if one.file})
    if folders:
        many = f"{len(receipts):,} digest{'s' if len(receipts) != 1 else ''}"
        say_beside(f"{many} of tier changes in {plain(', '.join(folders))}")
    for warning in sorted({one.warning for one in receipts if one.warning}):
        say_beside(f"warning: {plain(warning)}")


def _write(out: Path, made: tuple[Digest, ...], say: Words) -> None:
    try:
        digesting.keep_pages(out, made, say)
    except OSError as fault:
        raise KamError(f"--out {out}: {fault.strerror or type(fault).__name__}; name a folder you may write") from None


def _as_json(digest: Digest) -> dict[str, Any]:
    changes = [plain_values(change) | {"section": change.section} for change in digest.changes]
    return plain_values(digest) | {"slug": digest.slug, "changes": changes}

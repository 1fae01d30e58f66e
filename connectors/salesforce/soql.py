"""Writes SOQL: names that describe has shown, and values escaped.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
(read 2026-11-23)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

IDS_AT_ONCE = 400
"""Ids that fit into an address: with its headers it may have 16,384 bytes."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def select(fields: Iterable[str], kind: str, where: str = "") -> str:
    """A query of plain fields. A name that no field can have is an error of ours: nothing is pasted unseen."""
    names = [*fields, kind]
    bad = [name for name in names if not _NAME.fullmatch(name)]
    if bad:
        raise ValueError(f"not a Salesforce name: {bad[0]!r}")
    return f"SELECT {','.join(names[:-1])} FROM {kind}" + (f" WHERE {where}" if where else "")  # noqa: S608


def text(value: str) -> str:
    """A string literal."""
    return f"'{value.translate(_ESCAPED)}'"


def any_of(field: str, values: Iterable[str]) -> str:
    return f"{field} IN ({','.join(text(value) for value in values)})"


def within(field: str, since: dt.datetime | None, until: dt.datetime | None) -> str:
    """`field` in [since, until), None leaves an end open; widened to whole seconds, as Salesforce keeps its stamps."""
    if until is not None and until.microsecond:
        until += dt.timedelta(seconds=1)
    ends = [f"{field} >= {_second(since)}"] if since is not None else []
    ends += [f"{field} < {_second(until)}"] if until is not None else []
    return " AND ".join(ends)


def _second(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

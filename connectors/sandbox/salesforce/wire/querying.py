"""query, queryAll and their further pages."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import error, unknown_to_sandbox
from connectors.sandbox.salesforce.soql.running import Answer, World, run
from connectors.sandbox.salesforce.table import tables_at
from connectors.sandbox.salesforce.wire.automation import by_rest
from connectors.sandbox.salesforce.wire.call import Call, Reply

_BATCH = re.compile(r"\s*batchSize\s*=\s*(\d+)\s*")
SMALLEST, LARGEST = 200, 2_000


@dataclass(frozen=True)
class Cursor:
    """A result that is being read: which rows, not what is in them."""

    answer: Answer
    opened: dt.datetime


class Cursors:
    """Results with pages still to come, by locator."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._open: dict[str, Cursor] = {}
        self._given = 0

    def keep(self, answer: Answer) -> str:
        """A locator for a result."""
        self._given += 1
        locator = salesforce_id("0r8", self._given)
        self._open[locator] = Cursor(answer, self._org.clock.now())
        return locator

    def find(self, locator: str) -> Answer:
        """The result of a locator. Raises Refusal INVALID_QUERY_LOCATOR."""
        cursor = self._open.get(locator)
        lifetime = dt.timedelta(seconds=self._org.settings.locator_lifetime_s)
        if cursor is None or self._org.clock.now() - cursor.opened >= lifetime:
            self._open.pop(locator, None)
            raise error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor.answer


class Queries:
    """The handlers of queries."""

    def __init__(self, org: Org) -> None:
        self.cursors = Cursors(org)

    def query(self, call: Call) -> Reply:
        """Live, unarchived rows."""
        return self._first(call, everything=False)

    def query_all(self, call: Call) -> Reply:
        """Rows in the recycle bin and the archive too."""
        return self._first(call, everything=True)

    def more(self, call: Call) -> Reply:
        """The page that begins at a locator; the same page as often as it is asked for."""
        locator, _, start = call.parts["locator"].partition("-")
        answer = self.cursors.find(locator)
        if not start.isdigit() or int(start) > len(answer.keys):
            raise error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(call, answer, int(start), locator)

    def _first(self, call: Call, *, everything: bool) -> Reply:
        if "q" not in call.params:
            raise error(400, "MALFORMED_QUERY", "A query string has to be specified")
        answer = run(world_of(call), call.params["q"], everything=everything)
        return self._page(call, answer, 0, None)

    def _page(self, call: Call, answer: Answer, start: int, locator: str | None) -> Reply:
        end = start + page_rows(call)
        records = [record for key in answer.keys[start:end] if (record := answer.record(key)) is not None]
        if end >= len(answer.keys):
            return Reply({"totalSize": answer.total, "done": True, "records": records})
        locator = locator or self.cursors.keep(answer)
        following = f"{call.here}/query/{locator}-{end}"
        return Reply({"totalSize": answer.total, "done": False, "nextRecordsUrl": following, "records": records})


def world_of(call: Call) -> World:
    """What a query of this call runs over."""
    org = call.org
    unordered = org.settings.unordered_results
    tables = {**tables_at(org.tables, call.version), **by_rest(org, call.access, call.params.get("q", ""))}
    return World(tables, call.access, org.clock.now(), org.zone, f"{call.here}/sobjects", unordered)


def page_rows(call: Call) -> int:
    """Rows per page: as asked within 200 to 2000, and never more than the org's knob says."""
    asked = LARGEST
    options = call.headers.get("sforce-query-options")
    if options is not None:
        found = _BATCH.fullmatch(options)
        if found is None:
            raise unknown_to_sandbox(f"Sforce-Query-Options {options}")
        asked = min(LARGEST, max(SMALLEST, int(found[1])))
    knob = call.org.settings.query_page_rows
    return asked if knob is None else min(asked, knob)

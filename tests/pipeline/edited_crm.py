"""Either CRM served with two accounts in it that people edit, and a connector to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl

from connectors.contract import Connector
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.redefining import retype_field
from kammodel.publish.fields import FIELDS
from tests.contract import hubspot_copy, hubspot_world, salesforce_connected
from tests.contract.meanwhile import meanwhile

NAMES = {
    "salesforce": {"score": "KAM_Score__c", "tier": "KAM_Tier__c"},
    "hubspot": {"score": "kam_score", "tier": "kam_tier"},
}
WRITE = {"salesforce": "/composite", "hubspot": "/batch/update"}
READ = {"salesforce": "/query", "hubspot": "/batch/read"}
ALPHA, IBERIA = 1, 2


@dataclass
class Crm:
    """A served CRM in which two accounts hold the score 1, and no tier; and a connector to it."""

    name: str
    front: Any
    there: Any
    connector: Connector

    @property
    def faults(self) -> Faults:
        found: Faults = self.front.faults
        return found

    def id(self, number: int) -> str:
        return salesforce_id("001", number) if self.name == "salesforce" else str(hubspot_id("companies", number))

    def edit(self, number: int, **values: str | None) -> None:
        """By a person."""
        named = {NAMES[self.name][key]: value for key, value in values.items()}
        if self.name == "salesforce":
            self.there.update("Account", self.id(number), {k: _number(v) for k, v in named.items()})
        else:
            self.there.update("companies", self.id(number), {k: v or "" for k, v in named.items()})

    def delete(self, number: int) -> None:
        if self.name == "salesforce":
            self.there.delete("Account", self.id(number))
        else:
            self.there.archive("companies", self.id(number))

    def held(self, number: int) -> tuple[str | None, str | None]:
        """Score and tier."""
        (frame,) = self.connector.read_fields(FIELDS, [self.id(number)])
        return frame.select("score", "tier").row(0)

    def stored(self, number: int) -> tuple[str | None, str | None]:
        """The same without a call."""
        if self.name == "salesforce":
            record = self.there.record("Account", self.id(number)) or {}
            score = record["KAM_Score__c"]
            return None if score is None else f"{score:g}", record["KAM_Tier__c"]
        values = self.there.existing(self.there.known("companies"), self.id(number)).values
        return values.get("kam_score") or None, values.get("kam_tier") or None

    @contextmanager
    def meanwhile(self, deeds: list[Callable[[], object]]) -> Iterator[None]:
        """Has something done before the first, the second ... call until the block ends."""
        shown = self.front.app
        meanwhile(self.front, "", *deeds)
        try:
            yield
        finally:
            self.front.app = shown
            self.faults.clear()

    def when(self, part: str, *deeds: Callable[[], object]) -> list[str]:
        return meanwhile(self.front, part, *deeds)

    def begin(self) -> None:
        """Both accounts as they are at first, and a log without the calls until now."""
        for number in (ALPHA, IBERIA):
            self.edit(number, score="1", tier=None)
        self.connector.identify()
        self.faults.clear()

    def writes(self) -> int:
        return sum(call.path.endswith(WRITE[self.name]) for call in self.faults.log)


def _number(text: str | None) -> Any:
    return float(text) if text is not None and text[0].isdigit() else text


def _salesforce(front: salesforce_connected.Front, stack: ExitStack, *, by_jobs: bool) -> Crm:
    # Thousands of writes by jobs are more than a day of calls.
    there = salesforce_connected.provisioned(front, daily_api_requests=10**9)
    # An admin made it wider: HubSpot keeps all decimals anyway.
    retype_field(there, "Account", NAMES["salesforce"]["score"], "double", scale=2)
    sizes = Sizes(ingest_from=1, ingest_rows=100) if by_jobs else None
    return Crm("salesforce", front, there, stack.enter_context(salesforce_connected.connected(front, sizes=sizes)))


def _hubspot(front: hubspot_world.Front, stack: ExitStack) -> Crm:
    there = front.show(hubspot_world.portal())
    connector = stack.enter_context(hubspot_copy.connected(front))
    connector.provision(FIELDS, "en")
    return Crm("hubspot", front, there, connector)


@contextmanager
def two_fronts() -> Iterator[dict[str, Any]]:
    """A server for each CRM, by its name."""
    with salesforce_connected.open_front() as salesforce, hubspot_world.open_front() as hubspot:
        yield {"salesforce": salesforce, "hubspot": hubspot}


@contextmanager
def edited_crm(name: str, front: Any, *, by_jobs: bool = False) -> Iterator[Crm]:
    """A CRM in which both accounts hold the score 1. `by_jobs`: Salesforce, whose accounts are written by jobs."""
    with ExitStack() as stack:
        is_salesforce = name == "salesforce"
        made = _salesforce(front, stack, by_jobs=by_jobs) if is_salesforce else _hubspot(front, stack)
        made.begin()
        yield made


def planned(crm: Crm, *numbers: int) -> pl.DataFrame:
    """Cells that are to hold 2 and `key` instead of 1 and nothing."""
    cells = [
        (crm.id(n), *cell) for n in numbers or (ALPHA, IBERIA) for cell in (("score", "1", "2"), ("tier", None, "key"))
    ]
    frame = pl.DataFrame(cells, schema=["source_id", "field", "before", "after"], orient="row")
    return frame.with_columns(after_spelled=pl.lit(None, pl.String))

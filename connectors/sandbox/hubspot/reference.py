"""What a portal has beside records: owners, pipelines, currencies, and how HubSpot writes them as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.sandbox.hubspot.instants import iso


@dataclass(slots=True)
class Owner:
    """A user who can own records, or a queue. Records hold `id`, never `user_id`."""

    id: int
    user_id: int
    first_name: str
    last_name: str
    email: str | None
    created: int
    active: bool = True
    type: str = "PERSON"

    def as_json(self) -> dict[str, Any]:
        """As the owners endpoint answers it: a deactivated owner has no userId."""
        user_id = self.user_id if self.type == "PERSON" else None
        return {
            "id": str(self.id),
            "email": self.email,
            "type": self.type,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": user_id if self.active else None,
            "userIdIncludingInactive": user_id,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.created),
            "archived": not self.active,
            "teams": [],
        }


@dataclass(slots=True)
class PipelineStage:
    """A stage. `probability` is a share for deals, None for tickets."""

    id: str
    label: str
    display_order: int
    closed: bool
    probability: Decimal | None

    @property
    def won(self) -> bool:
        """Whether a deal in this stage counts as won."""
        return self.closed and self.probability == 1

    def as_json(self, created: int) -> dict[str, Any]:
        """As the pipelines endpoint answers it: metadata values are text."""
        if self.probability is None:
            metadata = {"ticketState": "CLOSED" if self.closed else "OPEN", "isClosed": _word(self.closed)}
        else:
            metadata = {"isClosed": _word(self.closed), "probability": str(float(self.probability))}
        return {
            "label": self.label,
            "displayOrder": self.display_order,
            "metadata": metadata,
            "id": self.id,
            "createdAt": iso(created),
            "updatedAt": iso(created),
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(slots=True)
class Pipeline:
    """A pipeline and its stages in order."""

    id: str
    label: str
    stages: list[PipelineStage]
    created: int = 0

    def as_json(self) -> dict[str, Any]:
        """As the pipelines endpoint answers it."""
        return {
            "label": self.label,
            "displayOrder": 0,
            "id": self.id,
            "stages": [stage.as_json(self.created) for stage in self.stages],
            "createdAt": iso(self.created),
            "updatedAt": iso(self.created),
            "archived": False,
        }


@dataclass(slots=True)
class ExchangeRate:
    """One unit of `currency` is worth `rate` units of the company currency from `effective` on."""

    id: int
    currency: str
    company_currency: str
    rate: Decimal
    effective: int

    def as_json(self) -> dict[str, Any]:
        """As the currencies endpoints answer it: a JSON number of at most six decimals."""
        return {
            "id": str(self.id),
            "fromCurrencyCode": self.currency,
            "toCurrencyCode": self.company_currency,
            "conversionRate": float(round(self.rate, 6)),
            "effectiveAt": iso(self.effective),
            "createdAt": iso(self.effective),
            "updatedAt": iso(self.effective),
            "visibleInUI": True,
        }


@dataclass(slots=True)
class Account:
    """The portal as such."""

    company_currency: str
    timezone: dt.tzinfo
    timezone_name: str


SUPPORT_STAGES = {"new": "1", "working": "3", "escalated": "1180000001", "closed": "4"}
"""State of a book's issue -> stage of the support pipeline. HubSpot has no mark for escalation: a stage of its own."""


def ticket_pipeline() -> Pipeline:
    """The pipeline of tickets in a new portal."""
    labels = ("New", "Waiting on contact", "Waiting on us", "Closed")
    stages = [_ticket_stage(str(number), label, number - 1) for number, label in enumerate(labels, start=1)]
    return Pipeline("0", "Support Pipeline", stages)


def support_pipeline() -> Pipeline:
    """The same after an administrator added a stage for what escalated: custom stages have large numbers as ids."""
    pipeline = ticket_pipeline()
    pipeline.stages.insert(3, _ticket_stage(SUPPORT_STAGES["escalated"], "Escalated", 3))
    pipeline.stages[4].display_order = 4
    return pipeline


def _ticket_stage(number: str, label: str, order: int) -> PipelineStage:
    return PipelineStage(number, label, order, closed=label == "Closed", probability=None)


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def currencies(account: Account, rates: Iterable[ExchangeRate]) -> list[str]:
    """The codes set up: the company's, then those with a rate."""
    return list(dict.fromkeys([account.company_currency, *sorted(rate.currency for rate in rates)]))


def rate_in_force(account: Account, rates: Iterable[ExchangeRate], currency: str, now: int) -> Decimal | None:
    """What one unit of a currency (`""`: the company's) is worth now; None where no rate is in force."""
    if currency in {"", account.company_currency}:
        return Decimal(1)
    valid = [rate for rate in rates if rate.currency == currency and rate.effective <= now]
    return max(valid, key=lambda rate: rate.effective).rate if valid else None

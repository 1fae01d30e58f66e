"""What a portal has beside records: owners, pipelines, currencies, and how HubSpot writes them as JSON."""

from __future__ import annotations

import datetime as dt
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


TICKET_PIPELINE = Pipeline(
    "0",
    "Support Pipeline",
    [
        PipelineStage("1", "New", 0, closed=False, probability=None),
        PipelineStage("2", "Waiting on contact", 1, closed=False, probability=None),
        PipelineStage("3", "Waiting on us", 2, closed=False, probability=None),
        PipelineStage("4", "Closed", 3, closed=True, probability=None),
    ],
)


def _word(truth: bool) -> str:
    return "true" if truth else "false"

"""What an owner is to bring in a time: quotas, as a CRM keeps them."""

from __future__ import annotations

import datetime as dt

from kammodel.entities.envelope import Sourced


class Target(Sourced, table=True):
    """A quota of one owner. `metric`: the CRM's own word for what is counted; only some are in money."""

    __tablename__ = "target"

    owner_id: str | None = None
    name: str | None = None
    metric: str | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    """The last day."""
    target_value: float | None = None
    currency: str | None = None
    """Of the value, where it is money."""

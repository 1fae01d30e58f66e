"""Exchange rates, exact: a rate is a fraction of two whole numbers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field

from kammodel.entities.envelope import Sourced


class ExchangeRate(Sourced, table=True):
    """One `currency` unit is `numerator / denominator` units of `home_currency` from `valid_from` on.

    `valid_from` null: valid since ever. Valid until the next rate of the same currency. Salesforce states
    units per corporate unit (corporate = amount / rate), HubSpot the other way round: the fraction holds
    either without a division. The source_id is `<currency>@<valid_from>`.
    """

    __tablename__ = "exchange_rate"

    currency: str | None = None
    home_currency: str | None = None
    valid_from: dt.date | None = None
    numerator: int | None = Field(default=None, sa_type=BigInteger)
    denominator: int | None = Field(default=None, sa_type=BigInteger)

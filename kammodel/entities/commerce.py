"""What was agreed, ordered and delivered, and of which products. Statuses and kinds are the CRM's own words."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field

from kammodel.entities.envelope import Sourced
from kammodel.entities.types import Instant, Money


class Contract(Sourced, table=True):
    """An agreement with an account over a time. `ends_on` is its last day.

    What it is worth, and whether it renews itself, no standard field tells: a mapping file may.
    """

    __tablename__ = "contract"

    account_id: str | None = None
    owner_id: str | None = None
    status: str | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    term_months: int | None = Field(default=None, sa_type=BigInteger)
    amount: int | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    is_auto_renewed: bool | None = None
    notice_days: int | None = Field(default=None, sa_type=BigInteger)
    """Days before its end until which it can be ended."""
    renewed_by_id: str | None = None
    """The contract that follows it."""
    activated_at: dt.datetime | None = Field(default=None, sa_type=Instant)


class Order(Sourced, table=True):
    """What an account ordered. An order that was never activated is a draft."""

    __tablename__ = "sales_order"

    account_id: str | None = None
    contract_id: str | None = None
    opportunity_id: str | None = None
    kind: str | None = None
    status: str | None = None
    status_code: str | None = None
    """What the status stands for, whatever an org calls it."""
    effective_on: dt.date | None = None
    ends_on: dt.date | None = None
    amount: int | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    activated_at: dt.datetime | None = Field(default=None, sa_type=Instant)


class Asset(Sourced, table=True):
    """Something that an account has, of ours or of a competitor. `price` is what was paid for it."""

    __tablename__ = "asset"

    account_id: str | None = None
    product_id: str | None = None
    status: str | None = None
    quantity: float | None = None
    price: int | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    purchased_on: dt.date | None = None
    installed_on: dt.date | None = None
    usage_ends_on: dt.date | None = None


class LineItem(Sourced, table=True):
    """A product within a deal. `amount` is the whole of the line, after the discount; prices are for one unit."""

    __tablename__ = "line_item"

    opportunity_id: str | None = None
    product_id: str | None = None
    quantity: float | None = None
    list_price: int | None = Field(default=None, sa_type=Money)
    unit_price: int | None = Field(default=None, sa_type=Money)
    discount_share: float | None = None
    """0..1; null where the CRM states none."""
    amount: int | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    service_on: dt.date | None = None


class Product(Sourced, table=True):
    """Something we sell."""

    __tablename__ = "product"

    name: str | None = None
    code: str | None = None
    family: str | None = None
    is_active: bool | None = None

"""What is to be known of an org before its records are read: who it is, its currencies, stages, rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import polars as pl

from connectors.errors import PermissionMissing, RequestRefused, UnexpectedAnswer
from connectors.salesforce import paths, soql
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import Record, as_text, text_frame
from connectors.salesforce.querying import read_all

RATE_COLUMNS = ("@id", "@currency", "@home_currency", "@valid_from", "@numerator", "@denominator")
_ORGANIZATION = ("Id", "Name", "DefaultCurrencyIsoCode", "TimeZoneSidKey", "IsSandbox")
CURRENCIES, DATED = "CurrencyType", "DatedConversionRate"


@dataclass(frozen=True)
class Org:
    """`currency`: the corporate one. `many_currencies`: each record then has a currency of its own."""

    id: str
    name: str
    zone: str | None
    currency: str | None
    many_currencies: bool
    is_sandbox: bool


class Describes:
    """The fields that this user may see, by object, each object asked once. A field without permission is absent."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, Record]] = {}

    def fields(self, kind: str) -> dict[str, Record]:
        """Field name to what describe says of it. Raises what Salesforce answers where there is no such object."""
        if kind not in self._known:
            self._known[kind] = described_fields(self._client, kind)
        return self._known[kind]

    def names(self, kind: str) -> set[str]:
        """Names of the fields; empty where the object does not exist or is hidden."""
        try:
            return set(self.fields(kind))
        except (RequestRefused, PermissionMissing):
            return set()


def described_fields(client: Client, kind: str) -> dict[str, Record]:
    """What describe says now, field by field. Raises PermissionMissing where the object is not there: Salesforce
    does not tell an object that it hides from one that does not exist."""
    asks = f"read access to the object {kind}"
    try:
        told = client.get(paths.describe(kind), purpose="other", asks=asks)
    except RequestRefused as fault:
        if fault.status != 404:
            raise
        text = f"Salesforce shows this user no object {kind}: grant {asks}, if the org has it"
        raise PermissionMissing(text, code=fault.code, status=404) from fault
    fields = told.get("fields")
    if not isinstance(fields, list):
        raise UnexpectedAnswer(f"Salesforce described {kind} without fields")
    return {str(f.get("name")): f for f in fields if isinstance(f, dict)}


def read_org(client: Client, describes: Describes) -> Org:
    """The org behind the token. Where Organization is not readable, the sign-in says which org it is."""
    names = describes.names("Organization")
    asked = [name for name in _ORGANIZATION if name in names]
    rows = read_all(client, soql.select(asked, "Organization")) if "Id" in asked else []
    told = rows[0] if rows else {}
    org_id = as_text(told.get("Id")) or client.org_id
    if not org_id:
        raise UnexpectedAnswer("Salesforce did not say which org the token belongs to")
    many = "CurrencyIsoCode" in describes.names("Account") or "CurrencyIsoCode" in describes.names("Opportunity")
    corporate = _corporate(currency_rows(client, describes)) if many else None
    return Org(
        id=_widened(org_id),
        name=as_text(told.get("Name")) or f"Salesforce org {org_id}",
        zone=as_text(told.get("TimeZoneSidKey")),
        currency=corporate or as_text(told.get("DefaultCurrencyIsoCode")),
        many_currencies=many,
        is_sandbox=told.get("IsSandbox") is True,
    )


def currency_rows(client: Client, describes: Describes) -> list[Record]:
    """The currencies with their rates of today; none in an org with one currency."""
    asked = [n for n in ("IsoCode", "ConversionRate", "IsCorporate") if n in describes.names(CURRENCIES)]
    return read_all(client, soql.select(asked, CURRENCIES)) if {"IsoCode", "ConversionRate"} <= set(asked) else []


def read_rates(client: Client, describes: Describes, home: str | None) -> pl.DataFrame:
    """Exchange rates to the corporate currency as raw rows, each an exact fraction of the decimal Salesforce states.

    Salesforce divides: corporate = amount / ConversionRate. Where a currency has dated rates (they hold for
    opportunities, which is what we convert), they have one for every day, and the rate of today is left out.
    """
    asked = [n for n in ("IsoCode", "StartDate", "ConversionRate") if n in describes.names(DATED)]
    dated = read_all(client, soql.select(asked, DATED)) if len(asked) == 3 else []
    kept = {r.get("IsoCode") for r in dated}
    static = [r for r in currency_rows(client, describes) if r.get("IsoCode") not in kept]
    rows = [row for r in (*static, *_first_ever(dated)) if (row := _rate(r, home))]
    return pl.DataFrame(rows, schema=dict.fromkeys(RATE_COLUMNS, pl.String))


def read_stages(client: Client, asked: Iterable[str]) -> pl.DataFrame:
    """The stages as raw rows, inactive ones too: old history still names them. `@stage` is what records hold."""
    frame = text_frame(read_all(client, soql.select(asked, "OpportunityStage")), asked)
    named = [c for c in ("ApiName", "MasterLabel") if c in frame.columns]
    return frame.with_columns(pl.coalesce(named).alias("@stage"))


def _first_ever(dated: list[Record]) -> list[Record]:
    """The rates in order of time; the first of each currency holds since ever, as Salesforce applies it."""
    ordered = sorted(dated, key=lambda r: (str(r.get("IsoCode")), str(r.get("StartDate") or "")))
    begun: set[object] = set()
    rows = []
    for rate in ordered:
        first = rate.get("IsoCode") not in begun
        begun.add(rate.get("IsoCode"))
        rows.append({**rate, "StartDate": None} if first else rate)
    return rows


def _rate(rate: Record, home: str | None) -> dict[str, str | None] | None:
    currency, since = as_text(rate.get("IsoCode")), as_text(rate.get("StartDate"))
    try:
        units = Fraction(Decimal(as_text(rate.get("ConversionRate")) or ""))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    if units <= 0 or not currency or not home or currency == home:
        return None
    valid_from = since[:10] if since else None
    return {
        "@id": f"{currency}@{valid_from or ''}",
        "@currency": currency,
        "@home_currency": home,
        "@valid_from": valid_from,
        "@numerator": str(units.denominator),
        "@denominator": str(units.numerator),
    }


def _corporate(rows: list[Record]) -> str | None:
    """The corporate currency: the one marked, else the only one that is worth itself."""
    marked = [r for r in rows if as_text(r.get("IsCorporate")) == "true"]
    alike = [r for r in rows if as_text(r.get("ConversionRate")) in {"1", "1.0"}]
    found = marked or (alike if len(alike) == 1 else [])
    return as_text(found[0].get("IsoCode")) if found else None


def _widened(org_id: str) -> str:
    return str(pl.Series([org_id]).to_frame("id").select(widened(pl.col("id"))).item())

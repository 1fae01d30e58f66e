"""What is to be known of an org before its records are read: who it is, its currencies, stages, rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import polars as pl

from connectors.errors import ConnectorError, PermissionMissing, RequestRefused, UnexpectedAnswer
from connectors.salesforce import paths, soql
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import Record, as_text, text_frame
from connectors.salesforce.querying import read_all

RATE_COLUMNS = ("@id", "@currency", "@home_currency", "@valid_from", "@numerator", "@denominator")
_ORGANIZATION = ("Id", "Name", "DefaultCurrencyIsoCode", "TimeZoneSidKey", "IsSandbox")
CURRENCIES, DATED, STAGE = "CurrencyType", "DatedConversionRate", "OpportunityStage"
OBJECTS = ("Organization", STAGE, CURRENCIES, DATED)
"""What is asked for here."""
_BATCH = 25


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
    """The fields that this user may see, by object, each object asked once. A field without permission is absent.

    `together`: objects that are described in one call as soon as one of them is asked for.
    """

    def __init__(self, client: Client, together: Iterable[str] = ()) -> None:
        self._client = client
        self._together = list(together)
        self._known: dict[str, dict[str, Record] | ConnectorError] = {}

    def fields(self, kind: str) -> dict[str, Record]:
        """Field name to what describe says of it. Raises what Salesforce answers where there is no such object."""
        if kind in self._together:
            self._known |= _described_together(self._client, self._together)
            self._together = []
        if kind not in self._known:
            self._known[kind] = _described_or_not(self._client, kind)
        known = self._known[kind]
        if isinstance(known, ConnectorError):
            raise known
        return known

    def names(self, kind: str) -> set[str]:
        """Names of the fields; empty where the object does not exist or is hidden."""
        try:
            return set(self.fields(kind))
        except (RequestRefused, PermissionMissing):
            return set()


def described_fields(client: Client, kind: str) -> dict[str, Record]:
    """What describe says now, field by field. Raises PermissionMissing where the object is not there: Salesforce
    does not tell an object that it hides from one that does not exist."""
    try:
        return _fields_of(client.get(paths.describe(kind), purpose="other", asks=_access(kind)), kind)
    except RequestRefused as fault:
        if fault.status != 404:
            raise
        raise _no_object(kind, fault.code) from fault


def _described_or_not(client: Client, kind: str) -> dict[str, Record] | ConnectorError:
    """The fields, or why there are none: worth remembering, since it does not change within a run."""
    try:
        return described_fields(client, kind)
    except (RequestRefused, PermissionMissing) as fault:
        return fault


def _described_together(client: Client, kinds: list[str]) -> dict[str, dict[str, Record] | ConnectorError]:
    """What one call tells of many objects. What it does not tell is left out, and asked for by itself.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_batch.htm
    (read 2026-11-28): at most 25 calls, which count as one.
    """
    told: dict[str, dict[str, Record] | ConnectorError] = {}
    for start in range(0, len(kinds), _BATCH):
        some = kinds[start : start + _BATCH]
        calls = [{"method": "GET", "url": f"v{client.version}{paths.describe(kind)}"} for kind in some]
        try:
            answer = client.send("POST", paths.BATCH, {"batchRequests": calls}, purpose="other")
        except (RequestRefused, PermissionMissing):
            return told
        results = answer.get("results") if isinstance(answer, dict) else None
        for kind, result in zip(some, results if isinstance(results, list) else (), strict=False):
            known = _one_of_many(kind, result)
            if known is not None:
                told[kind] = known
    return told


def _one_of_many(kind: str, result: object) -> dict[str, Record] | ConnectorError | None:
    """The fields of an object, or that there are none to see; None where neither is said."""
    status = result.get("statusCode") if isinstance(result, dict) else None
    body = result.get("result") if isinstance(result, dict) else None
    if status == 200 and isinstance(body, dict) and isinstance(body.get("fields"), list):
        return _fields_of(body, kind)
    return _no_object(kind, None) if status == 404 else None


def _fields_of(told: Record, kind: str) -> dict[str, Record]:
    fields = told.get("fields")
    if not isinstance(fields, list):
        raise UnexpectedAnswer(f"Salesforce described {kind} without fields")
    return {str(f.get("name")): f for f in fields if isinstance(f, dict)}


def _access(kind: str) -> str:
    return f"read access to the object {kind}"


def _no_object(kind: str, code: str | None) -> PermissionMissing:
    text = f"Salesforce shows this user no object {kind}: grant {_access(kind)}, if the org has it"
    return PermissionMissing(text, code=code, status=404)


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


def named_user(client: Client, describes: Describes) -> str | None:
    """Who we are: user name and id, the id alone where users may not be read, None where nothing tells."""
    user_id = client.user_id
    if user_id is None or not {"Id", "Username"} <= describes.names("User"):
        return user_id
    try:
        rows = read_all(client, soql.select(["Username"], "User", f"Id = {soql.text(user_id)}"))
    except (RequestRefused, PermissionMissing):
        rows = []
    name = as_text(rows[0].get("Username")) if rows else None
    return f"{name} ({user_id})" if name else user_id


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


def rate_calls(describes: Describes) -> int:
    """Calls of `read_rates`: the dated ones, and those of today."""
    dated = {"IsoCode", "StartDate", "ConversionRate"} <= describes.names(DATED)
    return dated + ({"IsoCode", "ConversionRate"} <= describes.names(CURRENCIES))


def read_stages(client: Client, asked: Iterable[str]) -> pl.DataFrame:
    """The stages as raw rows, inactive ones too: old history still names them. `@stage` is what records hold."""
    frame = text_frame(read_all(client, soql.select(asked, STAGE)), asked)
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

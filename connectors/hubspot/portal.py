"""What is to be known of a portal before its records are read: who it is, its properties, stages, owners, rates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from connectors.errors import RequestRefused, UnexpectedAnswer
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, has_rows
from connectors.hubspot.client import Client
from connectors.hubspot.frames import as_text
from connectors.hubspot.listing import next_after
from connectors.hubspot.transport import Query

STAGE_FACTS = ("@status", "@probability", "@stage_name", "@is_closed")
"""What a stage says of the records in it; for tickets status and probability are null."""
STAGE_COLUMNS = dict.fromkeys(
    ("@id", "@pipeline_id", "@pipeline_name", "@stage_id", "@name", "@position", *STAGE_FACTS), pl.String
)
_HOST = re.compile(r"[a-z0-9.-]+")


@dataclass(frozen=True)
class Portal:
    """`zone`: IANA name, UTC if the portal names none that we know."""

    id: str
    kind: str
    zone: str
    currency: str | None
    ui_domain: str


def read_portal(client: Client) -> Portal:
    """The portal behind the token."""
    told = client.get(paths.ACCOUNT_DETAILS, purpose="other", check=_names_a_portal).body
    domain = as_text(told.get("uiDomain")) or ""
    return Portal(
        id=str(as_text(told.get("portalId"))),
        kind=as_text(told.get("accountType")) or "unknown",
        zone=_zone(as_text(told.get("timeZone"))),
        currency=as_text(told.get("companyCurrency")),
        ui_domain=domain if _HOST.fullmatch(domain) else "app.hubspot.com",
    )


def _names_a_portal(answer: Answer) -> None:
    if not as_text(answer.body.get("portalId")):
        raise UnexpectedAnswer("HubSpot did not say which portal the token belongs to")


def read_properties(client: Client, kind: str, scope: str | None = None) -> dict[str, dict[str, Any]]:
    """The properties that the portal has and that the token may see, by name."""
    answer = client.get(paths.properties(kind), purpose="other", scope=scope, check=has_rows)
    return {str(p.get("name")): p for p in answer.results}


def read_stages(client: Client, kind: str = "deals", scope: str | None = None) -> pl.DataFrame:
    """The stages of the pipelines of deals or tickets as raw rows; STAGE_FACTS from each stage's metadata."""
    outcome = _outcome if kind == "deals" else _ticket_state
    rows = [
        {
            "@id": f"{pipeline.get('id')}:{stage.get('id')}",
            "@pipeline_id": as_text(pipeline.get("id")),
            "@pipeline_name": as_text(pipeline.get("label")),
            "@stage_id": as_text(stage.get("id")),
            "@name": as_text(stage.get("label")),
            "@position": as_text(stage.get("displayOrder")),
            "@stage_name": as_text(stage.get("label")),
            **outcome(stage.get("metadata") or {}),
        }
        for pipeline in client.get(paths.pipelines(kind), purpose="other", scope=scope, check=has_rows).results
        for stage in pipeline.get("stages") or []
    ]
    return pl.DataFrame(rows, schema=STAGE_COLUMNS)


def former_stages(held: pl.DataFrame) -> pl.DataFrame:
    """Raw rows of the stages of deals out of those that are held, which have the columns of PipelineStage."""
    columns = {"@id": "source_id", "@name": "name", "@stage_name": "name"}
    columns |= {f"@{name}": name for name in ("pipeline_id", "pipeline_name", "stage_id", "position", "status")}
    told = held.select(
        *(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in columns.items()),
        pl.col("probability").cast(pl.String).alias("@probability"),
        pl.lit(None, pl.String).alias("@is_closed"),
    )
    return told.select(STAGE_COLUMNS.keys())


def read_owners(client: Client) -> pl.DataFrame:
    """Owners as raw rows. Those deactivated come in a pass of their own; records still name them."""
    rows = [
        {
            "@id": as_text(owner.get("id")),
            "@name": " ".join(p for key in ("firstName", "lastName") if (p := as_text(owner.get(key)))) or None,
            "@active": "true" if active else "false",
            "@created_at": as_text(owner.get("createdAt")),
            "@updated_at": as_text(owner.get("updatedAt")),
        }
        for active in (False, True)
        for owner in _all(client, paths.OWNERS, [("limit", 100), ("archived", "false" if active else "true")])
    ]
    columns = ("@id", "@name", "@active", "@created_at", "@updated_at")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def read_rates(client: Client, home: str | None, zone: str) -> pl.DataFrame:
    """Exchange rates to the home currency as raw rows, each an exact fraction of the decimal that HubSpot states."""
    try:
        rates = list(_all(client, paths.EXCHANGE_RATES, [("limit", 100)], optional=True))
    except RequestRefused as fault:
        if fault.status not in {404, 405}:
            raise
        rates = client.get(paths.CURRENT_RATES, purpose="other", optional=True, check=has_rows).results
    dated = sorted(rates, key=lambda r: str(r.get("effectiveAt") or ""))
    rows = [row for rate in dated if (row := _rate(rate, home, zone))]
    columns = ("@id", "@currency", "@home_currency", "@valid_from", "@numerator", "@denominator")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def _rate(rate: dict[str, Any], home: str | None, zone: str) -> dict[str, str | None] | None:
    """One `fromCurrencyCode` is worth `conversionRate` of `toCurrencyCode`; the home currency stands on either side."""
    theirs, to = as_text(rate.get("fromCurrencyCode")), as_text(rate.get("toCurrencyCode")) or home
    try:
        fraction = Fraction(Decimal(str(rate.get("conversionRate"))))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    if fraction <= 0 or not theirs or not home or home not in {theirs, to} or theirs == to:
        return None
    if theirs == home:
        theirs, fraction = to, 1 / fraction
    valid_from = _day(rate.get("effectiveAt"), zone)
    return {
        "@id": f"{theirs}@{valid_from or ''}",
        "@currency": theirs,
        "@home_currency": home,
        "@valid_from": valid_from,
        "@numerator": str(fraction.numerator),
        "@denominator": str(fraction.denominator),
    }


def _day(at: object, zone: str) -> str | None:
    """The day of a rate in the portal's time zone; null, valid since ever, where none is stated."""
    try:
        moment = dt.datetime.fromisoformat(str(at))
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return aware.astimezone(ZoneInfo(zone)).date().isoformat()


def _outcome(metadata: dict[str, Any]) -> dict[str, str | None]:
    """won or lost for a closed stage of probability 1 or 0; closed with another probability is neither known."""
    probability = as_text(metadata.get("probability"))
    try:
        share = float(probability) if probability else None
    except ValueError:
        share = None
    stated = as_text(metadata.get("isClosed"))
    closed = stated.lower() == "true" if stated else share in {0.0, 1.0}
    status = {1.0: "won", 0.0: "lost"}.get(-1.0 if share is None else share) if closed else "open"
    return {"@status": status, "@probability": probability, "@is_closed": "true" if closed else "false"}


def _ticket_state(metadata: dict[str, Any]) -> dict[str, str | None]:
    """Whether a ticket in the stage is closed: OPEN or CLOSED in `ticketState`, else `isClosed`; null if neither says.
    https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines (read 2026-11-28)"""
    state = (as_text(metadata.get("ticketState")) or "").upper()
    stated = {"CLOSED": "true", "OPEN": "false"}.get(state) or (as_text(metadata.get("isClosed")) or "").lower()
    return {"@is_closed": stated if stated in {"true", "false"} else None}


def _all(client: Client, path: str, query: Query, *, optional: bool = False) -> Iterator[dict[str, Any]]:
    """The rows of a small paged list."""
    after: str | None = None
    seen: set[str] = set()
    while True:
        asked: Sequence[tuple[str, str | int]] = [*query, ("after", after)] if after is not None else query
        answer = client.get(path, asked, purpose="other", optional=optional, check=has_rows)
        yield from answer.results
        after = next_after(answer)
        if after is None:
            return
        if after in seen:
            raise UnexpectedAnswer(f"HubSpot sent the same cursor twice for {path}")
        seen.add(after)


def _zone(name: str | None) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (KeyError, ValueError, OSError):
        return "UTC"

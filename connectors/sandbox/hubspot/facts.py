"""What a portal tells about itself: account, quota used, owners, pipelines, exchange rates."""

from __future__ import annotations

import datetime as dt

from connectors.sandbox.hubspot.access import need, need_definitions
from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.quotas import Quotas
from connectors.sandbox.hubspot.reference import ExchangeRate, currencies
from connectors.sandbox.hubspot.refusals import Json, not_found
from connectors.sandbox.hubspot.rendering import UI_DOMAIN

_OWNERS_MOST = 500


def account(ask: Ask) -> Reply:
    """`GET /account-info/v3/details`: any token may."""
    portal = ask.portal
    offset = portal.clock.now().astimezone(portal.account.timezone).utcoffset() or dt.timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
    body = {
        "portalId": portal.settings.portal_id,
        "accountType": portal.settings.account_type,
        "timeZone": portal.account.timezone_name,
        "companyCurrency": portal.account.company_currency,
        "additionalCurrencies": currencies(portal.account, portal.rates)[1:],
        "utcOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}",
        "utcOffsetMilliseconds": int(offset.total_seconds() * 1000),
        "uiDomain": UI_DOMAIN,
        "dataHostingLocation": "eu1",
    }
    return Reply(200, body)


def daily_usage(ask: Ask, quotas: Quotas) -> Reply:
    """`GET /account-info/v3/api-usage/daily/private-apps`."""
    portal, now = ask.portal, ask.portal.clock.now()
    tomorrow = now.astimezone(portal.account.timezone).date() + dt.timedelta(days=1)
    midnight = dt.datetime.combine(tomorrow, dt.time(), portal.account.timezone)
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": portal.settings.daily_requests,
        "currentUsage": quotas.spent,
        "collectedAt": iso(ms_of(now)),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(ms_of(midnight)),
    }
    return Reply(200, {"results": [usage]})


def owners(ask: Ask) -> Reply:
    """`GET /crm/v3/owners/`: active ones, or deactivated ones with `archived=true`; never both."""
    need(ask.portal, "crm.objects.owners.read")
    active, email = not ask.flag("archived"), ask.one("email")
    limit, after = ask.limit(100, _OWNERS_MOST), ask.whole("after", 0)
    found = [
        owner
        for owner in sorted(ask.portal.owners, key=lambda owner: owner.id)
        if owner.active is active and owner.id >= after and (email is None or owner.email == email)
    ]
    body: Json = {"results": [owner.as_json() for owner in found[:limit]]}
    if len(found) > limit:
        following = str(found[limit].id)
        body["paging"] = {"next": {"after": following, "link": f"{ask.link}?limit={limit}&after={following}"}}
    return Reply(200, body)


def owner(ask: Ask) -> Reply:
    """`GET /crm/v3/owners/{id}`: by owner id, or by `idProperty=userId`."""
    need(ask.portal, "crm.objects.owners.read")
    by_user, active = ask.one("idProperty") == "userId", not ask.flag("archived")
    for known in ask.portal.owners:
        number = known.user_id if by_user else known.id
        if str(number) == ask.path["id"] and known.active is active:
            return Reply(200, known.as_json())
    raise not_found(ask.path["id"])


def pipelines(ask: Ask) -> Reply:
    """`GET /crm/v3/pipelines/{kind}`."""
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    found = ask.portal.pipelines.get(kind.name, [])
    return Reply(200, {"results": [pipeline.as_json() for pipeline in found]})


def pipeline(ask: Ask) -> Reply:
    """`GET /crm/v3/pipelines/{kind}/{id}`."""
    return Reply(200, _pipeline(ask))


def stages(ask: Ask) -> Reply:
    """`GET /crm/v3/pipelines/{kind}/{id}/stages`."""
    return Reply(200, {"results": _pipeline(ask)["stages"]})


def exchange_rates(ask: Ask) -> Reply:
    """`GET /settings/v3/currencies/exchange-rates`: all there ever were."""
    need(ask.portal, "settings.currencies.read")
    limit, after = ask.limit(100, 500), ask.whole("after", 0)
    found = [rate for rate in ask.portal.rates if rate.id >= after]
    body: Json = {"results": [rate.as_json() for rate in found[:limit]]}
    if len(found) > limit:
        following = str(found[limit].id)
        body["paging"] = {"next": {"after": following, "link": f"{ask.link}?limit={limit}&after={following}"}}
    return Reply(200, body)


def current_rates(ask: Ask) -> Reply:
    """`GET /settings/v3/currencies/exchange-rates/current`: the one in force of each currency."""
    need(ask.portal, "settings.currencies.read")
    now = ask.portal.now_ms()
    current: dict[str, ExchangeRate] = {}
    for rate in sorted(ask.portal.rates, key=lambda rate: rate.effective):
        if rate.effective <= now:
            current[rate.currency] = rate
    return Reply(200, {"results": [rate.as_json() for rate in current.values()]})


def currency_codes(ask: Ask) -> Reply:
    """`GET /settings/v3/currencies/codes`: what is set up; `company-currency` has the first of it."""
    need(ask.portal, "settings.currencies.read")
    found = currencies(ask.portal.account, ask.portal.rates)
    return Reply(200, {"results": [{"currencyCode": code, "currencyName": code} for code in found]})


def company_currency(ask: Ask) -> Reply:
    """`GET /settings/v3/currencies/company-currency`."""
    need(ask.portal, "settings.currencies.read")
    code = ask.portal.account.company_currency
    return Reply(200, {"currencyCode": code, "currencyName": code})


def _pipeline(ask: Ask) -> Json:
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    for known in ask.portal.pipelines.get(kind.name, []):
        if known.id == ask.path["id"]:
            return known.as_json()
    raise not_found(ask.path["id"])

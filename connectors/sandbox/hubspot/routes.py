"""Which handler answers which path, in both families of paths, and which query parameters it knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from connectors.sandbox.hubspot import (
    access,
    batches,
    facts,
    labelling,
    limits,
    link_writing,
    linking,
    objects,
    properties,
    property_groups,
    searching,
)
from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.quotas import Pool, Quotas

Handler = Callable[[Ask], Reply]
_DATED = re.compile(r"/(crm|account-info|settings|oauth)(?:/([a-z-]+))?/(20\d\d-(?:03|09))(/.*)?")
_DATES = frozenset({"2025-09", "2026-03", "2026-09"})
_VERSION = re.compile(r"/(v\d)(?=/|$)")


@dataclass(frozen=True)
class Route:
    """`pattern` has `{name}` for a part of the path. `open`: it is called without a token and costs no quota."""

    method: str
    pattern: str
    handler: Handler
    query: tuple[str, ...] = ()
    pool: Pool = "general"
    open: bool = False

    def expression(self) -> re.Pattern[str]:
        """The pattern as an expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.pattern))


@dataclass(frozen=True)
class Match:
    """A route that fits, the parts of its path, and the version that was asked for."""

    route: Route
    path: dict[str, str]
    version: str


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            self._routes.setdefault(route.method, []).append((route.expression(), route))

    def match(self, method: str, path: str) -> Match | None:
        """The first route that fits; a slash at the end makes no difference."""
        plain, version = canonical(path.rstrip("/"))
        for expression, route in self._routes.get(method, ()):
            found = expression.fullmatch(plain)
            if found:
                return Match(route, {k: unquote(v) for k, v in found.groupdict().items()}, version)
        return None


def canonical(path: str) -> tuple[str, str]:
    """A path in the words of v3 and v4, and the version it came with.

    `/crm/objects/2026-09/companies` is `/crm/v3/objects/companies`, `/crm/associations/…` is v4's.
    """
    dated = _DATED.fullmatch(path)
    if dated is None or dated[3] not in _DATES:
        versions = _VERSION.search(path)
        return path, versions[1] if versions else ""
    area, product, version, rest = dated[1], dated[2], dated[3], dated[4] or ""
    if product is None:
        return f"/{area}/v3{rest}", version
    is_link = product == "associations" or (product == "objects" and "/associations" in rest)
    return f"/{area}/{'v4' if is_link else 'v3'}/{product}{rest}", version


_LIST = ("limit", "after", "properties", "propertiesWithHistory", "associations", "archived")
_O, _P, _A = "/crm/v3/objects/{kind}", "/crm/v3/properties/{kind}", "/crm/v4/associations/{kind}/{to}"
_L = "/crm/v4/objects/{kind}/{id}/associations"


def routes(tokens: access.Tokens, quotas: Quotas, searches: searching.Searches) -> tuple[Route, ...]:
    """All routes of a portal; what is not here is a 500 that names it."""
    refresh, describe = partial(access.refresh, tokens=tokens), partial(access.describe_token, tokens=tokens)
    introspect, revoke = partial(access.introspect, tokens=tokens), partial(access.revoke, tokens=tokens)
    return (
        Route("POST", "/oauth/v1/token", refresh, open=True),
        Route("POST", "/oauth/v3/token", refresh, open=True),
        Route("POST", "/oauth/v3/token/introspect", introspect, open=True),
        Route("POST", "/oauth/v3/token/revoke", revoke, open=True),
        Route("GET", "/oauth/v1/access-tokens/{token}", describe, open=True),
        Route("GET", "/account-info/v3/details", facts.account),
        Route("GET", "/account-info/v3/api-usage/daily/private-apps", partial(facts.daily_usage, quotas=quotas)),
        Route("GET", "/crm/v3/owners", facts.owners, ("limit", "after", "email", "archived")),
        Route("GET", "/crm/v3/owners/{id}", facts.owner, ("idProperty", "archived")),
        Route("GET", "/crm/v3/pipelines/{kind}", facts.pipelines),
        Route("GET", "/crm/v3/pipelines/{kind}/{id}", facts.pipeline),
        Route("GET", "/crm/v3/pipelines/{kind}/{id}/stages", facts.stages),
        Route("GET", "/settings/v3/currencies/exchange-rates", facts.exchange_rates, ("limit", "after")),
        Route("GET", "/settings/v3/currencies/exchange-rates/current", facts.current_rates),
        Route("GET", "/settings/v3/currencies/codes", facts.currency_codes),
        Route("GET", "/settings/v3/currencies/company-currency", facts.company_currency),
        Route("GET", "/crm/v3/limits/records", limits.records),
        Route("GET", "/crm/v3/limits/pipelines", limits.pipelines),
        Route("GET", "/crm/v3/limits/custom-properties", limits.custom_properties),
        Route("GET", "/crm/v3/limits/calculated-properties", limits.calculated_properties),
        Route("GET", "/crm/v3/limits/associations/labels", limits.labels, ("fromObjectTypeId", "toObjectTypeId")),
        *_record_routes(searches),
        *_definition_routes(),
        *_link_routes(),
    )


def _record_routes(searches: searching.Searches) -> tuple[Route, ...]:
    search = partial(searching.search, searches=searches)
    return (
        Route("GET", _O, objects.list_records, _LIST),
        Route("POST", _O, objects.create_record),
        Route("POST", f"{_O}/search", search, pool="search"),
        Route("POST", f"{_O}/merge", objects.merge),
        Route("POST", f"{_O}/gdpr-delete", objects.purge_person),
        Route("POST", f"{_O}/batch/read", batches.batch_read, ("archived",)),
        Route("POST", f"{_O}/batch/update", batches.batch_update),
        Route("POST", f"{_O}/batch/create", batches.batch_create),
        Route("POST", f"{_O}/batch/archive", batches.batch_archive),
        Route("GET", f"{_O}/{{id}}", objects.get_record, _LIST[2:]),
        Route("PATCH", f"{_O}/{{id}}", objects.update_record),
        Route("DELETE", f"{_O}/{{id}}", objects.archive_record),
    )


def _definition_routes() -> tuple[Route, ...]:
    listing = ("archived", "dataSensitivity", "locale", "properties")
    return (
        Route("GET", _P, properties.list_properties, listing),
        Route("POST", _P, properties.create_property),
        Route("POST", f"{_P}/batch/create", properties.create_properties),
        Route("POST", f"{_P}/batch/archive", properties.archive_properties),
        Route("GET", f"{_P}/groups", property_groups.list_groups, ("locale",)),
        Route("POST", f"{_P}/groups", property_groups.create_group),
        Route("GET", f"{_P}/groups/{{name}}", property_groups.get_group, ("locale",)),
        Route("PATCH", f"{_P}/groups/{{name}}", property_groups.change_group),
        Route("DELETE", f"{_P}/groups/{{name}}", property_groups.delete_group),
        Route("GET", f"{_P}/{{name}}", properties.get_property, listing),
        Route("PATCH", f"{_P}/{{name}}", properties.change_property),
        Route("DELETE", f"{_P}/{{name}}", properties.archive_property),
    )


def _link_routes() -> tuple[Route, ...]:
    return (
        Route("POST", f"{_A}/batch/read", linking.read_links, pool="associations"),
        Route("POST", f"{_A}/batch/associate/default", link_writing.make_defaults, pool="associations"),
        Route("POST", f"{_A}/batch/create", link_writing.make_labelled, pool="associations"),
        Route("POST", f"{_A}/batch/archive", link_writing.remove_many, pool="associations"),
        Route("POST", f"{_A}/batch/labels/archive", link_writing.remove_labels, pool="associations"),
        Route("GET", f"{_A}/labels", linking.labels, pool="associations"),
        Route("POST", f"{_A}/labels", labelling.create_label, pool="associations"),
        Route("PUT", f"{_A}/labels", labelling.change_label, pool="associations"),
        Route("DELETE", f"{_A}/labels/{{type_id}}", labelling.delete_label, pool="associations"),
        Route(
            "GET", f"{_O}/{{id}}/associations/{{to}}", linking.record_links_v3, ("limit", "after"), pool="associations"
        ),
        Route("GET", f"{_L}/{{to}}", linking.record_links, ("limit", "after"), pool="associations"),
        Route("PUT", f"{_L}/default/{{to}}/{{to_id}}", link_writing.make_default, pool="associations"),
        Route("PUT", f"{_L}/{{to}}/{{to_id}}", link_writing.make_labelled_one, pool="associations"),
        Route("DELETE", f"{_L}/{{to}}/{{to_id}}", link_writing.remove, pool="associations"),
    )

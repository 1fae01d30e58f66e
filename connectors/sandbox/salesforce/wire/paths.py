"""All paths below a version, and who answers them."""

from __future__ import annotations

from connectors.sandbox.salesforce.bulk.jobs import Jobs
from connectors.sandbox.salesforce.bulk.routes import bulk_routes
from connectors.sandbox.salesforce.metadata.deploy import Deploys
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.wire import collections, describing, feeds, records, tooling
from connectors.sandbox.salesforce.wire.call import Call, Reply
from connectors.sandbox.salesforce.wire.composite import Composite
from connectors.sandbox.salesforce.wire.deploying import Deploying
from connectors.sandbox.salesforce.wire.querying import Queries
from connectors.sandbox.salesforce.wire.routes import Handler, Route

_Q = frozenset({"q"})


def all_routes(org: Org, deploys: Deploys, composite: Composite, jobs: Jobs, limits: Handler) -> list[Route]:
    """The first one that fits a path answers it."""
    return [
        Route("", {"GET": _resources}),
        Route("limits", {"GET": limits}),
        *_queries(Queries(org)),
        *_rows(),
        *_collections(),
        Route("composite", {"POST": composite.composite}),
        Route("composite/batch", {"POST": composite.batch}),
        *_metadata(Deploying(deploys)),
        *bulk_routes(jobs),
    ]


def _queries(queries: Queries) -> list[Route]:
    return [
        Route("query", {"GET": queries.query}, _Q),
        Route("queryAll", {"GET": queries.query_all}, _Q),
        Route("query/{locator}", {"GET": queries.more}),
        Route("queryAll/{locator}", {"GET": queries.more}),
    ]


def _rows() -> list[Route]:
    sobject, window = "sobjects/{sobject}", frozenset({"start", "end"})
    by_id = {"GET": records.read, "PATCH": records.update, "DELETE": records.delete}
    by_key = {"GET": records.read_by_key, "PATCH": records.upsert}
    return [
        Route("sobjects", {"GET": describing.describe_global}),
        Route(sobject, {"GET": describing.basic_information, "POST": records.create}),
        Route(f"{sobject}/describe", {"GET": describing.describe}),
        Route(f"{sobject}/deleted", {"GET": feeds.deleted}, window),
        Route(f"{sobject}/updated", {"GET": feeds.updated}, window),
        Route(f"{sobject}/{{id}}", by_id, frozenset({"fields"})),
        Route(f"{sobject}/{{field}}/{{value}}", by_key, frozenset({"fields", "updateOnly"})),
    ]


def _collections() -> list[Route]:
    path = "composite/sobjects"
    several = {"PATCH": collections.update, "POST": collections.create, "DELETE": collections.delete}
    retrieving = {"GET": collections.retrieve, "POST": collections.retrieve}
    return [
        Route(path, several, frozenset({"ids", "allOrNone"})),
        Route(f"{path}/{{sobject}}", retrieving, frozenset({"ids", "fields"})),
        Route(f"{path}/{{sobject}}/{{field}}", {"PATCH": collections.upsert}),
    ]


def _metadata(deploying: Deploying) -> list[Route]:
    one = {"GET": deploying.look, "PATCH": deploying.cancel}
    return [
        Route("metadata/deployRequest", {"POST": deploying.start}),
        # Looking how a deploy stands costs no call of the quota.
        Route("metadata/deployRequest/{deploy}", one, frozenset({"includeDetails"}), counted=False),
        Route("tooling/query", {"GET": tooling.query}, _Q),
        Route("tooling/sobjects/CustomField", {"POST": tooling.create}),
    ]


def _resources(call: Call) -> Reply:
    names = ("tooling", "metadata", "query", "queryAll", "composite", "limits", "sobjects", "jobs")
    return Reply({name: f"{call.here}/{name}" for name in names})

"""Every path of Salesforce's REST API that we call; all but the first two stand below a version.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm (read 2026-11-23)
"""

from __future__ import annotations

from urllib.parse import quote

TOKEN = "/services/oauth2/token"  # noqa: S105  a path
USER = "/services/oauth2/userinfo"
VERSIONS = "/services/data"
QUERY, QUERY_ALL = "/query", "/queryAll"
"""With and without the recycle bin and archived activities."""
COLLECTIONS = "/composite/sobjects"
COMPOSITE = "/composite"
BATCH = "/composite/batch"
DEPLOY = "/metadata/deployRequest"


def versioned(version: str, path: str) -> str:
    return f"{VERSIONS}/v{version}{path}"


def record(kind: str) -> str:
    """Where a record of a kind is created."""
    return f"/sobjects/{kind}"


def collection(kind: str) -> str:
    """Where many records of a kind are read by their ids."""
    return f"{COLLECTIONS}/{kind}"


def describe(kind: str) -> str:
    return f"/sobjects/{kind}/describe"


def deleted(kind: str) -> str:
    """The list of what was deleted of a kind."""
    return f"/sobjects/{kind}/deleted/"


def deployment(deploy_id: str) -> str:
    return f"{DEPLOY}/{quote(deploy_id, safe='')}"


QUERY_JOBS, INGEST_JOBS = "/jobs/query", "/jobs/ingest"
"""Bulk API 2.0. https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/ (read 2026-11-28)"""


def job(kind: str, job_id: str, part: str = "") -> str:
    """A job of one of the two kinds, or a part of it: `results`, `batches`, `successfulResults` ..."""
    return f"{kind}/{quote(job_id, safe='')}" + (f"/{part}" if part else "")

"""Deploys over SOAP with simple-salesforce, for a server that takes no deployments by REST.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy.htm (read 2026-11-23)
"""

from __future__ import annotations

import io
from typing import Any

from connectors.errors import UnexpectedAnswer
from connectors.salesforce.client import Client


def start(client: Client, archive: bytes) -> str:
    """Sends the archive, all or nothing; the deployment's id."""
    # `sandbox=False` is what the library calls rolling back on an error, which every org takes.
    told = client.by_library("the SOAP call deploy", lambda sf: sf.deploy(io.BytesIO(archive), sandbox=False))
    deploy_id = told.get("asyncId")
    if not isinstance(deploy_id, str) or not deploy_id:
        raise UnexpectedAnswer("Salesforce took a deployment and gave no id to it")
    return deploy_id


def look(client: Client, deploy_id: str) -> dict[str, Any]:
    """How a deployment stands, in the words of the REST answer."""
    told = client.by_library("the SOAP call checkDeployStatus", lambda sf: sf.checkDeployStatus(deploy_id))
    detail = told.get("deployment_detail") or {}
    failures = [
        {"componentType": e.get("type"), "fileName": e.get("file"), "problem": e.get("message")}
        for e in detail.get("errors") or []
    ]
    return {
        "status": told.get("state"),
        "stateDetail": told.get("state_detail"),
        "details": {"componentFailures": failures},
    }

"""Deploys a package and waits for its end.

By REST, because simple-salesforce's `deploy` goes over SOAP without a renewal of the session, leaves its SOAP
headers on every later call, and hands back no name of what failed. It serves where a server knows no other way.
https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy.html (read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from connectors.errors import RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.salesforce import paths, soap
from connectors.salesforce.client import Client
from connectors.salesforce.faults import code_of

Look = Callable[[Client, str], dict[str, Any]]
ASKS = "the permission Modify Metadata Through Metadata API Functions"
_OPTIONS = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": False,
    "performRetrieve": False,
    "purgeOnDelete": False,
    # All or nothing, as production orgs demand anyway.
    "rollbackOnError": True,
    "runTests": [],
    "singlePackage": True,
    "testLevel": "NoTestRun",
}
_LONGEST, _MOST_LOOKS = 10.0, 90
"""Seconds between two looks at most, and looks: about a quarter of an hour in all."""
_BOUNDARY = "kam-deployment-b1d0c7e2f4"
"""Fixed, so that a repeated request is the same one; none of our files holds it."""


def deploy(client: Client, archive: bytes) -> dict[str, Any]:
    """Sends the archive and waits; the deployment's result. Raises RequestRefused that names what failed."""
    deploy_id, result, look = _started(client, archive)
    waits = _waits()
    while not _is_done(result):
        wait = next(waits, None)
        if wait is None:
            raise TryAgainLater(f"deployment {deploy_id[:18]} is still under way; provision again later")
        client.sleep(wait)
        result = look(client, deploy_id)
    if not _is_true(result.get("success")) and _said(result.get("status")) != "Succeeded":
        raise RequestRefused(f"the deployment failed: {_why(result)}", code=_said(result.get("errorStatusCode")))
    return result


def _started(client: Client, archive: bytes) -> tuple[str, dict[str, Any], Look]:
    content, content_type = _form(archive)
    try:
        answer = client.upload(paths.DEPLOY, content, content_type, asks=ASKS)
    except RequestRefused as fault:
        if fault.status not in {404, 405}:
            raise
        return soap.start(client, archive), {}, soap.look
    deploy_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(deploy_id, str) or not deploy_id:
        raise UnexpectedAnswer("Salesforce took a deployment and gave no id to it")
    return deploy_id, _result(answer), _look


def _look(client: Client, deploy_id: str) -> dict[str, Any]:
    return _result(client.get(paths.deployment(deploy_id), {"includeDetails": "true"}, purpose="other", asks=ASKS))


def _form(archive: bytes) -> tuple[bytes, str]:
    # Two parts, each with its type: that is how Salesforce tells options from package.
    options = RequestField("json", orjson.dumps({"deployOptions": _OPTIONS}))
    options.make_multipart(content_type="application/json")
    package = RequestField("file", archive, filename="package.zip")
    package.make_multipart(content_type="application/zip")
    return encode_multipart_formdata([options, package], boundary=_BOUNDARY)


def _result(answer: Any) -> dict[str, Any]:
    result = answer.get("deployResult") if isinstance(answer, dict) else None
    return result if isinstance(result, dict) else {}


def _is_done(result: dict[str, Any]) -> bool:
    ended = {"Succeeded", "SucceededPartial", "Failed", "Canceled"}
    return _is_true(result.get("done")) or result.get("status") in ended


def _is_true(value: object) -> bool:
    """Some answers spell their truth values as texts."""
    return str(value).lower() == "true"


def _why(result: dict[str, Any]) -> str:
    """The first component that failed and its problem, in one line, and how many more there are."""
    details = result.get("details")
    listed = details.get("componentFailures") if isinstance(details, dict) else None
    failures = [f for f in (listed if isinstance(listed, list) else [listed]) if isinstance(f, dict)]
    if not failures:
        told = _said(result.get("errorMessage")) or _said(result.get("stateDetail")) or _said(result.get("status"))
        code = code_of({"statusCode": result.get("errorStatusCode")})
        return ", ".join(w for w in (code, told) if w) or "Salesforce gives no reason"
    first = failures[0]
    named = _said(first.get("fullName")) or _said(first.get("fileName"))
    name = " ".join(w for w in (_said(first.get("componentType")), named) if w)
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{name or 'a component'}: {_said(first.get('problem')) or 'Salesforce gives no reason'}{more}"


def _said(value: object) -> str | None:
    """A text of Salesforce about our own package, in one printable line."""
    if not isinstance(value, str):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return line[:200] or None


def _waits() -> Iterator[float]:
    wait = 0.2
    for _ in range(_MOST_LOOKS):
        yield wait
        wait = min(_LONGEST, wait * 1.5)

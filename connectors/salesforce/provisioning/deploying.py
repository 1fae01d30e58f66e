"""Deploys an archive and waits for its end, by REST; over SOAP where a server takes no deployments by REST.

https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-rest-deploy.html (read 2026-11-23)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from connectors.errors import RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.faults import code_of
from connectors.salesforce.provisioning import soap

Look = Callable[[Client, str], dict[str, Any]]
Row = dict[str, Any]
_OPTIONS = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    # What is to be deleted and is not there comes as a warning.
    "ignoreWarnings": True,
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
_LOCKED_FOR = (0.0, 10.0, 30.0)
_LOCKED = re.compile(r"administration setup is already locked", re.IGNORECASE)
"""One change of an org's setup at a time; there is no code for it, and in other languages it is told as a failure."""


class DeploymentFailed(RequestRefused):
    """Salesforce did not take a package, and nothing of it. `failures`: kind, full name and problem of each part."""

    def __init__(self, message: str, failures: list[tuple[str, str, str]], *, code: str | None) -> None:
        super().__init__(message, code=code)
        self.failures = failures


def deploy(client: Client, archive: bytes, *, check_only: bool = False) -> Row:
    """Sends the archive and waits; the deployment's result. `check_only`: Salesforce validates and changes nothing.

    Raises DeploymentFailed, in one line that names the first part that failed; TryAgainLater while somebody else keeps
    changing the setup.
    """
    for wait in _LOCKED_FOR:
        client.sleep(wait)
        try:
            return _deployed(client, archive, check_only=check_only)
        except DeploymentFailed as fault:
            if not any(_LOCKED.search(problem) for _, _, problem in fault.failures):
                raise
    raise TryAgainLater("another change of the org's setup is under way; run the same command again later")


def _deployed(client: Client, archive: bytes, *, check_only: bool) -> Row:
    options = {**_OPTIONS, "checkOnly": check_only}
    deploy_id, result, look = _started(client, archive, options)
    waits = _waits()
    while not _is_done(result):
        wait = next(waits, None)
        if wait is None:
            raise TryAgainLater(f"deployment {deploy_id[:18]} is still under way; provision again later")
        client.sleep(wait)
        result = look(client, deploy_id)
    if not _is_true(result.get("success")) and _said(result.get("status")) != "Succeeded":
        what = "the validation" if check_only else "the deployment"
        code = _said(result.get("errorStatusCode"))
        raise DeploymentFailed(f"{what} failed: {_why(result)}", _failures(result), code=code)
    return result


def _started(client: Client, archive: bytes, options: Row) -> tuple[str, Row, Look]:
    content, content_type = _form(archive, options)
    try:
        answer = client.upload(paths.DEPLOY, content, content_type, asks=soap.ASKS)
    except RequestRefused as fault:
        if fault.status not in {404, 405}:
            raise
        return soap.start(client, archive, options), {}, soap.look
    deploy_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(deploy_id, str) or not deploy_id:
        raise UnexpectedAnswer("Salesforce took a deployment and gave no id to it")
    return deploy_id, _result(answer), _look


def _look(client: Client, deploy_id: str) -> Row:
    query = {"includeDetails": "true"}
    return _result(client.get(paths.deployment(deploy_id), query, purpose="other", asks=soap.ASKS))


def _form(archive: bytes, options: Row) -> tuple[bytes, str]:
    # Two parts, each with its type: that is how Salesforce tells options from package.
    first = RequestField("json", orjson.dumps({"deployOptions": options}))
    first.make_multipart(content_type="application/json")
    package = RequestField("file", archive, filename="package.zip")
    package.make_multipart(content_type="application/zip")
    # Of the archive, so that a repeated request is the same one, and no text of a layout can hold it.
    boundary = f"kam-{hashlib.sha256(archive).hexdigest()[:40]}"
    return encode_multipart_formdata([first, package], boundary=boundary)


def _result(answer: Any) -> Row:
    result = answer.get("deployResult") if isinstance(answer, dict) else None
    return result if isinstance(result, dict) else {}


def _is_done(result: Row) -> bool:
    ended = {"Succeeded", "SucceededPartial", "Failed", "Canceled"}
    return _is_true(result.get("done")) or result.get("status") in ended


def _is_true(value: object) -> bool:
    """Some answers spell their truth values as texts."""
    return str(value).lower() == "true"


def _failures(result: Row) -> list[tuple[str, str, str]]:
    details = result.get("details")
    listed = details.get("componentFailures") if isinstance(details, dict) else None
    rows = [f for f in (listed if isinstance(listed, list) else [listed]) if isinstance(f, dict)]
    return [
        (
            _said(row.get("componentType")) or "",
            _said(row.get("fullName")) or _said(row.get("fileName")) or "a component",
            _said(row.get("problem")) or "Salesforce gives no reason",
        )
        for row in rows
        if row.get("problemType") != "Warning"
    ]


def _why(result: Row) -> str:
    """The first component that failed and its problem, in one line, and how many more there are."""
    failures = _failures(result)
    if not failures:
        told = _said(result.get("errorMessage")) or _said(result.get("stateDetail")) or _said(result.get("status"))
        code = code_of({"statusCode": result.get("errorStatusCode")})
        return ", ".join(w for w in (code, told) if w) or "Salesforce gives no reason"
    kind, name, problem = failures[0]
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{' '.join(w for w in (kind, name) if w)}: {problem}{more}"


def _said(value: object) -> str | None:
    """A text of Salesforce about what we sent, in one printable line."""
    if not isinstance(value, str):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return line[:200] or None


def _waits() -> Iterator[float]:
    wait = 0.2
    for _ in range(_MOST_LOOKS):
        yield wait
        wait = min(_LONGEST, wait * 1.5)

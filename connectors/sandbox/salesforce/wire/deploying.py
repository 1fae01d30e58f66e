"""The Metadata API over REST."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

from connectors.sandbox.salesforce.metadata.deploy import Deploy, Deploys
from connectors.sandbox.salesforce.refusals import error, not_found, unknown_to_sandbox, unparsable
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply, flag, only, parsed

_FLAGS = (
    "checkOnly",
    "rollbackOnError",
    "singlePackage",
    "allowMissingFiles",
    "autoUpdatePackage",
    "ignoreWarnings",
    "performRetrieve",
    "purgeOnDelete",
)
_OPTIONS = frozenset({*_FLAGS, "runTests", "testLevel"})


class Deploying:
    """The handlers of deploys."""

    def __init__(self, deploys: Deploys) -> None:
        self._deploys = deploys

    def start(self, call: Call) -> Reply:
        """POST multipart: 201, Pending."""
        check_may_deploy(call)
        parts = _parts(call)
        for name in parts:
            if name not in {"json", "file"}:
                raise unknown_to_sandbox(f"multipart part {name}")
        if set(parts) != {"json", "file"}:
            raise error(400, "INVALID_MULTIPART_REQUEST", "a part json and a part file are needed")
        asked = parsed(parts["json"])
        if not isinstance(asked, dict):
            raise unparsable("deployOptions: an object is needed")
        only(asked, {"deployOptions"})
        options = checked_options(asked.get("deployOptions") or {})
        deploy = self._deploys.start(parts["file"], options, call.access.user_id)
        return Reply({**_envelope(call, deploy), "validatedDeployRequestId": None, "deployOptions": options}, 201)

    def look(self, call: Call) -> Reply:
        """GET: how it stands."""
        deploy = self._found(call)
        self._deploys.poll(deploy)
        details = flag(call.params.get("includeDetails", "false"), "includeDetails")
        return Reply(_envelope(call, deploy, details=details))

    def cancel(self, call: Call) -> Reply:
        """PATCH: `Canceling`, unless it has ended."""
        deploy = self._found(call)
        body = call.json_object({"deployResult"})
        if body.get("deployResult") != {"status": "Canceling"}:
            raise unknown_to_sandbox(f"deployResult {body.get('deployResult')}")
        if deploy.done:
            raise error(400, "INVALID_ID_FIELD", "Deployment already completed")
        deploy.status = "Canceling"
        return Reply(_envelope(call, deploy), 202)

    def _found(self, call: Call) -> Deploy:
        deploy = self._deploys.find(call.parts["deploy"])
        if deploy is None:
            raise not_found()
        return deploy


def check_may_deploy(call: Call) -> None:
    """Raises Refusal 403 without Modify Metadata or Modify All Data."""
    if not call.access.permissions & {"ModifyMetadata", "ModifyAllData"}:
        raise error(
            403,
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata "
            "permissions",
        )


def checked_options(options: Json) -> Json:
    """Options as they are read, booleans as such. Raises Refusal."""
    only(options, _OPTIONS, "deploy option")
    read = {name: flag(options[name], name) for name in _FLAGS if name in options}
    level = options.get("testLevel") or "NoTestRun"
    if level not in {"NoTestRun", "RunLocalTests", "RunAllTestsInOrg", "RunSpecifiedTests"}:
        raise unparsable(f"'{level}' is not a valid value for the enum 'TestLevel'")
    if read.get("singlePackage") is False:
        raise unknown_to_sandbox("deploy option singlePackage false")
    return {**read, "runTests": options.get("runTests") or [], "testLevel": level}


def result_of(deploy: Deploy, *, details: bool) -> Json:
    """The DeployResult."""
    result: Json = {
        "checkOnly": bool(deploy.options.get("checkOnly")),
        "completedDate": deploy.completed,
        "createdBy": deploy.by,
        "createdDate": deploy.created,
        "done": deploy.done,
        "errorMessage": deploy.problem if deploy.done else None,
        "errorStatusCode": "INVALID_OPERATION" if deploy.done and deploy.problem else None,
        "id": deploy.id,
        "ignoreWarnings": bool(deploy.options.get("ignoreWarnings")),
        "lastModifiedDate": deploy.completed or deploy.created,
        "numberComponentErrors": len(deploy.failures),
        "numberComponentsDeployed": sum(bool(one["componentType"]) for one in deploy.successes),
        "numberComponentsTotal": deploy.total,
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "rollbackOnError": bool(deploy.options.get("rollbackOnError")),
        "runTestsEnabled": False,
        "startDate": deploy.created if deploy.status != "Pending" else None,
        "stateDetail": None,
        "status": deploy.status,
        "success": deploy.status in {"Succeeded", "SucceededPartial"},
    }
    if details:
        tests = {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0, "failures": [], "successes": []}
        listed: Json = {"componentSuccesses": deploy.successes, "componentFailures": deploy.failures}
        result["details"] = {**listed, "runTestResult": tests}
    return result


def _envelope(call: Call, deploy: Deploy, *, details: bool = False) -> Json:
    url = f"{call.here}/metadata/deployRequest/{deploy.id}"
    return {"id": deploy.id, "url": url, "deployResult": result_of(deploy, details=details)}


def _parts(call: Call) -> dict[str, bytes]:
    kind = call.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise error(415, "UNSUPPORTED_MEDIA_TYPE", "multipart/form-data is needed")
    whole = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.body)
    if not whole.is_multipart():
        raise error(400, "INVALID_MULTIPART_REQUEST", "the body is not multipart")
    return dict(_part(part) for part in whole.iter_parts())


def _part(part: Message) -> tuple[str, bytes]:
    payload = part.get_payload(decode=True)
    name = part.get_param("name", header="content-disposition")
    return str(name), payload if isinstance(payload, bytes) else b""

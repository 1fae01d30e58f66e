"""SOAP, as far as clients still use it: login(), deploy with its status, and reading of metadata."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connectors.sandbox.salesforce.metadata.deploy import Deploy, Deploys
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, BadPackage, parse_xml
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal, error, unknown_to_sandbox
from connectors.sandbox.salesforce.wire.call import Call, Reply
from connectors.sandbox.salesforce.wire.deploying import check_may_deploy, checked_options, result_of
from connectors.sandbox.salesforce.wire.reading_metadata import list_metadata, read_metadata
from connectors.sandbox.salesforce.wire.sessions import Sessions
from connectors.sandbox.salesforce.wire.token import user_by_password

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER = "urn:partner.soap.sforce.com"
_METADATA = NAMESPACE.strip("{}")
_XML = "text/xml;charset=UTF-8"
_READING = {"listMetadata": list_metadata, "readMetadata": read_metadata}


def soap(org: Org, sessions: Sessions, deploys: Deploys, path: str, *, body: bytes, base: str) -> Reply:
    """Answer an envelope; what goes wrong is a fault with HTTP 500."""
    kind, version = _address(path)
    namespace = _PARTNER if kind == "u" else _METADATA
    try:
        operation = _operation(body)
        if kind == "u":
            return _login(org, sessions, operation, version, base)
        call = _call(org, sessions, body, version)
        return _metadata(call, deploys, operation)
    except Refusal as refusal:
        if refusal.code == "SANDBOX_UNKNOWN":
            raise
        return fault(refusal.code, refusal.message, namespace)
    except BadPackage as bad:
        return fault("INVALID_TYPE", str(bad), namespace)


def fault(code: str, message: str, namespace: str = _METADATA) -> Reply:
    """A SOAP fault."""
    name = {"INVALID_LOGIN": "LoginFault", "INVALID_SESSION_ID": "UnexpectedErrorFault"}.get(code, "ApiFault")
    text = (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>"
        f'<detail><sf:{name} xmlns:sf="urn:fault.{namespace.removeprefix("urn:")}">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{escape(message)}</sf:exceptionMessage>"
        f"</sf:{name}></detail></soapenv:Fault>"
    )
    return _answer(text, 500)


def _answer(inner: str, status: int = 200) -> Reply:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sf="urn:fault.partner.soap.sforce.com">'
        f"<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
    )
    return Reply(status=status, text=text, media_type=_XML)


def _address(path: str) -> tuple[str, int]:
    found = re.fullmatch(r"/services/Soap/([um])/(\d+)(?:\.0)?(?:/.*)?", path)
    if found is None:
        raise unknown_to_sandbox(f"path {path}")
    return found[1], int(found[2])


def _operation(body: bytes) -> ET.Element:
    envelope = parse_xml(body, "envelope")
    inner = envelope.find(f"{{{_ENVELOPE}}}Body")
    if inner is None or len(inner) != 1:
        raise BadPackage("the envelope has no single operation")
    return inner[0]


def _call(org: Org, sessions: Sessions, body: bytes, version: int) -> Call:
    token = parse_xml(body, "envelope").findtext(f".//{NAMESPACE}sessionId") or ""
    access = org.access(sessions.user_of(token))
    return Call(org, access, "POST", f"/services/data/v{version}.0", version, {}, {}, {}, body)


def _login(org: Org, sessions: Sessions, operation: ET.Element, version: int, base: str) -> Reply:
    if operation.tag != f"{{{_PARTNER}}}login":
        raise unknown_to_sandbox(f"SOAP operation {operation.tag}")
    if version > org.settings.max_soap_login_version:
        raise error(500, "UNSUPPORTED_API_VERSION", f"SOAP login() is not available in version {version}.0")
    names = (operation.findtext(f"{{{_PARTNER}}}{tag}") or "" for tag in ("username", "password"))
    try:
        user_id = user_by_password(org, *names)
    except Refusal:
        message = "Invalid username, password, security token; or user locked out."
        return fault("INVALID_LOGIN", message, _PARTNER)
    session = sessions.open(user_id)
    server, metadata = (f"{base}/services/Soap/{kind}/{version}.0/{org.org_id[:15]}" for kind in "um")
    user = f"<userInfo><organizationId>{org.org_id}</organizationId><userId>{user_id}</userId></userInfo>"
    return _answer(
        f'<loginResponse xmlns="{_PARTNER}"><result><metadataServerUrl>{metadata}</metadataServerUrl>'
        f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>{server}</serverUrl>"
        f"<sessionId>{session}</sessionId><userId>{user_id}</userId>{user}</result></loginResponse>"
    )


def _metadata(call: Call, deploys: Deploys, operation: ET.Element) -> Reply:
    name = operation.tag.removeprefix(NAMESPACE)
    if name == "deploy":
        check_may_deploy(call)
        return _deploy(call, deploys, operation)
    if name == "checkDeployStatus":
        deploy = deploys.find((operation.findtext(NAMESPACE + "asyncProcessId") or "").strip())
        if deploy is None:
            raise error(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        deploys.poll(deploy)
        details = (operation.findtext(NAMESPACE + "includeDetails") or "").strip().lower() == "true"
        return _response("checkDeployStatus", _status(deploy, details=details))
    if name in _READING:
        check_may_deploy(call)
        return _answer(f'<{name}Response xmlns="{_METADATA}">{_READING[name](call.org, operation)}</{name}Response>')
    raise unknown_to_sandbox(f"SOAP operation {name}")


def _deploy(call: Call, deploys: Deploys, operation: ET.Element) -> Reply:
    options = operation.find(NAMESPACE + "DeployOptions")
    # Stray text between the options, such as simple-salesforce's "None", means nothing.
    given: dict[str, Any] = {}
    for option in options if options is not None else ():
        tag = option.tag.removeprefix(NAMESPACE)
        if tag == "runTests":
            given.setdefault("runTests", []).append(option.text)
        else:
            given[tag] = option.text
    try:
        content = base64.b64decode(operation.findtext(NAMESPACE + "ZipFile") or "", validate=False)
    except binascii.Error as problem:
        raise BadPackage("ZipFile is not base64") from problem
    deploy = deploys.start(content, checked_options(given), call.access.user_id)
    return _response("deploy", f"<done>false</done><id>{deploy.id}</id><state>Queued</state>")


def _status(deploy: Deploy, *, details: bool) -> str:
    result = result_of(deploy, details=details)
    listed = result.pop("details", None)
    text = ""
    for key, value in sorted([*result.items(), ("details", listed)]):
        if key == "details" and listed is not None:
            groups = ("componentFailures", "componentSuccesses")
            inner = "".join(f"<{group}>{_plain(one)}</{group}>" for group in groups for one in listed[group])
            tests = "<runTestResult><numFailures>0</numFailures><numTestsRun>0</numTestsRun></runTestResult>"
            text += f"<details>{inner}{tests}</details>"
        elif value is not None:
            text += _element(key, value)
    return text


def _plain(entry: dict[str, Any]) -> str:
    return "".join(_element(key, value) for key, value in sorted(entry.items()) if value is not None)


def _element(key: str, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{key}>{text}</{key}>"


def _response(operation: str, result: str) -> Reply:
    return _answer(f'<{operation}Response xmlns="{_METADATA}"><result>{result}</result></{operation}Response>')

"""Calls of the Metadata API that exist over SOAP only: what there is, what it looks like; and deployments.

By hand over our own session, because simple-salesforce's `mdapi` opens a connection of its own, without a renewal, a
repetition or a timeout, and hands back objects that lose what its WSDL does not know.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listmetadata.htm, meta_readmetadata.htm,
meta_deploy.htm (read 2026-11-28)
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from connectors.errors import AnswerUnclear, PermissionMissing, UnexpectedAnswer
from connectors.salesforce.client import Client
from connectors.salesforce.faults import soap_fault_of
from connectors.salesforce.provisioning.markup import below, children, is_nil, made, parsed, say, told
from connectors.salesforce.transport import CLIENT_NAME, TIMEOUT

ASKS = "the permission Modify Metadata Through Metadata API Functions"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_QUERIES, _NAMES = 3, 10
"""Kinds that one listMetadata takes, and names that one readMetadata takes."""


@dataclass(frozen=True)
class Entry:
    """A component that the org has. `namespace`: of the package that brought it, None for the org's own."""

    kind: str
    name: str
    namespace: str | None


def list_components(client: Client, kinds: Sequence[str]) -> list[Entry]:
    """Everything of some kinds, whoever may see it."""
    entries = []
    for some in _in_parts(kinds, _QUERIES):
        operation = made("listMetadata")
        for kind in some:
            say(below(operation, "queries"), "type", kind)
        say(operation, "asOfVersion", client.version)
        entries += [_entry(result) for result in _call(client, operation)]
    return entries


def read_components(client: Client, kind: str, names: Sequence[str]) -> dict[str, ET.Element]:
    """Components by the name that they were asked for, whole. What is not there is absent."""
    found: dict[str, ET.Element] = {}
    for some in _in_parts(names, _NAMES):
        operation = made("readMetadata")
        say(operation, "type", kind)
        for name in some:
            say(operation, "fullNames", name)
        results = list(_call(client, operation))
        records = [record for result in results for record in children(result, "records")]
        named = [(told(record, "fullName"), record) for record in records if not is_nil(record)]
        found |= {name: record for name, record in named if name is not None and name in some}
    return found


def start(client: Client, archive: bytes, options: dict[str, Any]) -> str:
    """Sends an archive to be deployed; the deployment's id."""
    operation = made("deploy")
    say(operation, "ZipFile", base64.b64encode(archive).decode())
    chosen = below(operation, "DeployOptions")
    # The WSDL has them in the order of the alphabet, and lists as repeated elements: an empty one is none.
    for name, value in sorted(options.items()):
        if not isinstance(value, list):
            say(chosen, name, str(value).lower() if isinstance(value, bool) else str(value))
    deploy_id = next((told(result, "id") for result in _call(client, operation)), None)
    if deploy_id is None:
        raise UnexpectedAnswer("Salesforce took a deployment and gave no id to it")
    return deploy_id


def look(client: Client, deploy_id: str) -> dict[str, Any]:
    """How a deployment stands, in the words of the REST answer."""
    operation = made("checkDeployStatus")
    say(operation, "asyncProcessId", deploy_id)
    say(operation, "includeDetails", "true")
    result = next(_call(client, operation), None)
    if result is None:
        raise UnexpectedAnswer("Salesforce did not say how a deployment stands")
    plain = {_name(node): node.text for node in result if len(node) == 0}
    details = next(children(result, "details"), made("details"))
    listed = {
        kind: [{_name(one): one.text for one in node} for node in children(details, kind)]
        for kind in ("componentFailures", "componentSuccesses")
    }
    return {**plain, "details": listed}


def _call(client: Client, operation: ET.Element) -> Iterator[ET.Element]:
    """The `result` elements of an operation's answer."""
    name = _name(operation)
    what = f"the SOAP call {name}"

    def once(library: Any) -> ET.Element:
        answer = library.session.post(
            library.metadata_url,
            data=_envelope(library.session_id, operation),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise soap_fault_of(answer.status_code, answer.text, call=what)
        body = parsed(answer.content, what).find(f"{{{_ENVELOPE}}}Body")
        response = None if body is None else next(children(body, f"{name}Response"), None)
        if response is None:
            raise AnswerUnclear(f"Salesforce answered {what} with XML that is no answer to it")
        return response

    try:
        return children(client.by_library(what, once), "result")
    except PermissionMissing as fault:
        text = f"Salesforce refuses {what}: grant the user {ASKS}"
        raise PermissionMissing(text, code=fault.code, status=fault.status) from fault


def _envelope(session_id: str, operation: ET.Element) -> bytes:
    envelope = ET.Element(f"{{{_ENVELOPE}}}Envelope")
    header = ET.SubElement(envelope, f"{{{_ENVELOPE}}}Header")
    say(below(header, "SessionHeader"), "sessionId", session_id)
    say(below(header, "CallOptions"), "client", CLIENT_NAME)
    ET.SubElement(envelope, f"{{{_ENVELOPE}}}Body").append(operation)
    content: bytes = ET.tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return content


def _entry(result: ET.Element) -> Entry:
    kind, name = told(result, "type"), told(result, "fullName")
    if kind is None or name is None:
        raise UnexpectedAnswer("Salesforce listed a component without kind or name")
    return Entry(kind, name, told(result, "namespacePrefix"))


def _name(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _in_parts(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    return (names[at : at + most] for at in range(0, len(names), most))

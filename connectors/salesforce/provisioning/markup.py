"""Reads and writes the XML of the Metadata API: elements of one namespace, and never pasted text."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from connectors.errors import AnswerUnclear

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
Element = ET.Element


def tag(name: str) -> str:
    """The name as the parser spells it."""
    return f"{{{NAMESPACE}}}{name}"


def made(name: str) -> Element:
    return Element(tag(name))


def say(node: Element, name: str, text: str) -> Element:
    """Appends an element with a text."""
    child = ET.SubElement(node, tag(name))
    child.text = text
    return child


def below(node: Element, name: str) -> Element:
    """Appends an empty element."""
    return ET.SubElement(node, tag(name))


def children(node: Element, name: str) -> Iterator[Element]:
    return (child for child in node if child.tag == tag(name))


def told(node: Element | None, name: str) -> str | None:
    """The text of a child, as it stands; None where the child is absent or empty."""
    return (node.findtext(tag(name)) or None) if node is not None else None


def state(node: Element, name: str, text: str) -> None:
    """Gives a child this text; appends it where it is absent."""
    found = node.find(tag(name))
    if found is None:
        say(node, name, text)
    else:
        found.text = text


def join(node: Element, child: Element) -> None:
    """Puts a child after the last of its name, else at the end: Salesforce refuses a list that is torn apart."""
    places = [place for place, one in enumerate(node) if one.tag == child.tag]
    node.insert(places[-1] + 1 if places else len(node), child)


def component(record: Element, root: str, name: str | None = None) -> Element:
    """What `readMetadata` sent of a component as the root of its file, or with `name` as a part of an object's."""
    node = made(root)
    if name is not None:
        say(node, "fullName", name)
    node.extend(child for child in record if child.tag != tag("fullName"))
    return node


def is_nil(node: Element) -> bool:
    """Whether it stands for nothing: that is how a component that is not there is answered."""
    return node.get(f"{_INSTANCE}nil") == "true" or len(node) == 0


def parsed(raw: bytes, what: str) -> Element:
    """The root of a document. Raises AnswerUnclear for half of one, for HTML, and for one that defines entities."""
    if b"<!DOCTYPE" in raw[:1000] or b"<!ENTITY" in raw:
        raise AnswerUnclear(f"Salesforce answered {what} with a page, or with XML that is not its own")
    try:
        return ET.fromstring(raw)  # noqa: S314 - what entities could do to us is refused above
    except ET.ParseError as fault:
        raise AnswerUnclear(f"Salesforce answered {what} with no XML, or only part of it") from fault


def written(root: Element, *, laid_out: bool = True) -> bytes:
    """The document. `laid_out`: with line breaks for a reader, as is right where no text has blanks that count."""
    if laid_out:
        ET.indent(root, "    ")
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True, default_namespace=NAMESPACE)
    return content + b"\n"


def same(one: Element, other: Element) -> bool:
    """Whether both say the same: names, texts and order; blanks between elements do not count."""
    return _facts(one) == _facts(other)


def comes_back(root: Element) -> bool:
    """Whether what we write of it reads as what it is: no attributes, no text between elements, no other namespace."""
    for node in root.iter():
        between = [node.text, *(child.tail for child in node)] if len(node) else []
        if node.attrib or not node.tag.startswith(f"{{{NAMESPACE}}}") or any((t or "").strip() for t in between):
            return False
    return same(parsed(written(root, laid_out=False), "nothing"), root)


def _facts(node: Element) -> tuple[object, ...]:
    return node.tag, dict(node.attrib), None if len(node) else node.text or "", [_facts(child) for child in node]

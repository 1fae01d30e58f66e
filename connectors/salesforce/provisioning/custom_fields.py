"""Our fields as Metadata API components: what we need of each, and how it joins with one that is there.

Shapes after https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm (read 2026-11-28)
"""

from __future__ import annotations

from copy import deepcopy

from connectors.salesforce.provisioning.components import FIELD, KIND, Component
from connectors.salesforce.provisioning.markup import Element, below, children, join, made, say, state, tag, told
from kammodel.publish.fields import CustomField

TYPES = {"picklist": "Picklist", "number": "Number", "percent": "Percent", "text": "Text", "date": "Date"}
_LONGEST_HELP, _MOST_DIGITS = 510, 18


def full_name(field: CustomField) -> str:
    return f"{KIND}.{field.salesforce_name}"


def field_component(
    field: CustomField, language: str, there: Element | None = None, *, tracked: bool = False
) -> Component:
    """The field as it shall be. What is there keeps all that we do not state, and is never made shorter or poorer.
    `tracked`: it gets a history."""
    node = _new(field, language) if there is None else _joined(there, field, language)
    if tracked:
        state(node, "trackHistory", "true")
    return Component(FIELD, full_name(field), node)


def mismatch(there: Element, field: CustomField) -> str | None:
    """Why a field of our name cannot serve; None where it can."""
    name, kind = field.salesforce_name, told(there, "type")
    if told(there, "formula") is not None:
        return f"{name} exists as a formula"
    if kind != TYPES[field.kind]:
        return f"{name} exists with type {kind or 'unknown'!s:.30}, kam needs {TYPES[field.kind]}"
    if told(there, "unique") == "true":
        return f"{name} exists and is unique: accounts of one group carry the same value"
    if told(there, "required") == "true":
        return f"{name} exists and is required: no permission set can grant it, and kam clears what is unknown"
    if field.options and told(there.find(tag("valueSet")), "valueSetName") is not None:
        return f"{name} exists with a global value set, which kam does not change"
    return None


def _new(field: CustomField, language: str) -> Element:
    node = made("fields")
    say(node, "fullName", field.salesforce_name)
    say(node, "inlineHelpText", _help(field, language))
    say(node, "label", field.label.in_(language))
    if field.kind == "text":
        say(node, "length", str(field.length))
    if field.is_number:
        say(node, "precision", str(field.precision))
    # Never required: a required field takes no permission, and would stop people from saving an account.
    say(node, "required", "false")
    if field.is_number:
        say(node, "scale", str(field.scale))
    say(node, "type", TYPES[field.kind])
    if field.options:
        values = below(node, "valueSet")
        say(values, "restricted", "true")
        say(below(values, "valueSetDefinition"), "sorted", "false")
        _join_values(node, field, language)
    return node


def _joined(there: Element, field: CustomField, language: str) -> Element:
    node = deepcopy(there)
    state(node, "label", field.label.in_(language))
    state(node, "inlineHelpText", _help(field, language))
    if field.kind == "text":
        state(node, "length", str(max(field.length, _whole(there, "length"))))
    if field.is_number:
        scale = max(field.scale, _whole(there, "scale"))
        digits = scale + max(field.precision - field.scale, _whole(there, "precision") - _whole(there, "scale"))
        # Where both do not fit, what is there stays: digits of values would be lost.
        if digits <= _MOST_DIGITS:
            state(node, "precision", str(digits))
            state(node, "scale", str(scale))
    if field.options:
        _join_values(node, field, language)
    return node


def _join_values(node: Element, field: CustomField, language: str) -> None:
    values = node.find(tag("valueSet"))
    values = below(node, "valueSet") if values is None else values
    definition = values.find(tag("valueSetDefinition"))
    definition = below(values, "valueSetDefinition") if definition is None else definition
    there = {told(value, "fullName"): value for value in children(definition, "value")}
    for code, words in field.options:
        if code in there:
            state(there[code], "label", words.in_(language))
            continue
        option = made("value")
        say(option, "fullName", code)
        say(option, "default", "false")
        say(option, "label", words.in_(language))
        join(definition, option)


def _help(field: CustomField, language: str) -> str:
    return field.help.in_(language)[:_LONGEST_HELP]


def _whole(node: Element, name: str) -> int:
    text = (told(node, name) or "").strip()
    return int(text) if text.isdecimal() else 0

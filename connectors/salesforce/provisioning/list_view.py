"""The list view "Key accounts" as a Metadata API component.

Standard columns go by names of their own. Shapes after
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from connectors.salesforce.provisioning.components import KIND, LIST_VIEW, Component
from connectors.salesforce.provisioning.markup import Element, below, made, say, state
from kammodel.publish.fields import CustomField, Words

NAME = "KAM_Key_Accounts"
FULL_NAME = f"{KIND}.{NAME}"
_LABEL = Words("Key accounts", "Cuentas clave")
_SHOWN = ("tier", "score", "reason", "revenue_ttm", "win_rate", "days_since_touch")
_TIERS = "strategic,key"
"""Values with a comma between them: any of them."""


def view_component(fields: Sequence[CustomField], language: str, there: Element | None = None) -> Component | None:
    """The list view as it shall be; None where the field that it filters by is not among ours.

    One that is there keeps its columns and filters, which people may have changed; only its label follows us.
    """
    shown = {f.key: f.salesforce_name for f in fields if f.key in _SHOWN}
    if "tier" not in shown:
        return None
    if there is not None:
        node = deepcopy(there)
        state(node, "label", _LABEL.in_(language))
        return Component(LIST_VIEW, FULL_NAME, node)
    node = made("listViews")
    say(node, "fullName", NAME)
    for column in ("ACCOUNT.NAME", *(shown[key] for key in _SHOWN if key in shown), "CORE.USERS.ALIAS"):
        say(node, "columns", column)
    say(node, "filterScope", "Everything")
    chosen = below(node, "filters")
    say(chosen, "field", shown["tier"])
    say(chosen, "operation", "equals")
    say(chosen, "value", _TIERS)
    say(node, "label", _LABEL.in_(language))
    return Component(LIST_VIEW, FULL_NAME, node)

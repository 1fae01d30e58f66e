"""The CRMs we can speak with: an explicit tuple, so that adding one is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings


@dataclass(frozen=True)
class Registered:
    """A CRM: its name in configuration and store, its name for people, its settings, and how to connect."""

    name: str
    label: str
    settings: type
    connect: Callable[[Any], Connector]


CONNECTORS: tuple[Registered, ...] = (
    Registered("salesforce", "Salesforce", SalesforceSettings, SalesforceConnector),
    Registered("hubspot", "HubSpot", HubSpotSettings, HubSpotConnector),
)

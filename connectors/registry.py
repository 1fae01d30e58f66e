"""The CRMs we can speak with: an explicit tuple, so that adding one is one line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from connectors.contract import Connector
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings


class Connect(Protocol):
    """Makes a connector from the settings of its CRM; it signs in at the first call."""

    def __call__(self, settings: Any, *, patience: Patience | None = None) -> Connector: ...


@dataclass(frozen=True)
class Registered:
    """A CRM: its name in configuration and store, its name for people, its settings, and how to connect."""

    name: str
    label: str
    settings: type
    connect: Connect


CONNECTORS: tuple[Registered, ...] = (
    Registered("salesforce", "Salesforce", SalesforceSettings, SalesforceConnector),
    Registered("hubspot", "HubSpot", HubSpotSettings, HubSpotConnector),
)

"""The CRMs we can speak with: an explicit tuple, so that adding one is one line here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from connectors.contract import Connector
from connectors.emails import NO_EMAILS, Emails
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping_file import NONE, Overrides
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings


class Connect(Protocol):
    """Makes a connector from the settings of its CRM; it signs in at the first call.

    `state`: the directory where a sign-in may be kept between runs; None keeps nothing. `overrides`: what a mapping
    file says of this CRM. `emails`: what becomes of addresses.
    """

    def __call__(
        self,
        settings: Any,
        *,
        patience: Patience | None = None,
        state: Path | None = None,
        overrides: Overrides = NONE,
        emails: Emails = NO_EMAILS,
    ) -> Connector: ...


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

"""Runs of the Salesforce connector that each begin as a new process would, with the credentials of any flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, USERNAME
from tests.contract.salesforce_connected import Front
from tests.salesforce_key import key_file, private_key

BY_SECRET = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
BY_REFRESH = {**BY_SECRET, "refresh_token": REFRESH_TOKEN}
TOKEN = "POST /services/oauth2/token"


def by_key(folder: Path, number: int = 0, **more: Any) -> dict[str, Any]:
    """The settings of the JWT bearer flow."""
    file = key_file(folder, private_key(number))
    return {"client_id": CLIENT_ID, "username": USERNAME, "private_key_file": file, **more}


@contextmanager
def run(
    front: Front, state: Path | None = None, sleep: Callable[[float], None] = lambda _: None, **given: Any
) -> Iterator[SalesforceConnector]:
    """A run of its own, as a new process would begin it."""
    settings = SalesforceSettings(instance_url=front.url, **(given or BY_REFRESH))
    connector = SalesforceConnector(settings, patience=Patience(sleep=sleep), state=state)
    try:
        yield connector
    finally:
        connector.close()


def sign_in(front: Front, state: Path | None = None, **given: Any) -> str | None:
    """Who a run is signed in as."""
    with run(front, state, **given) as connector:
        return connector.identify().user


def kept_file(state: Path) -> Path:
    """The one file that is kept."""
    (file,) = (state / "sign-in").glob("*.json")
    return file

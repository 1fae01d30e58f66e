"""What a refusal and a broken connection are called, and what a person is told to do."""

import socket

import pytest
import requests
import urllib3

from connectors.errors import PermissionMissing, TryAgainLater
from connectors.salesforce.faults import fault_of
from connectors.salesforce.transport import dropped


@pytest.mark.parametrize("code", ["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"])
def test_user_without_the_api_is_told_so(code: str) -> None:
    """Where no call at all is allowed, access to the object of this one is not what is missing."""
    raw = f'[{{"errorCode": "{code}", "message": ""}}]'.encode()
    fault = fault_of(403, {}, raw, call="GET /query", asks="read access to the object Task")
    assert type(fault) is PermissionMissing
    assert "grant the user the permission API Enabled" in str(fault)


@pytest.mark.parametrize(
    "cause",
    [
        urllib3.exceptions.NameResolutionError("acme.example", None, socket.gaierror()),  # type: ignore[arg-type]
        urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]
    ],
)
def test_nobody_at_the_address_names_the_variable(cause: Exception) -> None:
    """Nothing was sent, so that it is no unclear answer; the address to look at is named."""
    tried = urllib3.exceptions.MaxRetryError(None, "/", cause)  # type: ignore[arg-type]
    fault = dropped("the sign-in", requests.ConnectionError(tried))
    assert type(fault) is TryAgainLater
    assert "KAM_SALESFORCE__INSTANCE_URL" in str(fault)

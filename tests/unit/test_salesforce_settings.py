"""What has to be set for Salesforce, and where a token may go."""

import pytest

from connectors.errors import (
    UnexpectedAnswer,
)
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.signin import admin_sign_in, sign_in_of, trusted_root
from kammodel.errors import NotConfigured

HOST = "https://acme.my.salesforce.com"
GIVEN = {"instance_url": HOST, "client_id": "key", "client_secret": "hush-hush"}


@pytest.mark.parametrize(
    ("configured", "named", "used"),
    [
        (HOST, HOST, HOST),
        (HOST, None, HOST),
        (HOST, "https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("http://127.0.0.1:8000", "https://acme.my.salesforce.com", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", "http://127.0.0.1:8000"),
    ],
)
def test_where_the_token_goes(configured: str, named: object, used: str) -> None:
    """To the address configured, or to the vendor's own; from loopback never away."""
    assert trusted_root(configured, named) == used


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example",
        "http://acme.my.salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "http://na1.salesforce.com",
        "https://na1.salesforce.com:8443",
        "https://x@na1.salesforce.com",
        "https://[",
    ],
)
def test_where_the_token_never_goes(named: str) -> None:
    """An address outside of Salesforce, or not by https, ends the sign-in."""
    with pytest.raises(UnexpectedAnswer):
        trusted_root(HOST, named)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "KAM_SALESFORCE__INSTANCE_URL"),
        ({"client_id": "a", "client_secret": "b"}, "KAM_SALESFORCE__INSTANCE_URL"),
        ({"instance_url": HOST}, "KAM_SALESFORCE__CLIENT_ID"),
        ({"instance_url": HOST, "client_id": "a"}, "KAM_SALESFORCE__CLIENT_SECRET"),
        ({"instance_url": HOST, "username": "u", "private_key_file": "k"}, "KAM_SALESFORCE__CLIENT_ID"),
        ({**GIVEN, "username": "u"}, "KAM_SALESFORCE__PRIVATE_KEY_FILE is missing"),
        ({**GIVEN, "private_key_file": "k"}, "KAM_SALESFORCE__USERNAME is missing"),
        ({"instance_url": HOST, "refresh_token": "r"}, "KAM_SALESFORCE__CLIENT_ID"),
        ({**GIVEN, "refresh_token": "r", "private_key_file": "k"}, "KAM_SALESFORCE__PRIVATE_KEY_FILE has no use"),
        ({**GIVEN, "refresh_token": "r", "username": "u"}, "KAM_SALESFORCE__USERNAME has no use"),
        ({**GIVEN, "refresh_token": "r s"}, "KAM_SALESFORCE__REFRESH_TOKEN"),
        ({**GIVEN, "login_url": HOST}, "KAM_SALESFORCE__LOGIN_URL has no use"),
        ({**GIVEN, "refresh_token": "r", "login_url": "http://x.example"}, "KAM_SALESFORCE__LOGIN_URL is plain http"),
        ({**GIVEN, "admin_client_id": "a"}, "KAM_SALESFORCE__ADMIN_CLIENT_SECRET is missing"),
        ({**GIVEN, "admin_client_secret": "a"}, "KAM_SALESFORCE__ADMIN_CLIENT_ID is missing"),
        ({**GIVEN, "client_secret": "a b"}, "KAM_SALESFORCE__CLIENT_SECRET"),
        ({**GIVEN, "instance_url": "http://acme.my.salesforce.com"}, "KAM_SALESFORCE__INSTANCE_URL"),
        ({**GIVEN, "instance_url": "https://acme.lightning.force.com"}, "KAM_SALESFORCE__INSTANCE_URL"),
        ({**GIVEN, "api_version": "latest"}, "KAM_SALESFORCE__API_VERSION"),
    ],
)
def test_half_filled_settings_name_the_variable(given: dict[str, str], named: str) -> None:
    """What is missing or unsafe is named as the person has to type it."""
    with pytest.raises(NotConfigured, match=named):
        SalesforceSettings(**given)


@pytest.mark.parametrize("spelled", ["v62.0", "62", "62.0", " 62.0 "])
def test_version_in_any_spelling(spelled: str) -> None:
    """A version is taken as people write it."""
    assert SalesforceSettings(**{**GIVEN, "api_version": spelled}).api_version == "62.0"


@pytest.mark.parametrize(
    ("more", "flow"),
    [
        ({}, "client credentials"),
        ({"refresh_token": "r"}, "refresh token"),
        ({"refresh_token": "r", "client_secret": ""}, "refresh token"),
        ({"username": "u", "private_key_file": "k"}, "JWT bearer"),
        ({"username": "u", "private_key_file": "k", "client_secret": "", "login_url": HOST}, "JWT bearer"),
    ],
)
def test_what_is_set_decides_the_flow(more: dict[str, str], flow: str) -> None:
    """A secret beside a private key is no contradiction: the app has both."""
    assert SalesforceSettings(**{**GIVEN, **more}).flow == flow


def test_secret_does_not_show() -> None:
    """A printed or wrongly typed block does not show the secret."""
    secrets = {"refresh_token": "hush", "admin_client_id": "a", "admin_client_secret": "hush"}
    settings = SalesforceSettings(**{**GIVEN, **secrets})
    assert "hush" not in repr(settings)
    assert "hush" not in repr(sign_in_of(settings))
    assert "hush" not in repr(admin_sign_in(settings))
    with pytest.raises(ValueError, match="cleint_id") as fault:
        SalesforceSettings(**{**GIVEN, "cleint_id": "hush"})
    assert "hush" not in str(fault.value)

"""What each sign-in flow sends, and what it makes of a key file and of a refusal, one exchange at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.errors import SignInRefused, TryAgainLater
from connectors.retry import Patience
from connectors.salesforce.client import Client
from connectors.salesforce.org import Describes, named_user
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.signin import TokenEndpoint, sign_in_of
from connectors.salesforce.signin.jwt_bearer import JwtBearer, login_host_of, read_private_key
from kammodel.errors import NotConfigured
from tests.salesforce_key import key_file, private_key, private_pem, public_pem

HOST = "https://acme.my.salesforce.com"
URL = f"{HOST}/services/oauth2/token"
ID = "https://login.salesforce.com/id/00D1/0051"
GRANTED = {"access_token": "00D!first", "instance_url": HOST, "id": ID}
NOW = 1_795_446_000


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with requests.Session() as session:
        yield TokenEndpoint(session, (1.0, 1.0))


def form_of(wire: responses.RequestsMock, call: int = 0) -> dict[str, str]:
    """The form that a call sent."""
    return {name: values[0] for name, values in parse_qs(str(wire.calls[call].request.body)).items()}


def refreshing(**more: Any) -> SalesforceSettings:
    """The settings of the refresh token flow."""
    given = {"instance_url": HOST, "client_id": "key", "client_secret": "hush", "refresh_token": "old"}
    return SalesforceSettings(**{**given, **more})


def test_a_signed_request_says_who_for_whom_and_until_when(
    wire: responses.RequestsMock, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    """RS256 over app, user, login host and a time two minutes ahead; neither a secret nor the key goes out."""
    wire.post(URL, json=GRANTED)
    file = key_file(tmp_path, private_key(0))
    signed = JwtBearer(HOST, "key", "ann@acme.example", file, now=lambda: NOW + 0.9)(endpoint)
    form = form_of(wire)
    assert set(form) == {"grant_type", "assertion"}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(form["assertion"]) == {"alg": "RS256", "typ": "JWT"}
    checks: Any = {"verify_exp": False, "verify_aud": False}
    claims = jwt.decode(form["assertion"], public_pem(private_key(0)), algorithms=["RS256"], options=checks)
    login = "https://login.salesforce.com"
    assert claims == {"iss": "key", "sub": "ann@acme.example", "aud": login, "exp": NOW + 120}
    assert (signed.token, signed.root, signed.org_id, signed.user_id) == ("00D!first", HOST, "00D1", "0051")


@pytest.mark.parametrize(
    ("host", "login"),
    [
        ("https://acme.my.salesforce.com", "login"),
        ("https://acme-dev-ed.develop.my.salesforce.com", "login"),
        ("https://acme--uat.sandbox.my.salesforce.com", "test"),
        ("https://acme--uat.my.salesforce.com", "test"),
        ("https://power-fun-1234.scratch.my.salesforce.com", "test"),
        ("http://127.0.0.1:8000", "login"),
    ],
)
def test_which_login_host_serves_an_org(host: str, login: str) -> None:
    """Sandboxes and scratch orgs have another one than production and developer orgs."""
    assert login_host_of(host) == f"https://{login}.salesforce.com"


def test_a_refused_audience_is_tried_once_more_and_nothing_else_is(
    wire: responses.RequestsMock, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    """A clock that is off is no matter of the audience, and is named."""
    wire.post(URL, status=400, json={"error": "invalid_grant", "error_description": "audience is invalid"})
    wire.post(URL, status=400, json={"error": "invalid_grant", "error_description": "expired authorization code"})
    file = key_file(tmp_path, private_key(0))
    with pytest.raises(SignInRefused, match="clock of this machine"):
        JwtBearer(HOST, "key", "ann@acme.example", file, now=lambda: NOW)(endpoint)
    assert endpoint.asked == 2


def test_key_files_that_cannot_be_used(tmp_path: Path) -> None:
    """Each is named with the variable, the file and what is wrong, and never with its content."""
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    plain = private_pem(private_key(0))
    contents = {
        "no PEM file": b"c2VjcmV0",
        "holds no private key": public_pem(private_key(0)).encode(),
        "locked by a passphrase": private_pem(private_key(0), b"pass"),
        "cannot be read": plain.replace(plain[100:160], b"secret"),
        "holds no RSA key": curve,
        "a key of 1024 bits": private_pem(private_key(0, 1024)),
    }
    for wrong, content in contents.items():
        file = tmp_path / "key.pem"
        file.write_bytes(content)
        with pytest.raises(NotConfigured, match=wrong) as fault:
            read_private_key(file)
        assert str(fault.value).startswith(f"KAM_SALESFORCE__PRIVATE_KEY_FILE: {file} ")
        assert "\n" not in str(fault.value)
        assert "secret" not in str(fault.value)
    for path, wrong in ((tmp_path / "none.pem", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(NotConfigured, match=wrong):
            read_private_key(path)


def test_a_key_file_is_read_before_anything_is_asked(endpoint: TokenEndpoint, tmp_path: Path) -> None:
    """And at each sign-in, so that a key that was exchanged counts without a new start."""
    with pytest.raises(NotConfigured, match="KAM_SALESFORCE__PRIVATE_KEY_FILE"):
        JwtBearer(HOST, "key", "ann@acme.example", tmp_path / "none.pem")(endpoint)
    assert endpoint.asked == 0


@pytest.mark.parametrize("secret", ["hush", ""])
def test_what_a_refresh_sends(wire: responses.RequestsMock, endpoint: TokenEndpoint, secret: str) -> None:
    """App and token in the form, the secret if there is one; the next time, the token that came back."""
    wire.post(URL, json={**GRANTED, "refresh_token": "new"})
    wire.post(URL, json={**GRANTED, "access_token": "00D!second"})
    flow = sign_in_of(refreshing(client_secret=secret))
    first = flow(endpoint)
    second = flow(endpoint, refused=first.token)
    common = {"grant_type": "refresh_token", "client_id": "key"} | ({"client_secret": secret} if secret else {})
    assert form_of(wire) == {**common, "refresh_token": "old"}
    assert form_of(wire, 1) == {**common, "refresh_token": "new"}
    assert (first.token, first.is_new, second.token, second.is_new) == ("00D!first", True, "00D!second", True)
    assert flow(endpoint, refused=first.token).token == "00D!second"
    assert endpoint.asked == 2


def test_a_token_is_refreshed_where_it_was_given(wire: responses.RequestsMock, endpoint: TokenEndpoint) -> None:
    """By KAM_SALESFORCE__LOGIN_URL; the session goes to the org."""
    wire.post("https://login.salesforce.com/services/oauth2/token", json=GRANTED)
    assert sign_in_of(refreshing(login_url="https://login.salesforce.com"))(endpoint).root == HOST


def test_a_session_that_was_kept_goes_to_salesforce_only(endpoint: TokenEndpoint, tmp_path: Path) -> None:
    """An address in the file is believed no more than one in an answer."""
    (tmp_path / "sign-in").mkdir()
    flow = sign_in_of(refreshing(), tmp_path)
    path = flow.keeper._path  # type: ignore[attr-defined]
    path.write_text('{"refresh_token": "r", "access_token": "t", "root": "https://evil.example"}')
    with pytest.raises(Exception, match="outside of Salesforce"):
        flow(endpoint)


def test_the_limits_of_rest_hold_for_the_sign_in(wire: responses.RequestsMock, endpoint: TokenEndpoint) -> None:
    """An error in REST's own shape is read as such: a wait, not a refusal."""
    limit = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]
    wire.post(URL, status=403, json=limit)
    with pytest.raises(TryAgainLater):
        sign_in_of(refreshing())(endpoint)


def test_who_we_are_where_users_cannot_be_read(wire: responses.RequestsMock) -> None:
    """The id alone, which the sign-in itself tells."""
    wire.post(URL, json=GRANTED)
    data = f"{HOST}/services/data/v66.0"
    wire.get(f"{data}/sobjects/User/describe", json={"fields": [{"name": "Id"}, {"name": "Username"}]})
    wire.get(f"{data}/query", status=400, json=[{"errorCode": "INVALID_TYPE", "message": ""}])
    client = Client(refreshing(), Patience(tries=1))
    assert named_user(client, Describes(client)) == "0051"
    client.close()

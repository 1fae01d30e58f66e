"""A secret that stands elsewhere: in a Secret block of a real Prefect server, or in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.logs import secrets_of
from flows.settings import load_settings
from kammodel.errors import NotConfigured

TOKEN = "pat-eu1-from-elsewhere"


@pytest.fixture
def prefect(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        yield prefect_api


def token() -> str | None:
    found = load_settings(None).hubspot
    return found.access_token.get_secret_value() if found is not None and found.access_token is not None else None


def test_a_secret_comes_from_a_block(prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of the secrets that are taken out of every log line."""
    Secret(value=TOKEN).save("kam-hubspot", overwrite=True, _sync=True)  # type: ignore[call-arg]
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "block:secret/kam-hubspot")
    assert prefect
    assert token() == TOKEN
    assert TOKEN in secrets_of(load_settings(None))


def test_a_flow_can_ask_for_it(prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows are asynchronous, and read the settings where their loop runs."""
    Secret(value=TOKEN).save("kam-hubspot", overwrite=True, _sync=True)  # type: ignore[call-arg]
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "block:secret/kam-hubspot")
    assert prefect

    async def asked() -> str | None:
        return token()

    assert asyncio.run(asked()) == TOKEN


def test_a_block_that_is_not_there_is_named(prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "block:secret/kam-nothing")
    assert prefect
    with pytest.raises(NotConfigured, match="KAM_HUBSPOT__ACCESS_TOKEN names the Secret block kam-nothing, which"):
        token()


def test_without_prefect_there_are_no_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "block:secret/kam-hubspot")
    with pytest.raises(NotConfigured, match="PREFECT_API_URL does not say where Prefect is"):
        token()


def test_a_secret_comes_from_a_file_and_env_files_name_places_too(tmp_path: Path) -> None:
    held, given = tmp_path / "token", tmp_path / "given.env"
    held.write_text(f"{TOKEN}\n", "utf-8")
    given.write_text(f"KAM_HUBSPOT__ACCESS_TOKEN=file:{held}\n", "utf-8")
    found = load_settings(given).hubspot
    assert found is not None
    assert found.access_token is not None
    assert found.access_token.get_secret_value() == TOKEN


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b"\xff\xfe\xff", "no text"), (b"\n", "nothing stands")]
)
def test_a_file_without_a_secret_is_named(
    content: bytes | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", f"file:{tmp_path / 'token'}")
    with pytest.raises(NotConfigured, match=f"KAM_HUBSPOT__ACCESS_TOKEN.*{why}"):
        token()

"""Every mistake in the configuration is named, and no secret is shown."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from flows.directories import data_directory
from flows.settings import load_settings, settings_from
from kammodel.errors import NotConfigured

SALESFORCE = {
    "KAM_SALESFORCE__INSTANCE_URL": "https://acme.my.salesforce.com",
    "KAM_SALESFORCE__CLIENT_ID": "3MVG9key",
    "KAM_SALESFORCE__CLIENT_SECRET": "s3cr3t-of-the-app",
}
HUBSPOT = {"KAM_HUBSPOT__ACCESS_TOKEN": "pat-eu1-s3cr3t"}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_nothing_set_is_no_crm_and_the_defaults(tmp_path: Path) -> None:
    """Defaults need no file: euros, UTC, English, a SQLite file in KAM_HOME."""
    settings = load_settings(None)
    assert settings.configured == ()
    assert (settings.reporting_currency, settings.timezone, settings.language) == ("EUR", "UTC", "en")
    assert settings.store_address == f"sqlite:///{tmp_path / 'home' / 'kam.db'}"


def test_the_crm_configured_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without KAM_SYSTEM_OF_RECORD it is Salesforce before HubSpot, and HubSpot where it is alone."""
    given(monkeypatch, **HUBSPOT)
    assert load_settings(None).counting_crm == "hubspot"
    given(monkeypatch, **SALESFORCE)
    assert load_settings(None).counting_crm == "salesforce"
    given(monkeypatch, KAM_SYSTEM_OF_RECORD="hubspot")
    assert load_settings(None).counting_crm == "hubspot"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """.env of the working directory stands behind the environment."""
    file = tmp_path / ".env"
    file.write_text("KAM_LANGUAGE=es\nKAM_REPORTING_CURRENCY=USD\nKAM_HUBSPOT__ACCESS_TOKEN=\n", "utf-8")
    given(monkeypatch, KAM_REPORTING_CURRENCY="GBP")
    settings = load_settings(file)
    assert (settings.language, settings.reporting_currency, settings.configured) == ("es", "GBP", ())


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"KAM_HUBSPOT__BASE_URL": "https://api.hubapi.com"}, "KAM_HUBSPOT__ACCESS_TOKEN is missing"),
        ({"KAM_SALESFORCE__CLIENT_ID": "x"}, "KAM_SALESFORCE__INSTANCE_URL is missing"),
        ({"KAM_TIMEZONE": "Europe/Madird"}, "KAM_TIMEZONE is no IANA time zone; did you mean Europe/Madrid?"),
        ({"KAM_LANGUAGE": "fr"}, "KAM_LANGUAGE: input should be 'en' or 'es'"),
        ({"KAM_REPORTING_CURRENCY": "euro"}, "KAM_REPORTING_CURRENCY: "),
        ({"KAM_SYSTEM_OF_RECORD": "zoho"}, "KAM_SYSTEM_OF_RECORD: "),
        ({**HUBSPOT, "KAM_HUBSPOT__SETTLE_SECONDS": "soon"}, "KAM_HUBSPOT__SETTLE_SECONDS: "),
        ({"KAM_LANGAUGE": "es"}, "KAM_LANGAUGE (environment) is unknown: did you mean KAM_LANGUAGE?"),
        ({"KAM_HUBSPOT": "{}"}, "KAM_HUBSPOT (environment) is unknown"),
        ({"KAM_HASH_KEY": "x"}, "KAM_HASH_KEY is too short: it needs at least 16 characters"),
        ({**HUBSPOT, "KAM_HUBSPOT__BASE_URL": "http://api.hubapi.com"}, "KAM_HUBSPOT__BASE_URL is plain http"),
    ],
)
def test_a_mistake_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    """The message begins with the variable and says what is wrong with it."""
    given(monkeypatch, **variables)
    with pytest.raises(NotConfigured) as fault:
        load_settings(None)
    assert str(fault.value).startswith(message)
    assert "\n" not in str(fault.value)


def test_an_unknown_name_in_the_file_says_which_file(tmp_path: Path) -> None:
    """A typing error in .env would otherwise pass unseen."""
    file = tmp_path / ".env"
    file.write_text("KAM_HUBSPOT__ACESS_TOKEN=pat-eu1-s3cr3t\n", "utf-8")
    with pytest.raises(NotConfigured, match=r"ACESS_TOKEN \(.*\.env\) is unknown: did you mean KAM_HUBSPOT__ACCESS"):
        load_settings(file)


def test_no_secret_in_a_message_or_in_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is unusable is not shown to say so; settings printed by mistake show stars."""
    given(monkeypatch, **SALESFORCE, KAM_STORE_URL="postgresql+psycopg://kam:hunter22@db/kam")
    assert "s3cr3t" not in repr(load_settings(None))
    assert "hunter22" not in repr(load_settings(None))
    assert load_settings(None).store_shown == "postgresql+psycopg://kam:***@db/kam"
    given(monkeypatch, KAM_SALESFORCE__CLIENT_SECRET="s3cr3t with a blank")
    with pytest.raises(NotConfigured) as fault:
        load_settings(None)
    assert "s3cr3t" not in str(fault.value)


def test_settings_from_variables_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the demo passes in is all there is."""
    given(monkeypatch, **SALESFORCE, KAM_LANGUAGE="es")
    settings = settings_from({**HUBSPOT, "KAM_HOME": "/srv/kam"})
    assert (settings.configured, settings.language) == (("hubspot",), "en")
    assert settings.home == Path("/srv/kam")


def test_the_day_is_that_of_the_time_zone() -> None:
    """At 23:30 UTC it is tomorrow in Madrid."""
    settings = settings_from({"KAM_TIMEZONE": "Europe/Madrid"})
    assert settings.today(dt.datetime(2026, 6, 30, 23, 30, tzinfo=dt.UTC)) == dt.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/kam"),
        ("linux", {}, "~/.local/share/kam"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "~/.local/share/kam"),
        ("darwin", {}, "~/Library/Application Support/kam"),
        ("win32", {"LOCALAPPDATA": "/C/Users/ana/AppData/Local"}, "/C/Users/ana/AppData/Local/kam"),
    ],
)
def test_the_store_lies_where_the_platform_keeps_data(platform: str, environ: dict[str, str], expected: str) -> None:
    """Never in the working directory."""
    assert data_directory(platform, environ) == Path(expected).expanduser()

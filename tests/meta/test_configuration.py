"""What is derived from the settings and the registry is current."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest
from prefect.settings import Settings as PrefectSettings
from pydantic import BaseModel

from connectors.registry import CONNECTORS
from flows.crms import Crm
from flows.env_example import ABOUT, env_example
from flows.prefect_settings import ENVIRONMENT
from flows.settings import BLOCKS, FIRST_VARIABLE, known_variables

ROOT = Path(__file__).parents[2]


def test_env_example_is_current() -> None:
    """.env.example is what the settings say; if this fails: python -m flows.env_example > .env.example."""
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()


def test_env_example_has_every_variable_once() -> None:
    """No variable is missing from it, none stands twice, none is active."""
    named = re.findall(r"^# (KAM_\w+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    assert named == list(known_variables())
    assert len(named) == len(set(named))
    assert not re.findall(r"^KAM_", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)


def test_described_variables_exist() -> None:
    """A description of a variable that is gone would never be seen again."""
    assert set(ABOUT) <= set(known_variables())
    assert set(FIRST_VARIABLE.values()) <= set(known_variables())


def test_registry_settings_and_forms_name_the_same_crms() -> None:
    """A CRM that one of them lacks could not be configured, connected or chosen."""
    assert [c.name for c in CONNECTORS] == list(BLOCKS) == [crm.value for crm in Crm] == list(FIRST_VARIABLE)
    assert [c.settings for c in CONNECTORS] == list(BLOCKS.values())


def test_words_are_in_both_languages_with_the_same_blanks() -> None:
    """A sentence that lacks a language or a blank would fail in front of the user."""
    words = tomllib.loads((ROOT / "flows" / "words.toml").read_text("utf-8"))
    blanks = {
        language: {key: _blanks(text) for key, text in sentences.items()} for language, sentences in words.items()
    }
    assert set(blanks) == {"en", "es"}
    assert blanks["en"] == blanks["es"]


def test_prefect_toml_names_settings_that_exist() -> None:
    """Prefect itself passes over a name that it does not know."""
    assert set(_flat(_toml())) <= set(_known(PrefectSettings))


def test_prefect_toml_and_environment_agree() -> None:
    """A clone and an installed wheel run Prefect in the same way."""
    toml = _flat(_toml())
    for name, value in ENVIRONMENT.items():
        if name != "DO_NOT_TRACK":
            assert float(_plain(toml[name])) == float(_plain(value)), name


@pytest.mark.parametrize("name", ["PREFECT_SERVER_ANALYTICS_ENABLED", "PREFECT_SERVER_UI_V2_ENABLED"])
def test_nothing_calls_home(name: str) -> None:
    """Usage events of the server and of its second UI are off, and the client's too."""
    assert ENVIRONMENT[name] == "false"
    assert ENVIRONMENT["DO_NOT_TRACK"] == "1"


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _toml() -> dict[str, object]:
    return tomllib.loads((ROOT / "prefect.toml").read_text("utf-8"))


def _flat(table: dict[str, object], prefix: str = "PREFECT") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in table.items():
        name = f"{prefix}_{key.upper()}"
        flat |= _flat(value, name) if isinstance(value, dict) else {name: value}
    return flat


def _known(model: type[BaseModel], prefix: str = "PREFECT") -> list[str]:
    names: list[str] = []
    for key, field in model.model_fields.items():
        name = f"{prefix}_{key.upper()}"
        inner = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, BaseModel)
        names += _known(inner, name) if nested else [name]
    return names


def _plain(value: object) -> str:
    return {"true": "1", "false": "0"}.get(str(value).lower(), str(value))

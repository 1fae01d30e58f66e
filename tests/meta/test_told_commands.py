"""What files tell people to type, `kam ...` with its options, is what the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from string import Template

import pytest
import typer
from typer.core import TyperGroup

from flows.cli.app import app

ROOT = Path(__file__).parents[2]
AUTOMATIONS = ROOT / "flows" / "automations.yaml"
TOLD = [AUTOMATIONS, ROOT / "prefect.yaml", ROOT / "README.md", ROOT / "flows" / "RUNBOOK.md"]

VALUES = {"FROM": "2026-06-01", "KAM_HOME": "/kam"}
"""Of variables in blocks."""
PLACEHOLDERS = {"CRM": "hubspot", "DAY": "2026-06-01", "HOURS": "74", "N": "500", "...": "hubspot"}
"""What stands for a value that not every word is; other words in capitals are their own."""
_KAM = typer.main.get_command(app)
assert isinstance(_KAM, TyperGroup)
_COMMANDS = _KAM.commands
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TEXT = re.compile(r"`(kam [a-z][^`]*)`")
_LINE = re.compile(r"(?:^|[;&|] *|\bdo )(kam .*)", re.MULTILINE)
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def in_blocks(text: str) -> Iterator[list[str]]:
    """The words of each command that can be copied, up to where the shell goes on."""
    for block in _BLOCK.findall(text):
        for told in _LINE.findall(block):
            line = Template(_DEFAULT.sub(r"\1", told)).safe_substitute(VALUES)
            words = shlex.shlex(line, posix=True, punctuation_chars=True)
            words.whitespace_split = True
            yield list(takewhile(lambda word: not set(word) <= set("();<>|&"), words))


def in_sentences(text: str) -> Iterator[list[str]]:
    """The words of each command that a sentence or a table quotes; what Prefect fills in is one word."""
    for told in _TEXT.findall(_BLOCK.sub("", text)):
        yield re.sub(r"\{\{.*?\}\}", "a1b2", told).split()


def as_typed(words: list[str]) -> list[str]:
    """What comes after `kam`, with values where something stands for them."""
    return [PLACEHOLDERS.get(word, word) for word in words[1:]]


def taken(words: list[str]) -> dict[str, object]:
    """What `kam` reads in a command; raises what it would refuse it by."""
    name, *arguments = as_typed(words)
    if name == "--version":
        return {}
    return dict(_COMMANDS[name].make_context(name, arguments).params)


@pytest.mark.parametrize("file", TOLD, ids=lambda file: file.name)
def test_every_command_that_is_told_is_one(file: Path) -> None:
    """Its name, its options, their values, and all that it cannot do without."""
    text = file.read_text("utf-8")
    found = [*in_blocks(text), *in_sentences(text)]
    assert found
    for words in found:
        # The README's sentences speak of commands by their names alone.
        if file.name != "README.md" or len(words) > 2:
            assert taken(words) is not None


def test_what_a_notification_tells_to_do_is_quoted() -> None:
    """So that the above sees it, and a person what to copy."""
    names = "|".join(_COMMANDS)
    assert re.findall(rf"(?<!`)\bkam (?:{names})\b.*", AUTOMATIONS.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("kam nothing", "nothing"),
        ("kam approve a1b2", "Missing parameter: by"),
        ("kam pull --fully", "No such option: --fully"),
        ("kam sweep --of links", "'links' is not one of"),
        ("kam status --max-age soon", "valid number"),
        ("kam status again", "unexpected extra argument"),
    ],
)
def test_the_check_itself_refuses(told: str, why: str) -> None:
    """A name, an argument that lacks or is too many, an option and a value that there are not."""
    with pytest.raises(Exception, match=re.escape(why)):
        taken(told.split())

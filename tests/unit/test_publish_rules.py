"""The rules of writing: what a file may say, and how a mistake in it is told."""

from pathlib import Path

import pytest

from kammodel.errors import PolicyInvalid
from kammodel.publish.fields import OURS
from kammodel.publish.rules import load_rules


def written(folder: Path, text: str) -> Path:
    file = folder / "publish.toml"
    file.write_text(text, "utf-8")
    return file


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    """What it leaves out keeps its default."""
    rules = load_rules(written(tmp_path, '[fields]\ntier = "review"\n[limits]\nleast = 3\n'))
    assert [rules.rule_of(key) for key in ("tier", "score")] == ["review", "person-wins"]
    assert (rules.limits.least, rules.limits.tier_changes) == (3, load_rules().limits.tier_changes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[fields]\ntier = "mine"\n', "line 2: fields.tier: "),
        ("[limits]\n\nfewer_rows = 3\n", "line 3: limits.fewer_rows: "),
        ("[limit]\n", "no such key; did you mean limits?"),
        ('[scope]\nleaving = "delete"\n', "line 2: scope.leaving: "),
        ("[plan\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"publish\.toml") as fault:
        load_rules(written(tmp_path, text))
    assert told in str(fault.value)


def test_a_rule_for_a_field_that_is_not_ours(tmp_path: Path) -> None:
    rules = load_rules(written(tmp_path, '[fields]\ntear = "ours"\n'))
    with pytest.raises(PolicyInvalid, match=r"fields\.tear: kam writes no such field; did you mean tier\?"):
        rules.check_names(OURS)

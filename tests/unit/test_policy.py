"""The tier policy: defaults, files that say only what differs, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kammodel.errors import NotConfigured, PolicyInvalid
from kammodel.tiering.policy import load_policy, policy_hash


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_default_policy_is_that_of_the_method() -> None:
    policy = load_policy()
    assert policy.weights == {
        "volume": 30,
        "potential": 20,
        "strategic": 15,
        "loyalty": 15,
        "relationship": 10,
        "service_need": 10,
        "esg": 0,
    }
    assert (policy.cut.strategic, policy.cut.key, policy.cut.growth) == (95, 80, 50)
    small = policy.small_population
    assert (small.below, small.strategic, small.key, small.growth) == (20, 80, 65, 45)
    assert (policy.caps.strategic, policy.caps.key) == (20, 50)
    assert policy.floor.revenue_share == 0.10
    stability, hours = policy.stability, policy.capacity.hours
    assert (stability.retier, stability.buffer, stability.confirmations) == ("quarter", 5, 2)
    assert (hours.strategic, hours.key, hours.growth, hours.standard) == (28, 8, 2, 0)
    assert policy.capacity.hours_per_kam == 120
    assert (policy.robustness.draws, policy.robustness.jitter) == (200, 0.25)
    assert policy.provisional.model_dump() == {
        "coverage": 0.66,
        "purchases": 2,
        "days_since_first_purchase": 90,
    }


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, "[caps]\nkey = 75\n"))
    assert (policy.caps.strategic, policy.caps.key, policy.cut.key) == (20, 75, 80)


def test_a_file_that_says_nothing_is_the_default(tmp_path: Path) -> None:
    assert load_policy(write(tmp_path, "")) == load_policy()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[weights]\n\nvolum = 3\n", "line 3: weights.volum: no such criterion; did you mean volume?"),
        ("[caps]\nkeys = 3\n", "line 2: caps.keys: no such key; did you mean key?"),
        ("[cap]\nkey = 3\n", "line 1: cap: no such key; did you mean caps?"),
        (
            "[cadence.key]\nmeting_every_days = 3\n",
            "line 2: cadence.key.meting_every_days: no such key; did you mean meeting_every_days?",
        ),
        ("# ours\n[cut]\nstrategic = 70\n", "line 2: cut: strategic (70) must lie above key (80)"),
        (
            "[small_population]\ngrowth = 90\n",
            "line 1: small_population: key (65) must lie above growth (90)",
        ),
        (
            "[weights]\nvolume = -1\n",
            "line 2: weights.volume: input should be greater than or equal to 0, not -1",
        ),
        ("[weights]\nvolume = nan\n", "line 2: weights.volume: input should be a finite number, not nan"),
        ("[caps]\nkey = true\n", "line 2: caps.key: input should be a valid integer, not True"),
        ("[caps]\nkey = '5'\n", "line 2: caps.key: input should be a valid integer, not '5'"),
        ("[rfm]\nrecency_days = [60, 30]\n", "line 1: rfm: recency_days must ascend"),
        (
            "[weights]\nvolume=0\npotential=0\nstrategic=0\nloyalty=0\nrelationship=0\nservice_need=0\n",
            "line 1: weights: at least one criterion must weigh more than 0",
        ),
        (
            "[scaling.by_criterion]\nvolumes = 'thresholds'\n",
            "line 2: scaling.by_criterion.volumes: no such criterion; did you mean volume?",
        ),
        (
            "[scaling.by_criterion]\nvolume = 'thresholds'\n",
            "line 1: scaling: volume is scaled by thresholds: add thresholds.revenue_ttm",
        ),
        (
            "[scaling.thresholds]\nrevenue_ttm = [[5, 0], [1, 100]]\n",
            "line 2: scaling: thresholds.revenue_ttm: two pairs [value, points] or more, with ascending values",
        ),
        (
            "[scaling]\nmethod = 'rank'\n",
            "line 2: scaling.method: input should be 'percentile', 'thresholds' or 'log_minmax', not 'rank'",
        ),
        ("[fixed]\nkey = 10\n", "line 1: fixed: give strategic, key and growth, or none of them"),
        (
            "[fixed]\nstrategic = 25\nkey = 40\ngrowth = 90\n",
            "line 2: fixed.strategic (25) must not lie above caps.strategic (20)",
        ),
        ("[capacity.hours]\nkey = 30\n", "line 1: capacity.hours: strategic must not ask for fewer hours than key"),
        (
            "[stability]\nretier = 'week'\n",
            "line 2: stability.retier: input should be 'quarter', 'month' or 'always', not 'week'",
        ),
        ("[abc]\nb = 70\n", "line 1: abc: b (70) must not lie below a (80)"),
        ("wieghts.volume = 3\n", "line 1: wieghts: no such key; did you mean weights?"),
        ("cut = {strategic = 'a'}\n", "line 1: cut.strategic: input should be a valid number, not 'a'"),
    ],
)
def test_a_bad_policy_names_line_key_and_reason(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PolicyInvalid) as fault:
        load_policy(path)
    assert str(fault.value) == f"{path}, {told}"


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"caps\.key: .* \(and 1 more\)$"):
        load_policy(write(tmp_path, "[caps]\nkey = -1\nx = 1\n"))


def test_broken_toml_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"mine\.toml: not valid TOML: .*at line 2, column"):
        load_policy(write(tmp_path, "[cut]\nkey = \n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"none\.toml: cannot be read: No such file or directory"):
        load_policy(tmp_path / "none.toml")


def test_bytes_that_are_not_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xff\n")
    with pytest.raises(PolicyInvalid, match="not UTF-8 text"):
        load_policy(path)


def test_a_bad_policy_is_a_matter_of_configuration() -> None:
    assert issubclass(PolicyInvalid, NotConfigured)
    assert PolicyInvalid.exit_code == 3


def test_hash_is_of_what_the_policy_decides(tmp_path: Path) -> None:
    default = policy_hash(load_policy())
    same = policy_hash(load_policy(write(tmp_path, "# a comment\n[caps]\nkey = 50\n")))
    other = policy_hash(load_policy(write(tmp_path, "[caps]\nkey = 51\n")))
    assert default == same != other
    assert len(default) == 16

"""Rules as text, and a change of the rules told as one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from kammodel.rules import RuleChange, rule_changes, rules_text, with_rule_change
from kammodel.scoring import config_hash
from kammodel.tiering import explain
from kammodel.tiering.criteria import Language
from tests.unit.kam_world import CONFIG
from tests.unit.test_explanation import World, two

HEAVIER = CONFIG.policy.model_copy(update={"weights": {**CONFIG.policy.weights, "volume": 40.0}})
OTHER = replace(CONFIG, policy=HEAVIER)
NOW = rules_text(CONFIG)


def test_rules_are_the_same_text_as_long_as_they_decide_the_same() -> None:
    """As the hash that stands for them: neither day nor release is of them."""
    same = replace(CONFIG, as_of=dt.date(2020, 1, 1), release="2")
    assert rules_text(same) == NOW
    assert rules_text(OTHER) != NOW
    assert (config_hash(same) == config_hash(CONFIG)) is True


def test_what_changed_by_name() -> None:
    """As in the policy file, with both values; settings by their own names."""
    assert rule_changes(NOW, NOW) == ()
    assert rule_changes(NOW, rules_text(OTHER)) == (RuleChange("weights.volume", "30.0", "40.0"),)
    assert rule_changes(NOW, rules_text(replace(CONFIG, timezone="UTC"))) == (
        RuleChange("timezone", '"Europe/Madrid"', '"UTC"'),
    )
    assert rule_changes("{}", '{"policy":{"a":{"b":[1]}}}') == (RuleChange("a.b", None, "[1]"),)


def test_another_language_is_no_other_rule() -> None:
    assert rule_changes(NOW, rules_text(replace(CONFIG, language="es"))) == ()


def test_snapshots_of_other_rules() -> None:
    """By what their hash stands for; a hash that nobody kept is another rule, unless it is our own."""
    spanish = replace(CONFIG, language="es")
    hashes = [config_hash(c) for c in (CONFIG, OTHER, spanish)]
    known = {hashes[1]: rules_text(OTHER), hashes[2]: rules_text(spanish)}
    previous = pl.DataFrame({"config_hash": [*hashes, "lost"]})
    marked = with_rule_change(previous, known, hashes[0], NOW)
    assert marked["rules_changed"].to_list() == [False, True, False, True]


def after_a_new_policy(tier: str, computed: str, *, changed: bool | None = True) -> World:
    """What was before was made by other rules; volume alone weighs on the difference."""
    world = two().before(0, tier, computed, 49.4, potential=16.7, strategic=13.3, loyalty=12.5, relationship=6.9)
    assert world.previous is not None
    world.previous = world.previous.with_columns(rules_changed=pl.lit(changed, pl.Boolean))
    return world


@pytest.mark.parametrize(
    ("tier", "language", "told"),
    [
        ("key", "en", " Since the last run: the policy changed. "),
        ("growth", "en", " Up from Growth: the policy changed. "),
        ("strategic", "en", " Down from Strategic: the policy changed. "),
        ("key", "es", " Desde la última vez: cambió la política. "),
    ],
)
def test_a_rule_change_is_told_as_one(tier: str, language: Language, told: str) -> None:
    """No criterion of the customer is blamed for it."""
    reason = after_a_new_policy(tier, tier).reasons(language)[0]
    assert told in reason
    assert "+25" not in reason


def test_the_same_rules_are_not_mentioned() -> None:
    """Nor is a change that moved nobody, or for whom a person set the tier."""
    assert " Since the last run: purchase volume +25. " in after_a_new_policy("key", "key", changed=False).reasons()[0]
    assert " Up from Growth. " in after_a_new_policy("growth", "key").reasons()[0]
    still = {"volume": 25.2, "potential": 16.7, "strategic": 13.3, "loyalty": 12.5, "relationship": 6.9}
    world = two().before(0, "key", "key", 74.6, **still)
    assert world.previous is not None
    world.previous = world.previous.with_columns(rules_changed=pl.lit(value=True))
    assert world.reasons()[0] == two().reasons()[0]


def test_the_explanation_knows_of_it() -> None:
    world = after_a_new_policy("key", "key")
    found = explain("g0", world.scores(), world.kpis, world.groups, previous=world.previous)
    assert found.since_last_run is not None
    assert found.since_last_run.rules_changed is True

"""The reason in words, and one group's full explanation; scores derived by hand in `two`."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import polars as pl
import pytest

from kammodel.errors import KamError
from kammodel.tiering import criteria_json, explain, load_policy, reason_text, score, texts
from kammodel.tiering.criteria import Language
from kammodel.tiering.policy import Policy
from kammodel.tiering.reason import shortened
from kammodel.tiering.scorecard import SCORE_COLUMNS, Scores

DAY = dt.date(2026, 6, 30)
AT_ONCE = load_policy().model_copy(
    update={"stability": load_policy().stability.model_copy(update={"retier": "always", "confirmations": 1})}
)
"""The default policy, but a tier moves as soon as it lies beyond the buffer."""
HOSTILE = "[red]=cmd|'/C calc'!A0<script>"

Row = dict[str, Any]
GROUP: Row = {
    "name": HOSTILE,
    "type": "customer",
    "strategic_value": 5.0,
    "tier_override": None,
    "tier_override_reason": HOSTILE,
    "tier_override_until": None,
}
GROUP_TYPES = {
    "group": pl.UInt32,
    "type": pl.String,
    "strategic_value": pl.Float64,
    "tier_override": pl.String,
    "tier_override_until": pl.Date,
}
KPI: Row = {
    "revenue_ttm": 1_000_0000,
    "revenue_24m": 2_000_0000,
    "revenue_share": 0.05,
    "revenue_yoy_growth": 0.1,
    "open_pipeline": 500_0000,
    "weighted_pipeline": 250_0000,
    "customer_tenure_months": 30,
    "purchases_24m": 4,
    "purchases_ever": 6,
    "days_since_first_purchase": 900,
    "days_since_last_purchase": 20,
    "active_quarters_8": 5,
    "cadence_recency": 1.0,
    "touches_90d": 7,
    "touches_180d": 7,
    "meetings_90d": 7,
    "meetings_180d": 7,
    "active_contacts_180d": 2,
}
BETTER: Row = {
    "revenue_ttm": 2_000_0000,
    "revenue_yoy_growth": 0.2,
    "weighted_pipeline": 300_0000,
    "customer_tenure_months": 60,
    "active_quarters_8": 8,
    "cadence_recency": 0.5,
    "active_contacts_180d": 4,
}


class World:
    """Frames for `score`; each group is (changes of KPI, changes of GROUP)."""

    def __init__(self, *rows: tuple[Row, Row]) -> None:
        kpis = [{"group": place, **KPI, **kpi} for place, (kpi, _) in enumerate(rows)]
        groups = [{"group": place, "group_id": f"g{place}", **GROUP, **group} for place, (_, group) in enumerate(rows)]
        types = {"group": pl.UInt32, **dict.fromkeys(("revenue_share", "revenue_yoy_growth"), pl.Float64)}
        self.kpis = pl.DataFrame(kpis, schema_overrides=types)
        self.groups = pl.DataFrame(groups, schema_overrides=GROUP_TYPES)
        self.previous: pl.DataFrame | None = None

    def before(self, place: int, tier: str, computed: str, points: float, **contributions: float) -> World:
        self.previous = pl.DataFrame(
            {
                "group_id": [f"g{place}"],
                "tier_effective": [tier],
                "tier_computed": [computed],
                "score": [points],
                "criteria": [json.dumps({f"c_{key}": value for key, value in contributions.items()})],
            }
        )
        return self

    def scores(self, policy: Policy | None = None) -> Scores:
        return score(self.kpis, self.groups, policy or AT_ONCE, DAY, self.previous)

    def reasons(self, language: Language = "en", policy: Policy | None = None) -> list[str]:
        frame = reason_text(self.scores(policy), self.kpis, self.groups, language, self.previous)
        return frame["reason"].to_list()


def two(kpi: Row | None = None, group: Row | None = None, other: Row | None = None) -> World:
    """Two groups, the first better in all but cadence, where they tie.

    Percentiles 75 and 25, ratings 8 and 2, cadence 50 and 50, so relationship is 62.5 and 37.5; service has
    no input. First: (75 * 30 + 75 * 20 + 80 * 15 + 75 * 15 + 62.5 * 10) / 90 = 74.4, second 25.6.
    """
    first = ({**BETTER, **(kpi or {})}, {"strategic_value": 8.0, **(group or {})})
    return World(first, (other or {}, {"strategic_value": 2.0}))


def test_a_score_in_words() -> None:
    """Points above the middle: 30 * 25 / 90 = 8.3, 20 * 25 / 90 = 5.6, 15 * 30 / 90 = 5.0."""
    assert two().reasons() == [
        "Key (74.4): strong in purchase volume (+8) and growth potential (+6). Strategic from 80 points: needs +5.6.",
        "Standard (25.6): weak in purchase volume (-8). Growth from 45 points: needs +19.4.",
    ]


def test_a_score_in_spanish_words() -> None:
    assert two().reasons("es") == [
        "Clave (74,4): fuerte en volumen de compra (+8) y potencial de crecimiento (+6). "
        "Estratégica desde 80 puntos: faltan 5,6.",
        "Estándar (25,6): débil en volumen de compra (-8). Crecimiento desde 45 puntos: faltan 19,4.",
    ]


def test_contributions_as_shown() -> None:
    """25.0, 16.67, 13.33, 12.5, 6.94 round down to 74.3, a tenth under the score; potential lost most."""
    frame = two().scores().frame
    keys = ("volume", "potential", "strategic", "loyalty", "relationship", "service_need")
    assert [frame[f"c_{key}"][0] for key in keys] == [25.0, 16.7, 13.3, 12.5, 6.9, None]


def test_columns_of_the_frame() -> None:
    assert tuple(two().scores().frame.columns) == SCORE_COLUMNS


def test_criteria_without_input_are_listed_once() -> None:
    scores = two().scores()
    assert scores.unavailable == ("service_need",)
    assert scores.frame["coverage"].to_list() == [1.0, 1.0]


def test_a_weakness_says_what_is_missing() -> None:
    """Only relationship differs: 25 of cadence and 25 of contacts against 75."""
    busy = {"touches_90d": 3, "meetings_90d": 2, "active_contacts_180d": 3}
    silent = World((busy, {}), ({"touches_90d": 0, "meetings_90d": 0}, {})).reasons()[1]
    assert silent.startswith("Growth (47.2): weak in relationship (no contact in 90 days).")
    unmet = World((busy, {}), ({"touches_90d": 1, "meetings_90d": 0}, {})).reasons()[1]
    assert "weak in relationship (no meeting in 90 days)." in unmet


def test_the_middle_is_said_to_be_the_middle() -> None:
    assert World(({}, {})).reasons() == [
        "Growth (50.0): close to the middle of its peers. Key from 65 points: needs +15.0."
    ]


def test_a_move_up_names_the_criterion_that_moved_most_that_way() -> None:
    """Volume was 10.0 and is 25.0; loyalty was 20.0 and is 12.5: not the cause of a rise."""
    before = {"volume": 10.0, "potential": 16.7, "strategic": 13.3, "loyalty": 20.0, "relationship": 6.9}
    assert " Up from Growth: purchase volume +15. " in two().before(0, "growth", "growth", 66.9, **before).reasons()[0]
    assert (
        " Down from Strategic: loyalty -8. " in two().before(0, "strategic", "strategic", 66.9, **before).reasons()[0]
    )


@pytest.mark.parametrize(
    ("tier", "computed", "told"),
    [
        ("key", "key", " Since the last run: purchase volume +25. "),
        ("growth", "key", " Up from Growth. "),
        ("provisional", "key", " Provisional until now. "),
    ],
)
def test_what_changed(tier: str, computed: str, told: str) -> None:
    """No criterion is blamed where a person or missing evidence made the tier before."""
    same = {"potential": 16.7, "strategic": 13.3, "loyalty": 12.5, "relationship": 6.9}
    assert told in two().before(0, tier, computed, 49.4, **same).reasons()[0]


def test_nothing_moved_nothing_said() -> None:
    """But that a tier that stands is left only 5 points beyond its border."""
    same = {"volume": 25.2, "potential": 16.7, "strategic": 13.3, "loyalty": 12.5, "relationship": 6.9}
    told = two().before(0, "key", "key", 74.6, **same).reasons()[0]
    assert told == two().reasons()[0].replace("80 points: needs +5.6", "85 points: needs +10.6")


def test_not_there_before() -> None:
    assert " New in the ranking. " in two().before(1, "standard", "standard", 25.6).reasons()[0]


def test_too_little_history() -> None:
    assert two({"purchases_ever": 1, "days_since_first_purchase": 30}).reasons()[0] == (
        "Provisional (Key by score, 74.4): strong in purchase volume (+8) and growth potential (+6). "
        "Fewer than 2 purchases. First purchase less than 90 days ago."
    )


def test_too_little_input() -> None:
    """Without volume and potential 40 of 90: (80 * 15 + 75 * 15 + 62.5 * 10) / 40 = 73.75."""
    lacking = dict.fromkeys(("revenue_ttm", "revenue_yoy_growth", "weighted_pipeline"))
    assert two(lacking).reasons()[0] == (
        "Key (73.8), provisional: strong in strategic value (+11) and loyalty (+9). Data for only 44 % of the criteria."
    )


def test_the_floor_is_named() -> None:
    share = two(other={"revenue_share": 0.129}).reasons()[1]
    assert share.startswith("Key (25.6): weak in purchase volume (-8). At least Key: 12 % of all revenue.")


def test_a_full_tier_is_named() -> None:
    """Revenue 1..40: two are cut Strategic for one seat. The 39th has (96.25 * 30 + 50 * 60) / 90 = 65.4, the
    40th (98.75 * 30 + 3000) / 90 = 66.25, shown as 66.3; to beat it takes 66.4.
    """
    plain = load_policy().model_dump()
    policy = type(load_policy()).model_validate({**plain, "caps": {"strategic": 1, "key": 50}})
    world = World(*(({"revenue_ttm": place + 1}, {}) for place in range(40)))
    found = score(world.kpis, world.groups, policy, DAY)
    text = reason_text(found, world.kpis, world.groups, "en")["reason"][38]
    assert text == "Key (65.4): strong in purchase volume (+15). Strategic is full (1): needs +1.0 points."


def test_a_tier_set_by_hand() -> None:
    by_hand = two(group={"tier_override": "strategic", "tier_override_until": dt.date(2026, 12, 31)})
    assert by_hand.reasons()[0] == (
        "Strategic, set by hand until 2026-12-31; computed: Key (74.4): "
        "strong in purchase volume (+8) and growth potential (+6)."
    )
    assert by_hand.scores().frame.select("tier_effective", "tier_computed").row(0) == ("strategic", "key")


def test_a_tier_set_by_hand_that_ended() -> None:
    ended = two(group={"tier_override": "strategic", "tier_override_until": dt.date(2026, 6, 29)})
    assert ended.reasons()[0].endswith("needs +5.6. The tier set by hand ended on 2026-06-29.")


@pytest.mark.parametrize(
    ("kpi", "group", "text"),
    [
        ({}, {"type": "partner"}, "Not ranked: partner."),
        ({"purchases_24m": 0, "purchases_ever": 0}, {}, "Not ranked: prospect, no purchase yet."),
        ({"purchases_24m": 0}, {}, "Not ranked: no purchase in 24 months."),
        ({"purchases_24m": None}, {}, "Not ranked: its purchases are not known."),
        (
            {"purchases_24m": 0},
            {"tier_override": "key"},
            "Key, set by hand. Not ranked: no purchase in 24 months.",
        ),
    ],
)
def test_not_ranked(kpi: Row, group: Row, text: str) -> None:
    world = two(kpi, group)
    assert world.reasons()[0] == text
    assert world.scores().frame.select("score", "tier_computed", "coverage", "quadrant").row(0) == (None,) * 4


def test_too_long_a_text_ends_at_a_word() -> None:
    text = pl.DataFrame({"x": ["a" * 200 + ", " + "b" * 80, "c" * 255, "é" * 251 + " fin", "d" * 300]})
    found = text.select(shortened(pl.col("x"))).to_series().to_list()
    assert found == ["a" * 200 + "…", "c" * 255, "é" * 251 + " fin", "d" * 254 + "…"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_of_a_crm_enters(language: Language) -> None:
    world = two(group={"tier_override": HOSTILE}, kpi={"purchases_ever": 1})
    assert all(not re.search(r"[\[\]=<>|'!]", text) and len(text) <= 255 for text in world.reasons(language))


def test_both_languages_say_the_same_things() -> None:
    """Same tables, same keys, same braces."""

    def shape(language: str) -> dict[str, Any]:
        tables = {name: table for name, table in texts._all()[language].items() if isinstance(table, dict)}
        return {
            f"{name}.{key}": sorted(re.findall(r"\{\w+\}", text))
            for name, table in tables.items()
            for key, text in table.items()
        }

    assert shape("en") == shape("es")


def test_criteria_json_has_sorted_keys_and_plain_numbers() -> None:
    """With them, what the next run has to know."""
    text = criteria_json(two().scores())["criteria"][0]
    assert text == (
        '{"c_esg":null,"c_loyalty":12.5,"c_potential":16.7,"c_relationship":6.9,"c_service_need":null,'
        '"c_strategic":13.3,"c_volume":25.0,"evaluated_on":"2026-06-30","m_cadence_attainment":1.0,'
        '"m_esg_score":null,"m_strategic_value":8.0,"override_since":null,"override_tier":null,"pending":null,'
        '"pending_n":0,"retiered_on":"2026-06-30","s_esg":null,"s_loyalty":75.0,"s_potential":75.0,'
        '"s_relationship":62.5,"s_service_need":null,"s_strategic":80.0,"s_volume":75.0,"standing":"key",'
        '"tier_since":null}'
    )


def test_explanation_of_one_group() -> None:
    world = two().before(0, "growth", "growth", 70.0, volume=20.6)
    found = explain("g0", world.scores(), world.kpis, world.groups, previous=world.previous)
    volume = found.criteria[0]
    assert (found.tier, found.tier_label, found.tier_rule, found.score) == ("key", "Key", "threshold", 74.4)
    assert (volume.weight, volume.value, volume.contribution, volume.above_middle, volume.change) == (
        30,
        75,
        25,
        8.3,
        4.4,
    )
    assert (volume.measures[0].value, volume.measures[0].percentile) == (2000.0, 75.0)
    assert found.since_last_run is not None
    assert (found.since_last_run.tier, found.since_last_run.score_change) == ("growth", 4.4)
    assert found.next_tier is not None
    assert (found.next_tier.tier, found.next_tier.points_missing, found.next_tier.score_needed) == (
        "strategic",
        10.6,
        85.0,
    )
    assert (found.attractiveness, found.strength, found.quadrant) == (76.2, 70.0, "key")
    assert found.reason == world.reasons()[0]
    assert found.inputs_missing == (
        "whitespace_value",
        "wallet_gap",
        "renewal_rate_value",
        "exec_coverage",
        "premium_support",
        "case_intensity",
        "service_sensitivity",
    )
    assert found.criteria_unavailable == ("service_need",)


def test_explanation_says_why_a_figure_is_missing() -> None:
    world = two({"revenue_ttm": None}, {"strategic_value": None})
    world.kpis = world.kpis.with_columns(revenue_ttm__why=pl.lit("no rate for XXX"))
    found = explain("g0", world.scores(), world.kpis, world.groups, language="es")
    why = {measure.kpi: measure.why for criterion in found.criteria for measure in criterion.measures}
    assert why["revenue_ttm"] == "no rate for XXX"
    assert why["strategic_value"] == "nadie lo ha valorado"
    assert why["case_intensity"] == "aún no se calcula"
    assert why["weighted_pipeline"] is None


def test_explanation_names_the_revenue_that_would_do() -> None:
    """g1 needs 25 + 19.4 * 90 / 30 = 83 of volume, and a tie with the other gives 50: not by revenue alone.

    The 20th of revenue 1..40 needs 48.75 + 0.8 * 90 / 30 = 51.15; a tie with 21 gives 50, one with 22 52.5.
    """
    world = two()
    found = explain("g1", world.scores(), world.kpis, world.groups)
    assert found.next_tier is not None
    assert found.next_tier.revenue_needed is None
    near = World(*(({"revenue_ttm": (place + 1) * 1_0000}, {}) for place in range(40)))
    reached = explain("g19", near.scores(), near.kpis, near.groups).next_tier
    assert reached is not None
    assert (reached.tier, reached.points_missing, reached.revenue_needed) == ("growth", 0.8, 22.0)


def test_explanation_warns_of_an_override_that_is_far_off_or_ends() -> None:
    by_hand = two(group={"tier_override": "standard", "tier_override_until": dt.date(2026, 7, 10)})
    found = explain("g0", by_hand.scores(), by_hand.kpis, by_hand.groups)
    assert found.override is not None
    assert (found.override.state, found.override.reason) == ("valid", HOSTILE)
    assert found.warnings == (
        "the tier set by hand lies 2 tiers from the computed one",
        "the tier set by hand ends in 10 days",
    )


def test_explanation_of_nobody() -> None:
    world = two()
    with pytest.raises(KamError, match="no account group 'g9'"):
        explain("g9", world.scores(), world.kpis, world.groups)

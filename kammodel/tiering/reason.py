"""Writes, for every account group at once, the text of the Reason field: why it stands where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.rules import CHANGED
from kammodel.tiering import aggregation, sentences, texts
from kammodel.tiering.criteria import Language
from kammodel.tiering.memory import STATE
from kammodel.tiering.scorecard import Scores

LENGTH = 255
"""Characters that the Reason field holds."""


def reason_text(
    scores: Scores,
    kpis: pl.DataFrame,
    groups: pl.DataFrame,
    language: Language,
    previous: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """`group`, `reason`: at most 255 characters for each group, in the words of `language`.

    In turn: tier and score (or who set it, or why it is not ranked); the two criteria that lift it most above
    the middle of its peers and the one that costs most, in points `w (s - 50) / sum(w a)`; why it is
    provisional; a cap or floor at work, or why its tier stands though the cut says another; what changed since
    `previous` (group_id, tier_effective and `criteria` as `criteria_json` writes it; `rules_changed` if rules.py added
    it); points missing to the next tier, its peers unchanged. What does not fit is cut at a word, with an ellipsis.
    kam.md §3d step 11. Only our own words and numbers enter: neither names nor a person's override reason do.
    """
    weights = scores.weights
    facts = sentences.prepared(_facts(scores, kpis, groups, previous), weights, language)
    parts = [
        sentences.head(language) + sentences.profile(weights, language) + ".",
        *sentences.provisional_notes(scores, language),
        sentences.rule_note(scores, language),
        sentences.stability_note(scores, language),
        sentences.change(weights, language) if previous is not None else pl.lit(None, pl.String),
        sentences.next_step(scores, language),
        sentences.override_note(language),
    ]
    out = [
        sentences.override_head(language) + ".",
        texts.labelled(pl.col("out_reason"), "out", language),
        sentences.override_note(language),
    ]
    ranked, unranked = (pl.concat_str(part, separator=" ", ignore_nulls=True) for part in (parts, out))
    text = pl.when("in_population").then(ranked).otherwise(unranked)
    return facts.select("group", reason=shortened(text.str.strip_chars()))


def criteria_json(scores: Scores) -> pl.DataFrame:
    """`group`, `criteria`: JSON text with sorted keys, c_<key> and s_<key>, and memory.STATE for the next run."""
    when, kept = scores.calendar, {name.removeprefix("m_"): name for name in STATE if name.startswith("m_")}
    measured = scores.measures.select("group", *(pl.col(measure).alias(name) for measure, name in kept.items()))
    told = scores.frame.join(measured, on="group", how="left", maintain_order="left").with_columns(
        evaluated_on=pl.lit(when.evaluated_on), retiered_on=pl.lit(when.retiered_on)
    )
    columns = sorted(name for name in told.columns if name.startswith(("c_", "s_")) or name in STATE)
    plain = [pl.col(name).cast(pl.String) if STATE.get(name) == pl.Date else pl.col(name) for name in columns]
    return told.select("group", criteria=pl.struct(plain).struct.json_encode())


def moves(previous_criteria: pl.Expr, weights: Mapping[str, float]) -> list[pl.Expr]:
    """`d_<key>`: contribution now less the one in an earlier `criteria_json`; not there is 0 points.

    They sum to the change of the score. Null where there is no earlier record.
    """
    return [
        pl.when(previous_criteria.is_not_null())
        .then(
            pl.col(f"c_{key}").fill_null(0)
            - previous_criteria.str.json_path_match(f"$.c_{key}").cast(pl.Float64, strict=False).fill_null(0)
        )
        .round(1)
        .alias(f"d_{key}")
        for key in weights
    ]


def shortened(text: pl.Expr) -> pl.Expr:
    """At most 255 characters; a longer text ends at a word, with an ellipsis."""
    head = text.str.slice(0, LENGTH - 1).str.replace(r"\s\S*$", "").str.strip_chars_end(" ,;:(")
    return pl.when(text.str.len_chars() <= LENGTH).then(text).otherwise(head + "…")


def _facts(scores: Scores, kpis: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None) -> pl.DataFrame:
    """Scores with what the words need: KPIs of the hints, override, tier and contributions before."""
    wanted = sorted({kpi for _, kpi, _ in sentences.HINTS} | {"revenue_share"})
    known = [name for name in wanted if name in kpis.columns]
    absent = [pl.lit(None, pl.Float64).alias(name) for name in wanted if name not in known]
    set_by_hand = groups.select("group", "tier_override", tier_override_until="tier_override_until")
    facts = (
        scores.frame.join(kpis.select("group", *known), on="group", how="left", maintain_order="left")
        .join(set_by_hand, on="group", how="left", maintain_order="left")
        .join(_before(previous), on="group_id", how="left", maintain_order="left")
        .with_columns(absent)
    )
    mean = scores.policy.aggregation.mean
    above = [
        aggregation.above_middle(key, scores.weights, mean).round(0).cast(pl.Int64).alias(f"a_{key}")
        for key in scores.weights
    ]
    moved = [move.round(0).cast(pl.Int64) for move in moves(pl.col("criteria"), scores.weights)]
    return facts.with_columns(*above, *moved)


def _before(previous: pl.DataFrame | None) -> pl.DataFrame:
    """`group_id`, `tier_before`, `computed_before`, `criteria`, `rules_changed` of the run before; no rows without
    one."""
    names = {"tier_effective": "tier_before", "tier_computed": "computed_before", "criteria": "criteria"}
    if previous is None:
        texts_only = dict.fromkeys(("group_id", *names.values()), pl.String())
        return pl.DataFrame(schema={**texts_only, CHANGED: pl.Boolean()})
    told = [pl.col(name).cast(pl.String).alias(to) for name, to in names.items()]
    return previous.select(
        "group_id", *told, CHANGED if CHANGED in previous.columns else pl.lit(None, pl.Boolean).alias(CHANGED)
    )

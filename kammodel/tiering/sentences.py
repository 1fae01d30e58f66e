"""Words the single sentences of the Reason text, each as one expression over columns that `prepared` adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kammodel.tiering import texts
from kammodel.tiering.criteria import CRITERION, Language
from kammodel.tiering.reach import Border
from kammodel.tiering.scorecard import Scores
from kammodel.tiering.sections import TIERS
from kammodel.tiering.stability import LEVEL, buffers
from kammodel.tiering.tiers import PROVISIONAL, is_small

HINTS: tuple[tuple[str, str, str], ...] = (
    ("volume", "revenue_ttm", "no_revenue"),
    ("potential", "open_pipeline", "no_pipeline"),
    ("relationship", "touches_90d", "no_touch"),
    ("relationship", "meetings_90d", "no_meeting"),
)
"""Criterion, KPI, words for a weakness where that KPI is 0; the first that holds is said."""

_RANK = {**LEVEL, PROVISIONAL: 0}
_NOT_BY_SCORE = ("override", "minimum_evidence", "capacity")


def prepared(facts: pl.DataFrame, weights: Mapping[str, float], language: Language) -> pl.DataFrame:
    """Adds what the sentences are made of; nested in them, it would be computed hundreds of times over.

    In: Scores.frame, tier_before, and per weight `a_<key>` (points above the middle) and `d_<key>` (move), in
    whole points. Out: words for tiers `w_*`, the score as text, `step` between the tiers before and now; the
    points as lists `above` and `moved` in order of the weights, with the places in them of the `first`,
    `second` and `least`, and of the `mover` in the direction of the step (either, without a step).
    """
    words = {"w_now": "tier_effective", "w_computed": "tier_computed", "w_before": "tier_before"}
    now, before = (
        pl.col(name).replace_strict(_RANK, default=None, return_dtype=pl.Int64)
        for name in ("tier_effective", "tier_before")
    )
    listed = facts.with_columns(
        *(texts.labelled(pl.col(code), "tier", language).alias(name) for name, code in words.items()),
        w_score=texts.number(pl.col("score"), language),
        step=now - before,
        above=_listed([pl.col(f"a_{key}").fill_null(0) for key in weights]),
        moved=_listed([pl.col(f"d_{key}") for key in weights]),
    )
    # Per column: Polars 2.1 panics on arithmetic between a list and a number where both are all null.
    step = pl.col("step")
    sizes = [
        pl.when(step == 0).then(pl.col(f"d_{key}").abs()).otherwise(pl.col(f"d_{key}") * step.sign()) for key in weights
    ]
    placed = listed.with_columns(
        first=pl.col("above").list.arg_max(), least=pl.col("above").list.arg_min(), size=_listed(sizes)
    )
    others = [
        pl.when(pl.col("first") != place).then(pl.col(f"a_{key}").fill_null(0)) for place, key in enumerate(weights)
    ]
    return placed.with_columns(second=_listed(others).list.arg_max(), mover=pl.col("size").list.arg_max())


def head(language: Language) -> pl.Expr:
    """Tier and score, or who set the tier; without full stop."""
    words = texts.section("head", language)
    tier, computed, score = pl.col("w_now"), pl.col("w_computed"), pl.col("w_score")
    by_hand = texts.filled(words["override"], tier=tier, until=_until(language), computed=computed, score=score)
    return (
        pl.when(pl.col("tier_rule") == "override")
        .then(pl.coalesce(by_hand, override_head(language)))
        .when(pl.col("score").is_null())
        .then(texts.filled(words["unscored"], tier=tier))
        .when(pl.col("tier_rule") == "minimum_evidence")
        .then(texts.filled(words["unproven"], tier=computed, score=score))
        .when("provisional")
        .then(texts.filled(words["flagged"], tier=tier, score=score))
        .otherwise(texts.filled(words["scored"], tier=tier, score=score))
    )


def override_head(language: Language) -> pl.Expr:
    """A tier set by hand, without the computed one; null where none is in force."""
    template = texts.section("head", language)["override_unscored"]
    text = texts.filled(template, tier=pl.col("w_now"), until=_until(language))
    return pl.when(pl.col("tier_rule") == "override").then(text)


def profile(weights: Mapping[str, float], language: Language) -> pl.Expr:
    """`: strong in a (+21) and b (+9); weak in c (-8)`, of points above or below the middle of the peers."""
    words, labels = texts.section("profile", language), _labels(weights, language)
    strong = pl.concat_str(
        [_item("first", labels, language), _item("second", labels, language)],
        separator=words["and"],
        ignore_nulls=True,
    )
    both = [
        pl.when(strong != "").then(texts.filled(words["strong"], items=strong)),
        texts.filled(words["weak"], items=_item("least", labels, language)),
    ]
    text = pl.concat_str(both, separator="; ", ignore_nulls=True)
    said = pl.when(text != "").then(text).otherwise(pl.lit(words["middle"]))
    return pl.when(pl.col("score").is_not_null()).then(": " + said).otherwise(pl.lit(""))


def provisional_notes(scores: Scores, language: Language) -> list[pl.Expr]:
    """One sentence for each code in `provisional_why`; null for the others."""
    words, rule = texts.section("note", language), scores.policy.provisional
    notes = {
        "few_purchases": texts.filled(words["few_purchases"], purchases=pl.lit(rule.purchases)),
        "young": texts.filled(words["young"], days=pl.lit(rule.days_since_first_purchase)),
        "coverage": texts.filled(words["coverage"], coverage=_percent(pl.col("coverage"))),
        "no_input": pl.lit(words["no_input"]),
    }
    codes = pl.col("provisional_why").str.split(";")
    return [pl.when(codes.list.contains(code)).then(note) for code, note in notes.items()]


def rule_note(scores: Scores, language: Language) -> pl.Expr:
    """The cap or floor that moved a tier, unless the sentence on the next tier says so; null where none did."""
    words, tiers = texts.section("note", language), texts.section("tier", language)
    above, seats = ("strategic", "key"), (scores.policy.caps.strategic, scores.policy.caps.key)
    taken = [
        texts.filled(words["hard_cap"], seats=pl.lit(count), tier=pl.lit(tiers[tier]))
        for tier, count in zip(above, seats, strict=True)
    ]
    rule = pl.col("tier_rule")
    return (
        pl.when(rule == "provisional_cap")
        .then(pl.lit(words["provisional_cap"]))
        .when((rule == "hard_cap") & pl.col("points_missing").is_not_null())
        .then(None)
        .when((rule == "hard_cap") & (pl.col("tier_computed") == "key"))
        .then(taken[0])
        .when(rule == "hard_cap")
        .then(taken[1])
        .when(rule == "share_floor")
        .then(texts.filled(words["share_floor"], share=_percent(pl.col("revenue_share"))))
        .when(rule == "capacity")
        .then(pl.lit(words["capacity"]))
    )


def override_note(language: Language) -> pl.Expr:
    """What keeps a tier set by hand from being in force; null where nothing does."""
    words = texts.section("note", language)
    return (
        pl.when(pl.col("override") == "expired")
        .then(texts.filled(words["expired"], date=pl.col("override_ends_on")))
        .when(pl.col("override") == "unknown")
        .then(pl.lit(words["unknown"]))
    )


def change(weights: Mapping[str, float], language: Language) -> pl.Expr:
    """How the tier moved, and the criterion that moved the score most that way; null where nothing to tell.

    No criterion is named where a person, or missing evidence, made the tier before or now: the score did
    not. A tier that stayed tells the greatest move from one point on. Where the tiers before were made under other
    rules (`rules_changed`), that is said in place of a criterion: the customer may have done nothing.
    """
    words, before, step = texts.section("change", language), pl.col("tier_before"), pl.col("step")
    was = texts.filled(words["was"], tier=pl.col("w_before"))
    name = (
        pl.when(before.is_null())
        .then(pl.lit(words["first"]))
        .when((before == PROVISIONAL) | (pl.col("tier_effective") == PROVISIONAL))
        .then(was)
        .when(step > 0)
        .then(texts.filled(words["up"], tier=pl.col("w_before")))
        .otherwise(texts.filled(words["down"], tier=pl.col("w_before")))
    )
    cause = {
        "criterion": pl.col("mover").replace_strict(_labels(weights, language), default=None, return_dtype=pl.String),
        "points": texts.signed(pl.col("moved").list.get(pl.col("mover"))),
    }
    told = pl.col("size").list.max() >= 1
    by_score = (before == pl.col("computed_before")) & ~pl.col("tier_rule").is_in(_NOT_BY_SCORE)
    by_rules = pl.col("rules_changed").fill_null(value=False)

    def caused(how: pl.Expr) -> pl.Expr:
        by_criterion = texts.filled(words["cause"], change=how, **cause)
        return pl.when(by_rules).then(texts.filled(words["rules"], change=how)).otherwise(by_criterion)

    moved = pl.when((told | by_rules) & by_score).then(caused(name))
    return (
        pl.when(step == 0)
        .then(pl.when(told).then(caused(pl.lit(words["since"]))))
        .otherwise(pl.coalesce(moved, texts.filled(words["plain"], change=name)))
    )


def stability_note(scores: Scores, language: Language) -> pl.Expr:
    """Why a tier stands though the cut says another; null where it does not."""
    words, rule = texts.section("note", language), scores.policy.stability
    by_cut = texts.labelled(pl.col("tier_by_cut"), "tier", language)
    buffered = texts.filled(words["buffer"], tier=by_cut)
    confirmed = texts.filled(
        words["unconfirmed"], tier=by_cut, n=pl.col("pending_n"), needed=pl.lit(rule.confirmations)
    )
    notes = {
        "buffer": buffered,
        "unconfirmed": confirmed,
        "between_retiers": texts.filled(words[f"retier_{rule.retier}"], tier=by_cut),
    }
    code = pl.col("tier_rule")
    return pl.coalesce(*(pl.when(code == name).then(note) for name, note in notes.items()))


def next_step(scores: Scores, language: Language) -> pl.Expr:
    """Points missing to the next tier; null where there is none, or the score does not decide."""
    stands = pl.col("stands")
    steps = [
        pl.when((pl.col("next_tier") == border.tier) & (stands if held else ~stands)).then(
            _way(border, scores, language, held=held)
        )
        for held, borders in ((False, scores.borders), (True, scores.standing_borders))
        for border in borders
    ]
    return pl.when(~pl.col("tier_rule").is_in(_NOT_BY_SCORE)).then(pl.coalesce(steps))


def _way(border: Border, scores: Scores, language: Language, *, held: bool) -> pl.Expr:
    words, policy = texts.section("next", language), scores.policy
    small = is_small(scores.population_n, policy)
    cut = policy.small_population if small else policy.cut
    start = getattr(cut, border.tier) + (buffers(cut, policy)[LEVEL[border.tier]] if held else 0)
    counts = None if small else policy.fixed.counts
    seats = getattr(policy.caps, border.tier, 0) if counts is None else counts[TIERS.index(border.tier)]
    template = "full" if border.is_full else "threshold" if small else "cut"
    return texts.filled(
        words[template],
        tier=pl.lit(texts.section("tier", language)[border.tier]),
        seats=pl.lit(seats),
        border=texts.number(pl.lit(start), language).str.replace(r"[.,]0$", ""),
        points=texts.number(pl.col("points_missing"), language),
    )


def _item(place: str, labels: Mapping[int, str], language: Language) -> pl.Expr:
    """`criterion (points)` at one of the places; for a weakness a hint may stand instead of the points.

    Null where a strength is no gain of a point, or a weakness no loss of one.
    """
    points, is_weak = pl.col("above").list.get(pl.col(place)), place == "least"
    said = texts.signed(points)
    text = texts.filled(
        texts.section("profile", language)["item"],
        criterion=pl.col(place).replace_strict(labels, default=None, return_dtype=pl.String),
        points=pl.coalesce(*_hints(place, labels, language), said) if is_weak else said,
    )
    return pl.when(points <= -1 if is_weak else points >= 1).then(text)


def _hints(place: str, labels: Mapping[int, str], language: Language) -> list[pl.Expr]:
    words = texts.section("hint", language)
    places = {label: number for number, label in labels.items()}
    found = [(places.get(CRITERION[key].label(language)), kpi, hint) for key, kpi, hint in HINTS]
    return [
        pl.when((pl.col(place) == at) & (pl.col(kpi) == 0)).then(pl.lit(words[hint]))
        for at, kpi, hint in found
        if at is not None
    ]


def _labels(weights: Mapping[str, float], language: Language) -> dict[int, str]:
    return {place: CRITERION[key].label(language) for place, key in enumerate(weights)}


def _until(language: Language) -> pl.Expr:
    template = texts.section("head", language)["until"]
    return texts.filled(template, date=pl.col("tier_override_until")).fill_null("")


def _listed(columns: Sequence[pl.Expr]) -> pl.Expr:
    return pl.concat_list(columns) if columns else pl.lit(None, pl.List(pl.Int64))


def _percent(share: pl.Expr) -> pl.Expr:
    """Rounded down: 65.9 % must not read as the 66 % it misses."""
    return (share * 100 + 1e-9).floor().cast(pl.Int64)

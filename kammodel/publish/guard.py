"""The guard: what a plan would change at once, and what it was computed from, against limits that a person may lift.

Nothing here knows what went wrong: an empty answer taken for all there is, a field hidden from us, a table of rates
that is gone and half of the deals missing all show as figures that vanish, rows that are gone or tiers that move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from kammodel.publish.plan import Comparison
from kammodel.publish.rules import Limits

ROWS, NULLS, WANTED, REJECTS = "rows.", "nulls.", "nulls.field.", "rejects."
DEALS, WITHOUT_RATE = "scored.opportunities", "scored.amounts_without_rate"
"""What measures are called by: live rows of an entity, share of a column or of a field that has no value, and rows set
aside."""


def wanted_measures(wanted: pl.DataFrame) -> dict[str, float]:
    """By field, the share of accounts that it would be empty for. `wanted`: source_id and a column per field."""
    if wanted.is_empty():
        return {}
    shares = wanted.select(pl.exclude("source_id").is_null().mean()).row(0, named=True)
    return {f"{WANTED}{key}": float(share) for key, share in shares.items()}


def scored_measures(counts: Mapping[str, int]) -> dict[str, float]:
    """Of the counts of a scored day those that the guard looks at."""
    known = {DEALS: "opportunities", WITHOUT_RATE: "amounts_without_rate"}
    return {measure: float(counts[name]) for measure, name in known.items() if name in counts}


def tripped(
    found: Comparison, wanted: pl.DataFrame, measures: Mapping[str, float], last: Mapping[str, float], limits: Limits
) -> list[str]:
    """The limits that a plan goes beyond, each in words; none is a plan like any other.

    `wanted`: source_id and a column per field that is looked at. `measures`: what it was computed from, `last`: the
    same of the last plan that was written, empty where there was none; then only what would change is measured.
    """
    cells = pl.concat([found.to_write, found.to_review]).filter(pl.col("field").is_in(wanted.columns))
    return [
        *_tier_changes(cells, wanted, limits),
        *_emptied(cells, wanted, limits),
        *_fewer_rows(measures, last, limits),
        *_more_nulls(measures, last, limits),
        *_without_rate(measures, last, limits),
        *_rejects(measures, last, limits),
    ]


def _tier_changes(cells: pl.DataFrame, wanted: pl.DataFrame, limits: Limits) -> Iterator[str]:
    tiers = cells.filter(field="tier")
    changed, given = tiers.filter(pl.col("before").is_not_null()), tiers.filter(pl.col("before").is_null())
    now = wanted["tier"].count() if "tier" in wanted.columns else 0
    base = now - given["after"].count() + changed["after"].null_count()
    yield from _over(changed.height, base, limits.tier_changes, limits.least, "accounts with a tier would change it")


def _emptied(cells: pl.DataFrame, wanted: pl.DataFrame, limits: Limits) -> Iterator[str]:
    emptied = cells.filter(pl.col("after").is_null()).height
    filled = cells.filter(pl.col("before").is_null()).height
    present = wanted.select(pl.exclude("source_id").count()).sum_horizontal().sum() if wanted.width > 1 else 0
    base = max(int(present) - filled, 0) + emptied
    yield from _over(emptied, base, limits.emptied_cells, limits.least, "filled cells would be cleared")


def _fewer_rows(measures: Mapping[str, float], last: Mapping[str, float], limits: Limits) -> Iterator[str]:
    for name, before in _of(last, ROWS):
        now = measures.get(ROWS + name, 0.0)
        lost = before - now
        if (lost >= limits.least and lost > limits.fewer_rows * before) or (before and not now):
            limit = f"limit: {limits.fewer_rows:.0%} fewer"
            yield f"{_plain(name)}: {now:,.0f} rows where there were {before:,.0f} ({limit})"


def _more_nulls(measures: Mapping[str, float], last: Mapping[str, float], limits: Limits) -> Iterator[str]:
    rows = dict(_of(measures, ROWS))
    for name, before in _of(last, NULLS):
        now = measures.get(NULLS + name)
        entity, _, column = name.partition(".")
        counted = rows.get("account" if entity == "field" else entity, 0.0)
        if now is not None and now - before > limits.more_nulls and (now - before) * counted >= limits.least:
            yield (
                f"{_plain(entity)} {column}: without a value in {now:.0%} of the rows, {before:.0%} before "
                f"(limit: {limits.more_nulls:.0%} more)"
            )


def _without_rate(measures: Mapping[str, float], last: Mapping[str, float], limits: Limits) -> Iterator[str]:
    """Of a first plan, too: where nothing was written yet, a table of rates that is missing shows as nothing else."""
    deals, lacking = measures.get(DEALS, 0.0), measures.get(WITHOUT_RATE, 0.0)
    since = lacking - last.get(WITHOUT_RATE, 0.0) / (last.get(DEALS) or 1.0) * deals
    what = "deals have no exchange rate to KAM_REPORTING_CURRENCY, and had one, or are new"
    yield from _over(since, deals, limits.more_nulls, limits.least, what)


def _rejects(measures: Mapping[str, float], last: Mapping[str, float], limits: Limits) -> Iterator[str]:
    for name, now in _of(measures, REJECTS):
        since = now - last.get(REJECTS + name, 0.0)
        base = now + measures.get(ROWS + name, 0.0)
        what = f"rows of {_plain(name)} were set aside since the last plan that was written"
        yield from _over(since, base, limits.rejects, limits.least, what)


def _over(count: float, base: float, limit: float, least: int, what: str) -> Iterator[str]:
    if count >= least and count > limit * base:
        yield f"{count:,.0f} of {base:,.0f} {what} (limit: {limit:.0%})"


def _of(measures: Mapping[str, float], kind: str) -> Iterator[tuple[str, float]]:
    return ((name.removeprefix(kind), value) for name, value in measures.items() if name.startswith(kind))


def _plain(name: str) -> str:
    return name.replace("_", " ")

"""Says which account rows are one company, and which companies are one account group.

Three ties, followed in turn: a merge (the loser's id stands for its survivor), a match (the same company in two
CRMs, see matching.py) and the parent. Whole columns at a time: rows are numbered, a tie is a column of numbers,
and following it is repeated `gather`, so that 200,000 accounts take about a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY
from kammodel.identity.decisions import account_name
from kammodel.identity.following import INDEX, follow
from kammodel.identity.matching import Matched, matched, told

COLUMNS = (
    *KEY,
    "deleted",
    "name",
    "domain",
    "country",
    "type",
    "parent_id",
    "merged_into_id",
    "cross_reference",
    "strategic_value",
    "tier_override",
    "tier_override_reason",
    "tier_override_until",
)
"""Columns of the account entity that identity looks at."""

_RATINGS = ("tier_override", "tier_override_reason", "tier_override_until")


@dataclass(frozen=True)
class AccountGroups:
    """`members`: one row per live account, in key order: KEY, name, `group` (UInt32), `group_id`, `is_root`,
    `is_counted` (False where the system of record holds the same company: its facts count, these do not), `company`
    (a number: the rows that are one company have the same).

    `accounts`: KEY, `group`, `is_counted`, `company` of every id that stands for a live account, merged ones included.
    `groups`: one row per group in order of `group`: group, group_id, name, type, strategic_value, the
    override's three fields, `is_ring`, `members`. `counts`: what a person may want to put right.
    `matches`: the pairs of accounts of two CRMs that were joined, decided by a person or left for one, see `told`.
    """

    members: pl.DataFrame
    accounts: pl.DataFrame
    groups: pl.DataFrame
    counts: dict[str, int]
    matches: pl.DataFrame


def account_groups(
    accounts: pl.DataFrame, system_of_record: str | None = None, decisions: pl.DataFrame | None = None
) -> AccountGroups:
    """Groups accounts (COLUMNS of the entity) by ultimate parent. design.md step 4, kam.md §3d step 1, reading 37.

    - Merges: an id whose `merged_into_id` chain ends in a live account counts for that one. Deleted rows, and
      losers whose survivor is gone, are out.
    - Matches: the same company in two CRMs, by what a person decided (`decisions`, matches.csv), the id of the
      one in the other, the web host, or the name within a country, see `matched`. Only rows of the system of
      record are counted then; a company that one CRM alone holds counts from that one. `system_of_record`
      names a CRM; None, or one without accounts, is the first by alphabet.
    - Parents: the parent as the system of record states it, else as the other CRM does. A deleted or unknown
      parent is no parent. A ring takes its smallest id, tails join it; a self-parent is a ring of one; both
      are flagged. The hierarchy is today's, whatever the as-of day.

    `group_id` is `source:instance:source_id` of the group's root, the system of record's row where there is
    one; `group` numbers them in its order. What a person typed (type, rating, override) is the root
    company's, the system of record first; overrides on other members are counted and do nothing.
    """
    rows = _numbered(accounts, system_of_record)
    rows = rows.with_columns(survivor=_survivors(rows))
    live = rows.filter(pl.col("survivor") == pl.col("row"))
    found = matched(rows, decisions)
    rows = rows.join(_companies(rows, found), on="survivor", how="left", maintain_order="left")
    roots, missing = _roots(rows)
    rows = rows.join(roots, on="company", how="left", maintain_order="left")
    rows = _with_group(rows)
    members = rows.filter(pl.col("survivor") == pl.col("row"))
    groups = _groups(members)
    counts = {
        "accounts": live.height,
        "groups": groups.height,
        "rings": int(groups["is_ring"].sum()),
        "parents_missing": missing,
        "accounts_linked": int((~members["is_counted"]).sum()),
        "overrides_on_members": members.filter(pl.col("tier_override").is_not_null() & ~_in_root_company()).height,
        **found.counts,
    }
    return AccountGroups(
        members=members.select(*KEY, "name", "group", "group_id", "is_root", "is_counted", "company").sort(KEY),
        accounts=rows.drop_nulls("survivor").select(*KEY, "group", "is_counted", "company"),
        groups=groups,
        counts=counts,
        matches=told(found.pairs, members),
    )


def _numbered(accounts: pl.DataFrame, system_of_record: str | None) -> pl.DataFrame:
    """Rows in the order in which they take precedence: the system of record first, then by key."""
    first = pl.col("source") != (system_of_record or "")
    return accounts.select(COLUMNS).sort(first, *KEY).with_row_index("row").cast({"row": INDEX})


def _row_of(rows: pl.DataFrame, id_column: str) -> pl.Series:
    """The number of the row that an id column names, in the same CRM; null where there is none."""
    known = rows.select(*KEY[:2], pl.col("source_id").alias(id_column), found="row")
    return rows.select(*KEY[:2], id_column).join(known, on=[*KEY[:2], id_column], how="left", maintain_order="left")[
        "found"
    ]


def _survivors(rows: pl.DataFrame) -> pl.Series:
    """For each row the live row that it stands for; null where that one is gone."""
    merged = rows["merged_into_id"].is_not_null()
    live = ~(rows["deleted"] | merged)
    step = pl.select(pl.when(merged).then(_row_of(rows, "merged_into_id")).otherwise(rows["row"])).to_series()
    end, _ = follow(step.fill_null(rows["row"]))
    return pl.select(pl.when(live.gather(end)).then(end)).to_series()


def _companies(rows: pl.DataFrame, found: Matched) -> pl.DataFrame:
    """`survivor`, `company` (the first of the rows that are one company) and `is_counted`."""
    own, first = rows["source"], rows["source"].gather(found.company)
    return pl.DataFrame({"survivor": rows["row"], "company": found.company, "is_counted": own == first})


def _roots(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """`company`, `root` (the company at the top) and `is_ring`; and how many rows name a parent that is not there."""
    parent = _row_of(rows, "parent_id")
    named = rows.with_columns(parent=rows["survivor"].gather(parent)).filter(pl.col("survivor") == pl.col("row"))
    above = named.join(
        rows.select(parent="row", parent_company="company"), on="parent", how="left", maintain_order="left"
    )
    outside = pl.col("parent_company") != pl.col("company")
    tops = above.group_by("company").agg(
        step=pl.col("parent_company").filter(outside).first(),
        is_ring=(pl.col("parent_id") == pl.col("source_id")).any(),
    )
    numbered = rows.select(company="row").join(tops, on="company", how="left", maintain_order="left")
    step = pl.select(pl.coalesce(numbered["step"], numbered["company"])).to_series()
    reached, least = follow(step)
    root = least.gather(reached)
    turning = step.gather(root) != root
    ring = numbered["is_ring"].fill_null(value=False) & (root == numbered["company"])
    missing = named.filter(pl.col("parent_id").is_not_null() & pl.col("parent").is_null()).height
    found = pl.DataFrame({"company": numbered["company"], "root": root, "is_ring": turning | ring.gather(root)})
    return found, missing


def _with_group(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `group_id`, `group`, `is_root`."""
    names = rows.select(root="row", group_id=account_name(*KEY))
    with_id = rows.join(names, on="root", how="left", maintain_order="left")
    return with_id.with_columns(
        group=(pl.col("group_id").rank("dense") - 1).cast(pl.UInt32), is_root=pl.col("row") == pl.col("root")
    )


def _in_root_company() -> pl.Expr:
    return pl.col("company") == pl.col("root")


def _groups(members: pl.DataFrame) -> pl.DataFrame:
    top = members.filter(_in_root_company())
    first = [pl.col(name).drop_nulls().first() for name in ("name", "type", "strategic_value")]
    told = top.group_by("group", "group_id", maintain_order=True).agg(*first, pl.col("is_ring").first())
    overrides = top.drop_nulls("tier_override").unique("group", keep="first", maintain_order=True)
    sizes = members.group_by("group").agg(members=pl.len())
    return (
        told.join(overrides.select("group", *_RATINGS), on="group", how="left")
        .join(sizes, on="group", how="left")
        .select("group", "group_id", "name", "type", "strategic_value", *_RATINGS, "is_ring", "members")
        .sort("group")
    )

"""The changes of tier that stand in the CRMs now, per key account manager."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import polars as pl

from kammodel.digest import digest as short_name
from kammodel.entities import KEY
from kammodel.publish.fields import TIERS

Section = Literal["up", "down", "new", "provisional", "left", "back"]
SECTIONS: tuple[Section, ...] = ("up", "down", "new", "provisional", "left", "back")
WITHOUT_OWNER = "without-owner"
"""The slug of the digest of groups that nobody owns: no other ends in a word."""

_RANKED = TIERS[: TIERS.index("provisional")]
"""From the highest."""
_LONGEST_SLUG = 40
_LINE = ["group", "before", "after", "is_back"]
_OPEN = ("rejected", "waiting", "retry")
"""Outcomes after which a later run tries again."""


@dataclass(frozen=True)
class TierChange:
    """Accounts of one group whose tier in the CRM is not what it was. `name` (of the group, or of the first account
    where its root is not among them) and `reason` are text from a CRM: escape them.

    `accounts`: how many companies. `crms`: where; `pages`: by CRM, the page of the first of them. `score` (0..100),
    `coverage` (0..1) and `reason` are null where no snapshot with this tier was recorded. `is_back`: `after` is what
    stood there before the day's first plan; who was told of `before` should hear of it.
    """

    group_id: str
    name: str | None
    accounts: int
    before: str | None
    after: str | None
    score: float | None
    coverage: float | None
    reason: str | None
    crms: tuple[str, ...]
    pages: dict[str, str]
    is_back: bool = False

    @property
    def section(self) -> Section:
        """`provisional` is no rank: out of it a group is new among the tiers, and so is one that had none."""
        if self.is_back:
            return "back"
        if self.after not in _RANKED:
            return "provisional" if self.after == "provisional" else "left"
        if self.before not in _RANKED:
            return "new"
        return "up" if _RANKED.index(self.after) < _RANKED.index(self.before) else "down"


@dataclass(frozen=True)
class Digest:
    """What one key account manager should read. `kam`: `source:instance:user id`; `owner`: the name, text from a CRM.
    Both are null in the digest of groups that nobody owns.

    `held`: names of accounts that keep the tier that a person typed. `unwritten`: accounts whose new tier is decided
    and stands in no CRM yet. `plans`: those that wrote the changes.
    """

    kam: str | None
    owner: str | None
    as_of: dt.date
    changes: tuple[TierChange, ...]
    held: tuple[str, ...]
    unwritten: int
    plans: tuple[str, ...]

    @property
    def slug(self) -> str:
        """A name for files and artifacts: lower case, digits, dashes; other for every manager, whatever their names."""
        if self.kam is None:
            return WITHOUT_OWNER
        latin = unicodedata.normalize("NFKD", self.owner or "").encode("ascii", "ignore").decode().lower()
        word = re.sub(r"[^a-z0-9]+", "-", latin)[:_LONGEST_SLUG].strip("-")
        return f"{word or 'owner'}-{short_name(self.kam)[:8]}"

    @property
    def counts(self) -> Counter[Section]:
        """Changes by section."""
        return Counter(change.section for change in self.changes)

    def of(self, section: Section) -> tuple[TierChange, ...]:
        """The changes of a section, in order."""
        return tuple(change for change in self.changes if change.section == section)


def digests_of(
    cells: pl.DataFrame,
    members: pl.DataFrame,
    kams: pl.DataFrame,
    scored: pl.DataFrame,
    *,
    as_of: dt.date,
    page_of: Callable[[str, str], str | None],
) -> tuple[Digest, ...]:
    """One digest per manager with changes, by name, that of groups without one at the end.

    `cells`: TIER_CELLS of the store, all plans of the day: what counts is the tier before the first of them and after
    the last, and where these are equal that it was taken back. `members`: as of `account_groups`; accounts that are not
    in it any more are left out. `kams`: group, kam, owner. `scored`: SCORED of the store. `page_of`: the address of an
    account's page, by CRM and id.
    """
    placed = _placed(cells, members).join(kams, on="group", how="left")
    order = ["owner", "kam", "score", "group_id", "after", "before", "is_back"]
    lines = _lines(placed, scored).sort(order, descending=[name == "score" for name in order], nulls_last=True)
    held, unwritten = _held(placed), _unwritten(placed)
    made = []
    for (owner, kam), own in groupby(lines.iter_rows(named=True), key=itemgetter("owner", "kam")):
        rows = list(own)
        made.append(
            Digest(
                kam,
                owner,
                as_of,
                changes=tuple(_change(row, page_of) for row in rows),
                held=held.get(kam, ()),
                unwritten=unwritten.get(kam, 0),
                plans=tuple(sorted({plan for row in rows for plan in row["plans"]})),
            )
        )
    return tuple(made)


def groups_changed(cells: pl.DataFrame, members: pl.DataFrame) -> pl.Series:
    """The ids of the groups of which a tier was written."""
    return _placed(cells, members).filter(pl.col("outcome") == "written")["group_id"].unique().sort()


def _placed(cells: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The cells with their account's group: group, group_id, company, `called`, `is_top` (whether it is the company
    at the root) and `title` (what to call it in a list of groups)."""
    tops = members.filter("is_root").select("group", top="company", top_name="name").unique("group", keep="first")
    is_top = pl.col("company") == pl.col("top")
    title = pl.when(is_top).then(pl.coalesce("top_name", "name")).otherwise("name")
    told = members.join(tops, on="group", how="left").select(
        *KEY, "group", "group_id", "company", "is_counted", called="name", is_top=is_top, title=title
    )
    return cells.join(told, on=KEY, how="inner")


def _lines(placed: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """One row per group, tier before and tier after: name of the first account, the root's company before others."""
    written = placed.filter(pl.col("outcome") == "written").sort("number")
    net = written.group_by(KEY, maintain_order=True).agg(
        pl.col("before").first(), pl.col("after").last(), plans="plan_id", between=pl.col("before").last()
    )
    is_back = pl.col("before").eq_missing(pl.col("after"))
    net = net.with_columns(is_back=is_back, before=pl.when(is_back).then("between").otherwise("before"))
    about = written.unique(KEY, keep="last", maintain_order=True).drop("before", "after", "plan_id")
    ordered = net.join(about, on=KEY).sort(~pl.col("is_top"), ~pl.col("is_counted"), *KEY)
    first = pl.int_range(pl.len()).over(*_LINE, "source") == 0
    return (
        ordered.with_columns(is_first=first)
        .group_by(_LINE, maintain_order=True)
        .agg(
            pl.col("group_id", "kam", "owner").first(),
            pl.col("plans").list.explode(keep_nulls=False, empty_as_null=False),
            name=pl.col("title").first(),
            accounts=pl.col("company").n_unique(),
            crms=pl.col("source").filter("is_first"),
            ids=pl.col("source_id").filter("is_first"),
        )
        .join(scored, left_on=["group_id", "after"], right_on=["group_id", "tier"], how="left", nulls_equal=True)
    )


def _held(placed: pl.DataFrame) -> dict[str | None, tuple[str, ...]]:
    """By manager, what their accounts are called that keep a person's tier after the newest plan."""
    kept = pl.col("decision").eq("held") | pl.col("outcome").eq_missing(pl.lit("held"))
    called = pl.coalesce("called", "source_id")
    rows = placed.filter(pl.col("is_latest") == 1, kept).select("kam", "company", called=called)
    rows = rows.unique("company", keep="first", maintain_order=True).sort("called")
    return {kam: tuple(names) for kam, names in rows.group_by("kam").agg("called").iter_rows()}


def _unwritten(placed: pl.DataFrame) -> dict[str | None, int]:
    """By manager, how many companies wait for the tier that the newest plan decided."""
    waits = pl.col("outcome").is_null() | pl.col("outcome").is_in(_OPEN)
    rows = placed.filter(pl.col("is_latest") == 1, pl.col("decision") != "held", waits)
    return dict(rows.group_by("kam").agg(pl.col("company").n_unique()).iter_rows())


def _change(row: dict[str, Any], page_of: Callable[[str, str], str | None]) -> TierChange:
    found = {crm: page_of(crm, id_) for crm, id_ in zip(row["crms"], row["ids"], strict=True)}
    names = ("group_id", "name", "accounts", "before", "after", "score", "coverage", "reason", "is_back")
    pages = {crm: page for crm, page in found.items() if page is not None}
    return TierChange(**{name: row[name] for name in names}, crms=tuple(row["crms"]), pages=pages)

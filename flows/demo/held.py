"""What a CRM holds in our fields, read back from it, beside what was computed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.contract import Connector
from kammodel.publish.deciding import PASSENGERS
from kammodel.publish.fields import OURS
from kammodel.publish.plan import canonical_frame
from kammodel.scoring import ScoredDay, wanted_values


@dataclass(frozen=True)
class Held:
    """`accounts`: source_id, name, group, and one text column per field of ours, highest score first.

    `differing`: accounts in which a field that we write for its own sake is not what was computed, values that
    stand for a person left aside; `spared`: how many of those there are.
    """

    crm: str
    accounts: pl.DataFrame
    differing: int
    spared: int

    @property
    def tiers(self) -> dict[str, str | None]:
        """The tier of each account, by its id."""
        return dict(self.accounts.select("source_id", "tier").iter_rows())

    def ranked(self, before: Held | None = None) -> pl.DataFrame:
        """One row per account group that has a tier; `others` counts its further accounts, which hold the same.

        `tier_before` is what an earlier reading found, null without one.
        """
        return self._grouped(self._with_before(before).filter(pl.col("tier").is_not_null()))

    def moved(self, before: Held) -> pl.DataFrame:
        """The same for the account groups whose tier is not what an earlier reading found."""
        joined = self._with_before(before)
        return self._grouped(joined.filter(~pl.col("tier").eq_missing(pl.col("tier_before"))))

    def _with_before(self, before: Held | None) -> pl.DataFrame:
        if before is None:
            return self.accounts.with_columns(tier_before=pl.lit(None, pl.String))
        earlier = before.accounts.select("source_id", tier_before="tier")
        return self.accounts.join(earlier, on="source_id", how="left", maintain_order="left")

    @staticmethod
    def _grouped(accounts: pl.DataFrame) -> pl.DataFrame:
        counted = accounts.with_columns(others=pl.len().over("group", "tier_before") - 1)
        return counted.unique(["group", "tier_before"], keep="first", maintain_order=True)


def read_held(connector: Connector, day: ScoredDay, spared: pl.DataFrame) -> Held:
    """Reads our fields of every live account from the CRM. `spared`: source_id, field of the cells left alone."""
    identity = connector.identify()
    wanted = wanted_values(day, identity.source, identity.instance, OURS)
    empty = pl.DataFrame(schema=dict.fromkeys(("source_id", *(f.key for f in OURS)), pl.String))
    frames = [frame.select(empty.columns) for frame in connector.read_fields(OURS, wanted["source_id"].to_list())]
    now = canonical_frame(pl.concat([empty, *frames]), OURS)
    score = pl.col("score").cast(pl.Float64, strict=False)
    accounts = now.join(_members(day, identity.source, identity.instance), on="source_id", how="left")
    order = [score.neg(), pl.col("group"), ~pl.col("is_root"), pl.col("name"), pl.col("source_id")]
    return Held(connector.name, accounts.sort(order, nulls_last=True), _differing(wanted, now, spared), spared.height)


def _members(day: ScoredDay, source: str, instance: str) -> pl.DataFrame:
    """source_id, name, group and whether it is the head of its group, for the live accounts of one CRM."""
    own = (pl.col("source") == source) & (pl.col("source_instance") == instance)
    head = day.groups.select("group", head="name")
    named = day.members.filter(own).select("source_id", "name", "group").join(head, on="group", how="left")
    return named.with_columns(is_root=pl.col("name").eq_missing(pl.col("head"))).drop("head")


def _differing(wanted: pl.DataFrame, now: pl.DataFrame, spared: pl.DataFrame) -> int:
    # Passengers are written along with other fields only: between two writes they may well lag behind.
    keys = [f.key for f in OURS if f.key not in PASSENGERS and f.key in wanted.columns]
    computed, found = (_cells(frame, keys) for frame in (wanted, now))
    unlike = computed.join(found, on=computed.columns, how="anti", nulls_equal=True)
    return unlike.join(spared, on=["source_id", "field"], how="anti")["source_id"].n_unique()


def _cells(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return frame.select("source_id", *keys).unpivot(index="source_id", variable_name="field", value_name="value")

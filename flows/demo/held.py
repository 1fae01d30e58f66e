"""What a CRM holds in our fields, read back from it, beside what was computed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.contract import Connector
from kammodel.entities import Account
from kammodel.publish.fields import OURS
from kammodel.publish.plan import PASSENGERS, canonical_frame
from kammodel.scoring import ScoredDay, wanted_values
from kammodel.store import Store


@dataclass(frozen=True)
class Held:
    """`accounts`: source_id, name, and one text column per field of ours, highest score first.

    `differing`: accounts in which a field that we write for its own sake is not what was computed.
    """

    crm: str
    accounts: pl.DataFrame
    differing: int

    @property
    def tiers(self) -> dict[str, str | None]:
        """The tier of each account, by its id."""
        return dict(self.accounts.select("source_id", "tier").iter_rows())

    def ranked(self) -> pl.DataFrame:
        """The accounts that have a tier."""
        return self.accounts.filter(pl.col("tier").is_not_null())

    def moved(self, before: Held) -> pl.DataFrame:
        """The accounts whose tier is not what an earlier reading found; `tier_before` is what it was."""
        earlier = before.accounts.select("source_id", tier_before="tier")
        joined = self.accounts.join(earlier, on="source_id", how="left")
        return joined.filter(~pl.col("tier").eq_missing(pl.col("tier_before")))


def read_held(connector: Connector, store: Store, day: ScoredDay) -> Held:
    """Reads our fields of every live account from the CRM."""
    identity = connector.identify()
    wanted = wanted_values(day, identity.source, identity.instance, OURS)
    empty = pl.DataFrame(schema=dict.fromkeys(("source_id", *(f.key for f in OURS)), pl.String))
    frames = [frame.select(empty.columns) for frame in connector.read_fields(OURS, wanted["source_id"].to_list())]
    now = canonical_frame(pl.concat([empty, *frames]), OURS)
    score = pl.col("score").cast(pl.Float64, strict=False)
    accounts = now.join(_names(store, identity.source, identity.instance), on="source_id", how="left")
    return Held(
        connector.name,
        accounts.sort(score, "name", "source_id", descending=[True, False, False], nulls_last=True),
        _differing(wanted, now),
    )


def _names(store: Store, source: str, instance: str) -> pl.DataFrame:
    accounts = store.read(Account, ["source", "source_instance", "source_id", "name"])
    own = (pl.col("source") == source) & (pl.col("source_instance") == instance)
    return accounts.filter(own).select("source_id", "name")


def _differing(wanted: pl.DataFrame, now: pl.DataFrame) -> int:
    # Passengers are written along with other fields only: between two writes they may well lag behind.
    keys = [f.key for f in OURS if f.key not in PASSENGERS and f.key in wanted.columns]
    both = wanted.select("source_id", *keys).join(now, on="source_id", how="left", suffix="_now")
    return both.filter(pl.any_horizontal(pl.col(k).ne_missing(pl.col(f"{k}_now")) for k in keys)).height

"""Which product families accounts have of us, which they could have, and what peers spend on those."""

from __future__ import annotations

import polars as pl

from kammodel.entities import KEY, Account, LineItem, Product, Sourced
from kammodel.facts.deals import DEALS
from kammodel.facts.frames import ACCOUNT, DEAL, ORG, OWN, FactFrame, Sources
from kammodel.facts.team import in_group
from kammodel.facts.windows import Windows
from kammodel.numbering import number

MONTHS = 24
PEERS = 10
"""Fewer buyers than this tell nothing about what a family is worth (kam.md §4 whitespace_value)."""

_CELL = ["holder", "family"]
_PRODUCT = number("product_id")
_YES = pl.lit(value=True)


def _families(sources: Sources) -> pl.DataFrame:
    """One row per account and product family that it may buy, has or is negotiating: group, `holder` (a number of the
    account), family, `is_eligible`, `is_owned`, `is_in_pipeline`, `spend` (Int64 in the reporting currency: what was
    won of it in the last 24 months; null: nothing, or unknown), `has_bought` (the account, anything with a family).

    Owned: bought in (t - 24 months, t], or in installed_base.csv at t. A product without a family is in none.
    """
    bought, negotiated = _lines(sources)
    told = [
        bought.with_columns(is_bought=_YES, is_owned=_YES),
        _installed(sources).with_columns(is_owned=_YES),
        negotiated.with_columns(is_in_pipeline=_YES),
    ]
    amount = pl.col("amount")
    cells = (
        pl.concat(told, how="diagonal")
        .group_by(_CELL)
        .agg(
            pl.col("is_owned", "is_in_pipeline").any(),
            spend=amount.cast(pl.Int128).sum(),
            is_known=(pl.col("is_bought") & amount.is_not_null()).any()
            & ~(pl.col("is_bought") & amount.is_null()).any(),
        )
        .join(_eligible(sources).with_columns(is_eligible=_YES), on=_CELL, how="full", coalesce=True)
        .join(bought.select("holder", has_bought=_YES).unique(), on="holder", how="left")
        .sort(_CELL)
    )
    return cells.select(
        sources.once(_accounts)["group"].gather(cells["holder"]).alias("group"),
        *_CELL,
        pl.col("is_eligible", "is_owned", "is_in_pipeline", "has_bought").fill_null(value=False),
        spend=pl.when("is_known").then(pl.col("spend").cast(pl.Int64, strict=False)),
    )


def _names(sources: Sources) -> pl.Enum:
    """Every family that the catalogues and the files name."""
    told = [sources.of(Product)["family"]]
    told += [rows["family"] for name in ("families", "installed_base") if (rows := sources.file(name)) is not None]
    return pl.Enum(pl.concat(told).drop_nulls().unique().sort())


def _accounts(sources: Sources) -> pl.DataFrame:
    """`holder` (a number), group, KEY: the accounts that count."""
    return sources.grouping.members.filter("is_counted").select("group", *KEY).with_row_index("holder")


def _lines(sources: Sources) -> tuple[pl.DataFrame, pl.DataFrame]:
    """holder, family, `amount` of lines won in the window; and holder, family of lines of open deals, once each."""
    moment = sources.moment
    accounts = sources.once(_accounts)
    # What still hangs on an account that was merged away is of the company that it went into.
    members = sources.grouping.members.select(*KEY, "company")
    of_company = accounts.join(members, on=KEY, maintain_order="left").unique(
        "company", keep="first", maintain_order=True
    )
    known = sources.grouping.accounts.filter("is_counted").select("group", "company", *KEY)
    own = known.join(accounts, on=["group", *KEY], how="left").join(
        of_company.select("company", survivor="holder"), on="company", how="left"
    )
    own = own.with_columns(holder=pl.coalesce("holder", "survivor")).drop_nulls("holder")
    holders = sources.numbers.with_numbers(own, ["source_id"]).select("holder", pl.col(OWN).alias(ACCOUNT))
    deals = sources.frame("deals").select(*ORG, ACCOUNT, "status", "closed_on", pl.col(OWN).alias(DEAL))
    placed = deals.join(holders, on=ACCOUNT)
    family = pl.col("family").cast(sources.once(_names))
    products = sources.of(Product).select(family, pl.col(OWN).alias(_PRODUCT)).drop_nulls("family")
    lines = (
        sources.of(LineItem)
        .filter(moment.existed())
        .select(DEAL, _PRODUCT, "currency", own_amount="amount")
        .join(placed, on=DEAL)
        .join(products, on=_PRODUCT)
    )
    won = lines.filter(pl.col("status") == "won", Windows(moment.day).months("closed_on", MONTHS))
    priced = sources.converted(won.with_columns(on=pl.col("closed_on")))
    return priced.select(*_CELL, "amount"), lines.filter(pl.col("status") == "open").select(_CELL).unique()


def _installed(sources: Sources) -> pl.DataFrame:
    rows, day = in_group(sources, "installed_base"), sources.moment.day
    if rows is None:
        return pl.DataFrame(schema={"holder": pl.UInt32, "family": sources.once(_names)})
    started = pl.col("starts_on").is_null() | (pl.col("starts_on") <= day)
    lasting = pl.col("ends_on").is_null() | (pl.col("ends_on") >= day)
    placed = rows.filter(started & lasting).join(sources.once(_accounts), on=["group", *KEY])
    return placed.select("holder", pl.col("family").cast(sources.once(_names))).unique()


def _eligible(sources: Sources) -> pl.DataFrame:
    """holder, family: what each account may buy by families.csv; without it, all families of the active products of
    its CRM."""
    accounts, family = sources.once(_accounts), pl.col("family").cast(sources.once(_names))
    rules = sources.file("families")
    if rules is None:
        active = sources.of(Product).filter(~pl.col("deleted"), pl.col("is_active").fill_null(value=True))
        sold = active.select(*ORG, family).drop_nulls("family").unique().sort(*ORG, "family")
        return accounts.join(sold, on=ORG, maintain_order="left").select(_CELL)
    about = accounts.join(sources.of(Account).select(*KEY, "industry", "country"), on=KEY, maintain_order="left")
    kinds = about.select("industry", "country").unique()
    fits = [
        pl.col(f"rule_{name}").is_null() | pl.col(f"rule_{name}").str.to_lowercase().eq(pl.col(name).str.to_lowercase())
        for name in ("industry", "country")
    ]
    asked = rules.select(family, "is_eligible", rule_industry="industry", rule_country="country")
    ruled = kinds.join(asked, how="cross").filter(*(fit.fill_null(value=False) for fit in fits))
    allowed = ruled.group_by("industry", "country", "family").agg(pl.col("is_eligible").fill_null(value=True).all())
    allowed = allowed.filter("is_eligible").sort("family")
    return about.join(allowed, on=["industry", "country"], nulls_equal=True, maintain_order="left").select(_CELL)


def _gaps(sources: Sources) -> pl.DataFrame:
    """group, family, value: each cell that is eligible, neither owned nor in the pipeline, worth the median spend of
    the peers that own the family times the share of peers that own it; null with fewer than ten peers, or where of
    no owner it is known what was spent.

    Peers: accounts, of all groups, that may buy the family and bought something in the window.
    """
    cells = sources.frame("families").filter("is_eligible")
    peers = (
        cells.filter("has_bought")
        .group_by("family")
        .agg(
            n=pl.len(),
            owners=pl.col("is_owned").sum(),
            median=pl.when("is_owned").then(pl.col("spend")).median(),
        )
    )
    worth = peers.select(
        "family",
        value=pl.when(pl.col("n") >= PEERS)
        .then(pl.when(pl.col("owners") == 0).then(0.0).otherwise(pl.col("median") * pl.col("owners") / pl.col("n")))
        .round(0)
        .cast(pl.Int64),
    )
    gaps = cells.filter(~pl.col("is_owned"), ~pl.col("is_in_pipeline"))
    return gaps.select("group", "family").join(worth, on="family", how="left")


_READS = (
    frozenset({"opportunities", "opportunity_line_items", "products"}),
    frozenset({"opportunities", "line_items", "products"}),
)
_ENTITIES: dict[type[Sourced], tuple[str, ...]] = {
    **DEALS.entities,
    LineItem: (*KEY, "created_at", "deleted", "opportunity_id", "product_id", "amount", "currency"),
    Product: (*KEY, "deleted", "family", "is_active"),
    Account: (*KEY, "industry", "country"),
}

FAMILIES = FactFrame("families", reads=_READS, entities=_ENTITIES, build=_families)
GAPS = FactFrame("gaps", reads=_READS, entities=_ENTITIES, build=_gaps, across=("families",))

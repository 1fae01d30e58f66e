"""Names, web addresses and countries in the form in which two CRMs can be compared."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

_FOLDED = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
"""Letters that are no other letter with an accent, and that people type as these."""


def web_hosts(addresses: pl.Series) -> pl.Series:
    """The host of each address or bare domain: lower case, no scheme, user, port, path, `www` or final points,
    `xn--` labels decoded. Null where there is none, for an IP address, and for a host that many companies share
    (free mail, networks, the bare host of a site builder).

    A host is compared as it stands. Its registrable domain (by the public suffix list) would also join
    `de.acme.com` with `acme.com`, often a subsidiary with its parent, and would let an update of that list change
    groups; such pairs are shown instead (`is_below`), for a person to decide.
    """
    bare = (
        pl.col("host")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.strip_chars()
        .str.replace(r"^(?:https?:/*|[a-z][a-z0-9+.\-]*://|//)", "")
        .str.extract(r"^(?:[^/?#\\\s@]*@)?([^/?#\\\s:,;]+)", 1)
        .str.strip_chars_end(".")
        .str.replace(r"^www\d*\.([^.]+\..+)$", "${1}")
    )
    table = addresses.rename("host").to_frame().with_columns(bare)
    hosts = _decoded(table["host"]).to_frame()
    is_host = pl.col("host").str.contains(r"^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*\.[^.]*\p{L}[^.]*$")
    kept = pl.when(is_host & ~_is_shared(pl.col("host"))).then("host")
    return hosts.select(kept).to_series()


def is_below(host: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether one of two hosts is the other or a part of it: `shop.acme.com` and `acme.com`."""
    dot = pl.lit(".")
    return (
        (host == other) | host.str.ends_with(pl.concat_str(dot, other)) | other.str.ends_with(pl.concat_str(dot, host))
    )


def name_keys(names: pl.Series) -> pl.Series:
    """Each company's name without case, accents, punctuation and legal forms at its end (Spanish, English, German,
    French, Italian and some more); `&`, und, et and y are `and`. Null where nothing is left, and for what people
    type instead of a name.
    """
    words = pl.lit(" ") + _words(pl.col("name")) + pl.lit(" ")
    # Twice, for two of them in a row share a blank.
    for _ in range(2):
        words = words.str.replace_all(" (?:und|et|y) ", " and ").str.replace_all(" (?:company|compania|cia) ", " co ")
    rest = words.str.strip_chars_end().str.replace(_legal_forms(), "").str.strip_chars()
    keys = names.rename("name").to_frame().select(name=rest)
    none = ["", *_known()["placeholders"]["names"]]
    return keys.select(pl.when(~pl.col("name").is_in(none)).then("name")).to_series()


def country_keys(countries: pl.Series) -> pl.Series:
    """The ISO 3166 code of each country, however it is written; of an unknown one its words. Null for none."""
    written = countries.rename("country").to_frame().select(words=_words(pl.col("country")))
    found = written.join(_countries(), on="words", how="left", maintain_order="left")
    words = pl.when(pl.col("words") != "").then("words")
    return found.select(country=pl.coalesce("code", words)).to_series()


def _words(text: pl.Expr) -> pl.Expr:
    """Words between single blanks: lower case, without accents, points and apostrophes; `&` and `+` are `and`."""
    # Latin, Greek and Cyrillic accents only: in other scripts such signs are letters, not ornaments.
    pointless = text.str.replace_all(r"['`.\u00b4\u2018\u2019]", "")
    unaccented = pointless.str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[\u0300-\u036f]", "")
    folded = unaccented.str.normalize("NFKC").str.replace_many(list(_FOLDED), list(_FOLDED.values()))
    return folded.str.replace_all(r"[&+]", " and ").str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ").str.strip_chars()


def _decoded(hosts: pl.Series) -> pl.Series:
    """Hosts with their `xn--` labels as people read them. Few hosts have any: each is decoded once."""
    coded = hosts.filter(hosts.str.contains("xn--", literal=True)).unique().sort()
    plain = [".".join(map(_label, host.split("."))).lower() for host in coded]
    return hosts.replace(coded, pl.Series(plain, dtype=pl.String)) if plain else hosts


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


def _is_shared(host: pl.Expr) -> pl.Expr:
    known = _known()
    shared = [one for some in known["shared_hosts"].values() for one in some]
    ends = [host, *(host.str.extract(rf"((?:[^.]+\.){{{labels}}}[^.]+)$", 1) for labels in (1, 2, 3))]
    is_below = pl.any_horizontal(end.is_in(shared).fill_null(value=False) for end in ends)
    return is_below | host.is_in(list(known["hosting"]["hosts"])).fill_null(value=False)


@cache
def _known() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("known.toml").read_text("utf-8"))


@cache
def _legal_forms() -> str:
    forms = sorted({form for some in _known()["legal_forms"].values() for form in some})
    return rf"(?:(?: and)?(?: co)? (?:{'|'.join(forms)}))+$"


@cache
def _countries() -> pl.DataFrame:
    """`words`, `code`: English names out of the time zone database's list of countries, the code, and known.toml."""
    lines = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    listed = [tuple(line.split("\t")[:2]) for line in lines if line and not line.startswith("#")]
    own = [(code, name) for code, names in _known()["countries"].items() for name in names]
    rows = [*own, *listed, *((code, code) for code, _ in listed)]
    table = pl.DataFrame(rows, schema={"code": pl.String, "name": pl.String}, orient="row")
    return table.select(_words(pl.col("name")).alias("words"), "code").unique(
        "words", keep="first", maintain_order=True
    )

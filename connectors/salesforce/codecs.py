"""How Salesforce spells values: ids of two lengths, dates with a midnight, words, lookups to several objects."""

from __future__ import annotations

import polars as pl

from connectors import codecs
from connectors.codecs import Codec, filled

ACCOUNT, CONTACT, OPPORTUNITY, CASE = "001", "003", "006", "500"
"""Key prefixes: the first three characters of an id tell what kind of record it is."""
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def widened(column: pl.Expr) -> pl.Expr:
    """Ids of 15 characters, which differ by case, as the 18 that do not; other texts stay as they are.

    Each of the last three characters says which of five others are capitals.
    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm (ID)
    """
    given = filled(column).str.strip_chars()
    return (
        pl.when(given.str.len_chars() == 15)
        .then(given + _check(given, 0) + _check(given, 5) + _check(given, 10))
        .otherwise(given)
    )


def _check(column: pl.Expr, start: int) -> pl.Expr:
    capitals = [
        column.str.slice(start + place, 1).is_between(pl.lit("A"), pl.lit("Z")).cast(pl.UInt32) * (1 << place)
        for place in range(5)
    ]
    return pl.lit(_SUFFIX).str.slice(pl.sum_horizontal(capitals), 1)


record_id = Codec("salesforce_id", widened)
"""An id, in 18 characters."""


def record_of(*prefixes: str) -> Codec:
    """The first id of the columns that is of one of these kinds; records of other kinds are none."""

    def decode(*columns: pl.Expr) -> pl.Expr:
        ids = [widened(column) for column in columns]
        return pl.coalesce(*(pl.when(i.str.slice(0, 3).is_in(prefixes)).then(i) for i in ids))

    return Codec(f"salesforce_record_of({','.join(prefixes)})", decode, total=True)


day = Codec("salesforce_day", lambda column: codecs.date.decode(filled(column).str.strip_chars().str.slice(0, 10)))
"""A date. Some come with a time, which is always midnight UTC and means nothing."""


def _day_unless_plain(stated: pl.Expr, subtype: pl.Expr | None = None) -> pl.Expr:
    if subtype is None:
        return day.decode(stated)
    is_plain = filled(subtype).str.to_lowercase().fill_null("task") == "task"
    return pl.when(~is_plain).then(day.decode(stated))


day_unless_plain = Codec("salesforce_day_unless_plain", _day_unless_plain, total=True)
"""A date, beside the subtype of the task that it belongs to: null for subtype `Task`, which is no call or e-mail.
Without a subtype (old orgs, hidden field) every task keeps its date. What is unreadable is told by `due_on`."""


def _host(column: pl.Expr) -> pl.Expr:
    bare = filled(column).str.strip_chars().str.to_lowercase().str.replace(r"^[a-z]+://", "")
    return filled(bare.str.replace(r"^[^/?#]*@", "").str.replace(r"[/?#:].*$", "").str.replace(r"^www\.", ""))


web_host = Codec("salesforce_web_host", _host, total=True)
"""The host of a web address, without www."""


def done_or_planned(column: pl.Expr) -> pl.Expr:
    closed = codecs.boolean.decode(column)
    return pl.when(closed).then(pl.lit("done")).when(closed.not_()).then(pl.lit("planned"))


task_status = Codec("salesforce_task_status", done_or_planned)
"""A task that is closed is done. Salesforce knows no cancelled ones."""


def _outcome(closed: pl.Expr, won: pl.Expr) -> pl.Expr:
    is_closed, is_won = codecs.boolean.decode(closed), codecs.boolean.decode(won)
    return (
        pl.when(is_won)
        .then(pl.lit("won"))
        .when(is_closed & is_won.not_())
        .then(pl.lit("lost"))
        .when(is_closed.not_())
        .then(pl.lit("open"))
    )


outcome = Codec("salesforce_outcome", _outcome)
"""IsClosed and IsWon, as open, won or lost."""


def _none_of(*columns: pl.Expr) -> pl.Expr:
    return ~pl.any_horizontal(codecs.boolean.decode(column).fill_null(value=False) for column in columns)


none_of = Codec("salesforce_none_of", _none_of, total=True)
"""True where no column is true."""


def equals(word: str) -> Codec:
    """Whether the column says this word."""
    return Codec(f"salesforce_equals({word})", lambda column: filled(column).str.strip_chars() == word)


def first_word(words: dict[str, str], *, otherwise: str) -> Codec:
    """Our word for the first column that says one of theirs; `otherwise` if none does."""
    known = codecs.one_of(words)

    def decode(*columns: pl.Expr) -> pl.Expr:
        return pl.coalesce(*(known.decode(column) for column in columns), pl.lit(otherwise))

    return Codec(f"salesforce_first_word({known.name},*={otherwise})", decode, total=True)


def _word_set(column: pl.Expr) -> pl.Expr:
    words = filled(column).str.split(";").list.eval(filled(pl.element()).str.strip_chars().drop_nulls())
    return filled(words.list.unique().list.sort().list.join(";"))


word_set = Codec("salesforce_word_set", _word_set, total=True)
"""The choices of a multi-select picklist, sorted, so that the order in which they were ticked is no news."""

first_number = Codec(
    "salesforce_first_number", lambda *columns: pl.coalesce(*(codecs.number.decode(column) for column in columns))
)
"""The number of the first column that has one: Salesforce fills one of several by type."""

exact_whole = Codec(
    "salesforce_exact_whole", lambda column: filled(column).str.strip_chars().cast(pl.Int64, strict=False)
)
"""A whole number that is no count: it must not pass through a float."""

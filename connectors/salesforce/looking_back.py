"""Finds what writes went over by the field history of accounts: the value that a change of ours found in the field.

Salesforce keeps the changes of fields that are tracked, of which an object may have twenty; a row is written with the
change itself, by whichever road, and holds the old and the new value. Its stamp is precise to a second, and of two
changes in one second Salesforce does not vouch for the order: there the values tell it, each change beginning with
what the one before it left, and where they do not, the ids, which is not confirmed.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_associated_objects_history.htm
https://developer.salesforce.com/docs/platform/api-tooling/references/tooling-objects/tooling-fielddefinition.html
(read 2026-11-29)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from connectors.errors import PermissionMissing, RequestRefused, TryAgainLater
from connectors.overdrawing import overdrawing
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.collections import KIND, chunks
from connectors.salesforce.frames import as_text, text_frame
from connectors.salesforce.org import described_fields
from connectors.salesforce.querying import read_rows
from kammodel.publish.fields import CustomField, unrounded

HISTORY = "AccountHistory"
_ASKED = ("Id", "AccountId", "CreatedById", "CreatedDate", "Field", "OldValue", "NewValue")
_LATELY = "CreatedDate >= YESTERDAY"
"""By Salesforce's own clock: no job takes longer. Older changes are not what a write of now went over."""
_TRACKED = (
    "SELECT QualifiedApiName,IsFieldHistoryTracked FROM FieldDefinition "  # noqa: S608 - our own names
    f"WHERE EntityDefinition.QualifiedApiName = '{KIND}'"
)
_CELL = ["source_id", "field"]
Values = Mapping[str, Mapping[str, str | None]]
"""Field key to text as it is compared, by account; None is an empty one."""
Over = dict[str, dict[str, str | None]]


def keeps_history(client: Client) -> bool:
    """Whether the org keeps the history of any fields of Account, and shows it to this user."""
    try:
        described_fields(client, HISTORY)
    except PermissionMissing:
        return False
    return True


def tracked_names(client: Client) -> frozenset[str] | None:
    """API names of the fields of Account whose history is kept and that this user may see; None where Salesforce does
    not say."""
    try:
        rows = [row for page in read_rows(client, _TRACKED, may_be_empty=True) for row in page.records]
    except (RequestRefused, PermissionMissing):
        return None
    kept = (row for row in rows if as_text(row.get("IsFieldHistoryTracked")) == "true")
    return frozenset(str(row.get("QualifiedApiName")) for row in kept)


class History:
    """The history of our fields in one org. Which of them have one is asked once: none, if nobody knows who we are."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: frozenset[str] | None = None

    def kept(self, fields: Sequence[CustomField]) -> list[CustomField]:
        """Those of the fields that have a history. Where Salesforce does not say, all of them are looked for."""
        if self._client.user_id is None:
            return []
        if self._known is None:
            with overdrawing():
                told = tracked_names(self._client) if keeps_history(self._client) else frozenset()
            self._known = frozenset(f.salesforce_name for f in fields) if told is None else told
        return [f for f in fields if f.salesforce_name in self._known]

    def written_over(self, fields: Sequence[CustomField], *, written: Values, before: Values) -> tuple[Over, int]:
        """By account and field key, as Salesforce spells it: the value before ours where that is neither `before` nor
        ours. Only where ours is the newest: somebody who has edited it since has had their say. And in how many cells
        that were looked at, of fields for people, the newest is neither, so that nobody knows.

        Costs a call per four hundred accounts; of more than that, one call asks first which of them others have edited
        lately. Made though no calls are left for anything else. Another program that signs in as our user is taken
        for us. Of a field without a history nothing is told.
        """
        asked = self.kept([f for f in fields if any(f.key in row for row in written.values())])
        us = self._client.user_id
        if us is None or not asked:
            return {}, 0
        named = soql.any_of("Field", (f.salesforce_name for f in asked))
        with overdrawing():
            suspects = list(written) if len(written) <= soql.IDS_AT_ONCE else self._edited(named, list(written), us)
            frames = [self._asked(f"{soql.any_of('AccountId', few)} AND {named}") for few in _portions(suspects)]
        rows = pl.concat([text_frame([], _ASKED), *frames])
        return _over(rows, asked, {i: written[i] for i in suspects}, before, us)

    def _edited(self, named: str, ids: Sequence[str], us: str) -> list[str]:
        """Those of the accounts in which somebody else has changed one of the fields lately; all of them where so wide
        a question has no answer."""
        try:
            rows = self._asked(f"{named} AND CreatedById != {soql.text(us)}")
        except (RequestRefused, TryAgainLater):
            return list(ids)
        edited = set(rows.select(widened(pl.col("AccountId")))["AccountId"])
        return [i for i in ids if i in edited]

    def _asked(self, where: str) -> pl.DataFrame:
        query = soql.select(_ASKED, HISTORY, f"{where} AND {_LATELY}")
        pages = read_rows(self._client, query, asks=f"read access to the object {HISTORY}", may_be_empty=True)
        return pl.concat([text_frame([], _ASKED), *(text_frame(page.records, _ASKED) for page in pages)])


def _portions(ids: Sequence[str]) -> Iterator[list[str]]:
    return chunks(ids, soql.IDS_AT_ONCE)


def _over(
    rows: pl.DataFrame, fields: Sequence[CustomField], written: Values, before: Values, us: str
) -> tuple[Over, int]:
    over: Over = {}
    blind = 0
    for one in fields:
        cells = _judged(rows, one, written, before, us)
        for source_id, raw in cells.filter("is_over").select("source_id", "old").iter_rows():
            over.setdefault(source_id, {})[one.key] = raw
        blind += cells.filter(~pl.col("is_told")).height if one.for_people else 0
    return over, blind


def _judged(rows: pl.DataFrame, one: CustomField, written: Values, before: Values, us: str) -> pl.DataFrame:
    """source_id of the accounts in which the field was written, the `old` value that its last change found, whether
    that `is_over` somebody's, and whether the change is ours or a person's: whether it `is_told`."""
    spelled = rows.filter(pl.col("Field") == one.salesforce_name).select(
        widened(pl.col("AccountId")).alias("source_id"),
        pl.lit(one.key).alias("field"),
        pl.col("Id"),
        pl.col("CreatedDate").alias("at"),
        by_us=pl.col("CreatedById").str.slice(0, 15) == pl.lit(us[:15]),
        old=_raw(one, pl.col("OldValue")),
        new=_raw(one, pl.col("NewValue")),
    )
    ours = _cells(one.key, written, "ours").join(_cells(one.key, before, "before"), on="source_id")
    found = ours.join(_newest(spelled), on="source_id", how="left").sort("source_id")

    def has(side: str, *known: str) -> pl.Expr:
        # A person's value that is put back is spelled as they had spelled it.
        texts = (unrounded(one, pl.col(side)), pl.col(side))
        return pl.any_horizontal(text.eq_missing(pl.col(name)) for text in texts for name in known)

    by_us = pl.col("by_us") & has("new", "ours")
    # What a person entered before we looked is not the last change of a cell that we have written since.
    by_person = ~pl.col("by_us") & ~has("new", "before")
    return found.select(
        "source_id",
        "old",
        is_over=(by_us & ~has("old", "ours", "before")).fill_null(value=False),
        is_told=(by_us | by_person).fill_null(value=False),
    )


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    """The last change of each cell: within a second the one that no other goes on from, then the one of the last id."""
    last = rows.filter(pl.col("at") == pl.col("at").max().over(_CELL))
    begun = last.select(*_CELL, pl.col("old").alias("new"), is_followed=pl.lit(value=True)).unique()
    told = last.join(begun, on=[*_CELL, "new"], how="left", nulls_equal=True)
    ordered = told.with_columns(pl.col("is_followed").fill_null(value=False)).sort(
        *_CELL, "is_followed", "Id", descending=[False, False, True, False]
    )
    return ordered.unique(_CELL, keep="last", maintain_order=True)


def _raw(field: CustomField, column: pl.Expr) -> pl.Expr:
    """A value of the history as the field takes it back. Choices may stand there by their labels: not confirmed."""
    text = pl.when(column != "").then(column)
    labels = {label: code for code, words in field.options for label in (words.es, words.en)}
    return text.replace(labels) if labels else text


def _cells(key: str, values: Values, name: str) -> pl.DataFrame:
    rows = [(source_id, row[key]) for source_id, row in values.items() if key in row]
    return pl.DataFrame(rows, schema={"source_id": pl.String, name: pl.String}, orient="row")

"""What Bulk makes of a SOQL statement: a job's columns and rows, or a refusal of what only REST answers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.refusals import Refusal, error, malformed_query, unknown_to_sandbox
from connectors.sandbox.salesforce.soql.parser import parse
from connectors.sandbox.salesforce.soql.paths import Scope
from connectors.sandbox.salesforce.soql.running import World, selected
from connectors.sandbox.salesforce.soql.syntax import Path, Select
from connectors.sandbox.salesforce.soql.tokens import Token, tokens
from connectors.sandbox.salesforce.table import Row, Table

_CHUNKED = frozenset(
    {
        "Account", "AccountContactRelation", "AccountTeamMember", "Asset", "Campaign", "CampaignMember", "Case",
        "Contact", "Contract", "Event", "Lead", "Opportunity", "OpportunityContactRole", "OpportunityHistory",
        "OpportunityLineItem", "Order", "OrderItem", "Product2", "Task", "User",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of a result: taken from the rows, or, reached over a lookup, as it was when the job ran."""

    name: str
    field: Field
    place: int | None
    values: Sequence[Any] = ()


@dataclass(frozen=True)
class Result:
    """What a job has read. Rows are never changed, only replaced, so holding them holds that moment."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]


def accepted(world: World, soql: Any, refused_objects: Iterable[str]) -> Select:
    """The statement, if Bulk takes it. Raises Refusal 400.

    Of the texts, those about entities and compound data are the vendor's; the reference only lists the others'
    causes: https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
    (read 2026-11-28).
    """
    if not isinstance(soql, str) or not soql.strip():
        raise error(400, "INVALIDJOB", "query is missing")
    _check_words(soql)
    statement = parse(soql)
    if statement.sobject.lower() in {name.lower() for name in refused_objects}:
        raise error(400, "INVALIDENTITY", f"Entity '{statement.sobject}' is not supported by the Bulk API.")
    if statement.aggregate:
        raise _not_enabled("Aggregate Relationships not supported in Bulk Query")
    if statement.offset:
        raise _not_enabled("OFFSET not supported in Bulk Query")
    if statement.all_fields == "STANDARD":
        raise unknown_to_sandbox("FIELDS(STANDARD) in a Bulk query")
    if statement.all_fields:
        why = f"The SOQL FIELDS function is not supported with {statement.all_fields} in Bulk"
        raise malformed_query(soql, statement.sobject_at, why)
    scope, table, paths, _ = selected(replace(world, newest_first=False), statement, everything=True)
    for path in paths:
        if scope.column(table, path).field.type == "address":
            raise _not_enabled("Selecting compound data not supported in Bulk Query")
    return statement


def pk_chunking(statement: Select, sobject: str) -> bool:
    """Whether the job is cut by ranges of ids: ORDER BY or LIMIT forbid it, and some objects."""
    custom = sobject.endswith("__c")
    return not statement.order_by and statement.limit is None and (custom or sobject in _CHUNKED)


def read(world: World, statement: Select, *, everything: bool, chunk_rows: int) -> Result:
    """Run the statement. Raises Refusal where the user's rights have gone since it was accepted."""
    scope, table, paths, found = selected(world, statement, everything=everything)
    rows = list(found)
    if world.newest_first and pk_chunking(statement, table.name):
        rows = _in_chunks(rows, chunk_rows)
    return Result(tuple(_column(scope, table, path, rows) for path in paths), rows)


def _column(scope: Scope, table: Table, path: Path, rows: Sequence[Row]) -> Column:
    column = scope.column(table, path)
    own = path.parts[1:] if len(path.parts) > 1 and path.parts[0].lower() == table.name.lower() else path.parts
    if len(own) == 1:
        return Column(column.field.name, column.field, table.position[column.field.name.lower()])
    steps, at = [], table
    for part in own[:-1]:
        lookup = scope.lookup(at, part, path)
        steps.append(lookup.relationship or part)
        at = scope.tables.get(lookup.refers_to[0].lower(), at)
    return Column(".".join([*steps, column.field.name]), column.field, None, list(map(column.get, rows)))


def _in_chunks(rows: list[Row], size: int) -> list[Row]:
    """Each chunk in itself as it was, the chunks in no order: the same one for the same number of rows."""
    starts = list(range(0, len(rows), size))
    random.Random(len(rows)).shuffle(starts)  # noqa: S311 - an order, not a secret
    return [row for start in starts for row in rows[start : start + size]]


def _check_words(soql: str) -> None:
    """What the parser would not get through."""
    found: list[Token] = tokens(soql)
    words = [token.word if token.kind != "string" else "" for token in found]
    if "TYPEOF" in words:
        raise _not_enabled("TYPEOF not supported in Bulk Query")
    selecting = words[: words.index("FROM")] if "FROM" in words else words
    if any(pair == ("(", "SELECT") for pair in pairwise(selecting)):
        raise _not_enabled("Aggregate Relationships not supported in Bulk Query")


def _not_enabled(message: str) -> Refusal:
    return error(400, "FUNCTIONALITY_NOT_ENABLED", message)

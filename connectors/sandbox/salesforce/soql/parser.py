"""Reads a SOQL statement: by descent, one function per rule of the grammar."""

from __future__ import annotations

from typing import NoReturn

from connectors.sandbox.salesforce.instants import parsed_day, parsed_stamp
from connectors.sandbox.salesforce.refusals import error, malformed_query, unknown_to_sandbox
from connectors.sandbox.salesforce.soql.syntax import (
    Call,
    Comparison,
    Condition,
    Junction,
    Literal,
    Membership,
    Negation,
    Order,
    Path,
    Select,
)
from connectors.sandbox.salesforce.soql.tokens import Token, tokens, unescaped

_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"})
_CLAUSES = frozenset({"WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET"})
_NOT_HERE = frozenset({"HAVING", "WITH", "FOR", "USING", "UPDATE", "TYPEOF", "WHEN"})
MAX_STATEMENT, MAX_STRING, MAX_OFFSET = 100_000, 4_000, 2_000


def parse(soql: str) -> Select:
    """The statement. Raises Refusal: MALFORMED_QUERY, or what the sandbox itself does not know."""
    if len(soql) > MAX_STATEMENT:
        raise error(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_STATEMENT} characters.")
    reader = _Reader(soql)
    statement = reader.select()
    if reader.next.word == "ALL":
        raise malformed_query(soql, reader.next.at, "ALL ROWS not allowed in this context")
    reader.expect_end()
    return statement


class _Reader:
    def __init__(self, soql: str) -> None:
        self.soql = soql
        self._tokens = tokens(soql)
        self._place = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def take(self) -> Token:
        token = self._tokens[self._place]
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def takes(self, *words: str) -> bool:
        """Takes the words if they come next."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if [token.word for token in ahead] != list(words) or any(t.kind == "string" for t in ahead):
            return False
        self._place += len(words)
        return True

    def need(self, word: str) -> Token:
        if self.next.word != word or self.next.kind == "string":
            self.refuse()
        return self.take()

    def need_kind(self, kind: str) -> Token:
        if self.next.kind != kind:
            self.refuse()
        return self.take()

    def refuse(self) -> NoReturn:
        if self.next.word in _NOT_HERE:
            raise unknown_to_sandbox(f"SOQL {self.next.word}")
        raise malformed_query(self.soql, self.next.at, f"unexpected token: '{self.next.text}'")

    def expect_end(self) -> None:
        if self.next.kind != "end":
            self.refuse()

    # SELECT ... FROM ...

    def select(self) -> Select:
        self.need("SELECT")
        items: list[Path | Call] = []
        all_fields: str | None = None
        while True:
            if self.takes("FIELDS", "("):
                all_fields = self.need_kind("name").word
                self.need(")")
            else:
                items.append(self.item())
            if not self.takes(","):
                break
        self.need("FROM")
        sobject = self.need_kind("name")
        if self.next.kind == "name" and self.next.word not in {*_CLAUSES, *_NOT_HERE, "ALL", "AND", "OR"}:
            self.refuse_alias()
        where = self.condition() if self.takes("WHERE") else None
        group_by = self.paths() if self.takes("GROUP", "BY") else ()
        order_by = self.orders() if self.takes("ORDER", "BY") else ()
        limit = self.whole() if self.takes("LIMIT") else None
        offset = self.whole() if self.takes("OFFSET") else 0
        if offset > MAX_OFFSET:
            message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise error(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        return Select(
            self.soql, tuple(items), sobject.text, sobject.at, where, group_by, order_by, limit, offset, all_fields
        )

    def refuse_alias(self) -> NoReturn:
        after = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if after.kind == "end" or after.word in _CLAUSES:
            raise unknown_to_sandbox(f"SOQL alias {self.next.text}")
        self.refuse()

    def item(self) -> Path | Call:
        if self.next.text == "(":
            raise unknown_to_sandbox("SOQL subquery in SELECT")
        name = self.need_kind("name")
        if name.word in _NOT_HERE:
            raise unknown_to_sandbox(f"SOQL {name.word}")
        if not self.takes("("):
            return self.path_of(name)
        if name.word not in _AGGREGATES:
            raise unknown_to_sandbox(f"SOQL function {name.text}")
        path = None if self.next.text == ")" else self.path()
        self.need(")")
        if path is None and name.word != "COUNT":
            self.refuse()
        aliased = self.next.kind == "name" and self.next.word != "FROM"
        return Call(name.word, path, self.take().text if aliased else None, name.at)

    def path(self) -> Path:
        return self.path_of(self.need_kind("name"))

    def path_of(self, token: Token) -> Path:
        if ":" in token.text:
            raise malformed_query(self.soql, token.at, f"unexpected token: '{token.text}'")
        return Path(tuple(token.text.split(".")), token.at)

    def paths(self) -> tuple[Path, ...]:
        found = [self.path()]
        while self.takes(","):
            found.append(self.path())
        if self.next.text == "(":
            raise unknown_to_sandbox(f"SOQL function {found[-1].text} in GROUP BY")
        return tuple(found)

    def orders(self) -> tuple[Order, ...]:
        found = []
        while True:
            path = self.path()
            if self.next.text == "(":
                raise unknown_to_sandbox(f"SOQL function {path.text} in ORDER BY")
            descending = self.takes("DESC") or (self.takes("ASC") and False)
            last = self.takes("NULLS", "LAST")
            if not last:
                self.takes("NULLS", "FIRST")
            found.append(Order(path, descending, last))
            if not self.takes(","):
                return tuple(found)

    def whole(self) -> int:
        token = self.need_kind("number")
        if not token.text.isdigit():
            raise malformed_query(self.soql, token.at, f"unexpected token: '{token.text}'")
        return int(token.text)

    # Conditions. AND and OR do not mix without parentheses.

    def condition(self) -> Condition:
        parts = [self.term()]
        operator = self.next.word
        if operator not in {"AND", "OR"}:
            return parts[0]
        while self.takes(operator):
            parts.append(self.term())
        if self.next.word in {"AND", "OR"}:
            self.refuse()
        return Junction("AND" if operator == "AND" else "OR", tuple(parts))

    def term(self) -> Condition:
        if self.takes("NOT"):
            return Negation(self.term())
        if self.takes("("):
            inner = self.condition()
            self.need(")")
            return inner
        path = self.path()
        if self.next.text == "(":
            raise unknown_to_sandbox(f"SOQL function {path.text} in WHERE")
        return self.comparison(path)

    def comparison(self, path: Path) -> Condition:
        if self.takes("NOT", "IN"):
            return Membership(path, "NOT IN", self.members())
        for word in ("IN", "INCLUDES", "EXCLUDES"):
            if self.takes(word):
                return Membership(path, word, self.members())
        if self.next.word not in _COMPARISONS or self.next.kind == "string":
            self.refuse()
        operator = self.take().word
        return Comparison(path, "!=" if operator == "<>" else operator, self.literal())

    def members(self) -> tuple[Literal, ...] | Select:
        self.need("(")
        if self.next.word == "SELECT" and self.next.kind == "name":
            inner = self.select()
            self.need(")")
            return inner
        found = [self.literal()]
        while self.takes(","):
            found.append(self.literal())
        self.need(")")
        return tuple(found)

    def literal(self) -> Literal:
        token = self.take()
        if token.kind == "string":
            value = unescaped(self.soql, token)
            if len(value) > MAX_STRING:
                raise malformed_query(self.soql, token.at, f"string literal longer than {MAX_STRING} characters")
            return Literal("string", value, token.at, token.text[1:-1])
        if token.kind == "number":
            return Literal("number", float(token.text), token.at)
        if token.kind in {"date", "datetime"}:
            read = parsed_day(token.text) if token.kind == "date" else parsed_stamp(token.text, zone_needed=True)
            if read is None:
                raise malformed_query(self.soql, token.at, f"Invalid date or datetime: {token.text}")
            return Literal("date" if token.kind == "date" else "datetime", read, token.at)
        if token.kind == "name":
            return self.named_literal(token)
        raise malformed_query(self.soql, token.at, f"unexpected token: '{token.text}'")

    def named_literal(self, token: Token) -> Literal:
        if token.word in {"TRUE", "FALSE"}:
            return Literal("boolean", token.word == "TRUE", token.at)
        if token.word == "NULL":
            return Literal("null", None, token.at)
        if "." in token.text:
            raise malformed_query(self.soql, token.at, f"unexpected token: '{token.text}'")
        word, _, count = token.word.partition(":")
        return Literal("period", word, token.at, token.text, int(count) if count else None)

"""Cuts a SOQL statement into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.sandbox.salesforce.refusals import malformed_query

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\dT:]))
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w-]))
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}


@dataclass(frozen=True)
class Token:
    """A piece of a statement; `kind` is end, string, datetime, date, number, name or sign."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """In capitals, as keywords are compared."""
        return self.text.upper()


def tokens(soql: str) -> list[Token]:
    """All tokens, then one of kind `end`. Raises Refusal MALFORMED_QUERY."""
    found: list[Token] = []
    at = 0
    end = len(soql.rstrip())
    while at < end:
        match = _TOKEN.match(soql, at)
        if match is None or match.lastgroup is None:
            at += len(soql[at:]) - len(soql[at:].lstrip())
            if soql[at] == "'":
                raise malformed_query(soql, at, "line 1:0 mismatched character '<EOF>' expecting '''")
            raise malformed_query(soql, at, f"unexpected token: '{soql[at:].split(maxsplit=1)[0]}'")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, Token("end", "<EOF>", end)]


def unescaped(soql: str, token: Token) -> str:
    """The text of a string token. Raises Refusal for an escape that SOQL does not know."""

    def one(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise malformed_query(soql, token.at, f"Illegal escape sequence: \\{match[1]}")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", one, token.text[1:-1], flags=re.DOTALL)


def like_pattern(raw: str) -> re.Pattern[str]:
    """The pattern of LIKE from a string with its escapes: % any text, _ one character, case ignored."""
    source = ""
    for escaped, plain in re.findall(r"\\(.)|(.)", raw, flags=re.DOTALL):
        if escaped:
            source += re.escape(_ESCAPES[escaped])
        else:
            source += {"%": ".*", "_": "."}.get(plain) or re.escape(plain)
    return re.compile(source, re.IGNORECASE | re.DOTALL)

"""The language of filters: conditions over the listed columns, and nothing that costs more than a look.

    kind = 'video' and (duration_s > 60 or title contains 'beach')
    taken >= '2019-06' and not camera like 'Canon%' and latitude is not null
    orientation in ('portrait', 'square') and start_s between 10 and 20

What is typed is never handed on: it is read here, and written anew as the SQL that LanceDB takes. There are
no functions and no arithmetic, so a condition costs one comparison a row.

    either      = both { OR both }
    both        = one { AND one }
    one         = NOT one | "(" either ")" | TRUE | FALSE | column test | literal operator column
    test        = operator operand | IS [NOT] NULL | [NOT] IN "(" literal { "," literal } ")"
                | [NOT] (LIKE | ILIKE | CONTAINS) text | [NOT] BETWEEN literal AND literal
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from sayso.core.errors import QueryError
from sayso.index.sql import FILTERED, sql_contains, sql_string

MOST_LETTERS = 100_000
MOST_TOKENS = 20_000
DEEPEST = 10
"""How far conditions may be nested: a level becomes several in SQL, of which LanceDB takes some dozens."""

NUMBERS = {"duration_s", "start_s", "end_s", "latitude", "longitude"}
COLUMNS = {*FILTERED.split(", "), "id", "media_id"}
OPERATORS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_WORDS = {"and", "or", "not", "in", "like", "ilike", "contains", "between", "is", "null", "true", "false"}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r'|(?P<quoted>"[^"]*")'
    r"|(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?!\w)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign>[<>!=]=|<>|[<>=(),]))",
    re.ASCII,
)


class _WrongError(Exception):
    """Why a filter cannot be understood."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a filter.

    Args:
        kind: text, number, column, word (of the language), sign, or end.
        value: what it says: of a literal, its SQL.
    """

    kind: str
    value: str

    @property
    def is_literal(self) -> bool:
        return self.kind in ("text", "number")


def filter_sql(text: str | None) -> str | None:
    """Return the SQL of a filter that a person wrote; None where it is empty.

    Raises:
        QueryError: if it is no filter.
    """
    if text is None or not text.strip():
        return None
    try:
        text.encode()
        return _Parser(_tokens(text)).whole()
    except UnicodeEncodeError as error:
        raise _refused(text, "it holds half a character") from error
    except _WrongError as error:
        raise _refused(text, str(error)) from error


def both(*filters: str | None) -> str | None:
    """Return the filter that passes what all of some filters pass; None where none is given.

    Raises:
        QueryError: if one of them is none by itself: brackets must not reach from one into another.
    """
    given = [one for one in filters if one is not None and filter_sql(one)]
    return given[0] if len(given) == 1 else " and ".join(f"({one})" for one in given) or None


def _refused(text: str, why: str) -> QueryError:
    shown = text if len(text) <= 200 else text[:200] + "…"
    return QueryError(
        f"the filter {shown!r} cannot be used: {why}; write it like: kind = 'video' and duration_s > 60, "
        f"of the columns {FILTERED}"
    )


def _tokens(text: str) -> list[_Token]:
    if len(text) > MOST_LETTERS:
        raise _WrongError(f"it has more than {MOST_LETTERS:,} letters")
    tokens: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            unclosed = rest[0] in ("'", '"')
            raise _WrongError("a text is not closed" if unclosed else f"{rest[:20]!r} means nothing here")
        tokens.append(_token(match))
        at = match.end()
        if len(tokens) > MOST_TOKENS:
            raise _WrongError(f"it has more than {MOST_TOKENS:,} words")
    return [*tokens, _Token("end", "its end")]


def _token(match: re.Match[str]) -> _Token:
    kind, found = match.lastgroup or "", match[match.lastgroup or 0]
    if kind == "text":
        return _Token("text", sql_string(found[1:-1].replace("''", "'")))
    if kind == "number":
        return _Token("number", _number(found))
    if kind == "sign":
        return _Token("sign", OPERATORS.get(found, found))
    name = found.strip('"').lower()
    if kind == "word" and name in _WORDS:
        return _Token("word", name)
    if name in COLUMNS:
        return _Token("column", name)
    if kind == "quoted":
        raise _WrongError(f"there is no column {found[:60]}; put a text between single quotes: 'video'")
    raise _WrongError(f"there is no column {found[:60]}, and a text stands between quotes: 'video'")


def _number(written: str) -> str:
    number = float(written)
    if not math.isfinite(number):
        raise _WrongError(f"the number {written[:20]} is too large")
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


class _Parser:
    """Reads tokens from left to right; each method returns the SQL of what it has read."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def took(self, value: str) -> bool:
        """Go on if this word or sign comes next, and tell."""
        found = self.next.kind in ("word", "sign") and self.next.value == value
        self.at += found
        return found

    def need(self, value: str) -> None:
        if not self.took(value):
            raise _WrongError(f"{value.upper()} is missing before {self.next.value[:60]}")

    def whole(self) -> str:
        sql = self.either()
        if self.next.kind != "end":
            raise _WrongError(f"{self.next.value[:60]} stands where AND, OR or the end should")
        return sql

    def either(self) -> str:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _WrongError(f"it is nested more than {DEEPEST} times")
        sql = self._joined("or", lambda: self._joined("and", self.one))
        self.depth -= 1
        return sql

    def _joined(self, word: str, part: Callable[[], str]) -> str:
        parts = [part()]
        while self.took(word):
            parts.append(part())
        return _balanced(parts, f" {word.upper()} ")

    def one(self) -> str:
        negated = False
        while self.took("not"):
            negated = not negated
        sql = self._plain()
        return f"NOT ({sql})" if negated else sql

    def _plain(self) -> str:
        if self.took("("):
            sql = self.either()
            self.need(")")
            return sql
        for word in ("true", "false"):
            if self.took(word):
                return word.upper()
        first = self.take()
        if first.is_literal:
            operator = self._operator()
            column = self.take()
            if column.kind != "column":
                raise _WrongError(f"{first.value[:60]} is compared with no column")
            return _comparison(column, _MIRRORED.get(operator, operator), first)
        if first.kind != "column":
            raise _WrongError(f"{first.value[:60]} stands where a column should")
        return self._test(first)

    def _operator(self) -> str:
        token = self.take()
        if token.kind != "sign" or token.value not in OPERATORS:
            raise _WrongError(f"{token.value[:60]} stands where a comparison should")
        return token.value

    def _test(self, column: _Token) -> str:
        if self.took("is"):
            negated = self.took("not")
            self.need("null")
            return f"{column.value} IS {'NOT ' if negated else ''}NULL"
        if self.took("not"):
            return f"NOT ({self._worded(column)})"
        if self.next.kind == "word":
            return self._worded(column)
        return _comparison(column, self._operator(), self.take())

    def _worded(self, column: _Token) -> str:
        """Read what follows a column and is no sign: IN, BETWEEN, LIKE, ILIKE, CONTAINS."""
        word = self.take().value
        if word == "in":
            return f"{column.value} IN ({', '.join(self._listed(column))})"
        if word == "between":
            low = self._literal(column)
            self.need("and")
            return f"({column.value} >= {low} AND {column.value} <= {self._literal(column)})"
        if word not in ("like", "ilike", "contains") or column.value in NUMBERS:
            raise _WrongError(f"{column.value} {word} is no condition")
        sql = self._literal(column)
        if word == "contains":
            return sql_contains(column.value, sql[1:-1].replace("''", "'"))
        return f"{column.value} {word.upper()} {sql}"

    def _listed(self, column: _Token) -> list[str]:
        self.need("(")
        values = [self._literal(column)]
        while self.took(","):
            values.append(self._literal(column))
        self.need(")")
        return values

    def _literal(self, column: _Token) -> str:
        token = self.take()
        if not token.is_literal:
            raise _WrongError(f"{token.value[:60]} stands where a text or a number should")
        return _fitting(column, token)


def _comparison(column: _Token, operator: str, other: _Token) -> str:
    if other.kind != "column" and not other.is_literal:
        raise _WrongError(f"{column.value} is compared with nothing")
    return f"{column.value} {operator} {_fitting(column, other)}"


def _fitting(column: _Token, other: _Token) -> str:
    """Return the SQL of what a column is compared with, where both are texts or both are numbers."""
    numeric = other.value in NUMBERS if other.kind == "column" else other.kind == "number"
    if numeric != (column.value in NUMBERS):
        is_what = "a number" if column.value in NUMBERS else "a text, which stands between quotes"
        raise _WrongError(f"{column.value} is {is_what}, and {other.value[:60]} is none")
    return other.value


def _balanced(parts: list[str], operator: str) -> str:
    """Join conditions as a tree of little depth: LanceDB reads a long row of them by recursion."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [f"({one}{operator}{other})" for one, other in pairs] + parts[len(parts) // 2 * 2 :]
    return parts[0]

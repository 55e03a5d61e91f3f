"""Pieces of the SQL that LanceDB takes; what people write is read by ``filter_language``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FILTERED = (
    "path, title, kind, duration_s, start_s, end_s, text, seen, "
    "taken, taken_from, camera, latitude, longitude, orientation"
)
"""The columns that a filter may name."""


def sql_string(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_in(column: str, values: Iterable[str]) -> str:
    """Return the SQL for a text column that is one of some values."""
    return f"{column} IN ({', '.join(map(sql_string, values))})"


def sql_contains(column: str, text: str) -> str:
    """Return the SQL for a text column that contains ``text`` in any case; no character is a wildcard."""
    return f"strpos(lower({column}), {sql_string(text.lower())}) > 0"


def in_parts(items: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """Cut a list into pieces that fit one filter."""
    rest = list(items)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]

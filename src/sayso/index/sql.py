"""Pieces of the SQL that LanceDB takes; what people write is read by ``filter_language``."""

from __future__ import annotations

from collections.abc import Iterable

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

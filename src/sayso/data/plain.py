"""What rows of other programs hold, as text and plain values that any table, JSON and terminal can take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

DEEPEST = 32
"""Lists in lists; what is nested deeper is no value of a row."""


def as_text(row: Mapping[str, Any], key: str) -> str | None:
    """Return a row's value as text: numbers too; None where there is none.

    Raises:
        ValueError: if it is a list, or an object.
    """
    value = row.get(key)
    if isinstance(value, list | tuple | dict):
        raise ValueError(f"{key} is a {'list' if not isinstance(value, dict) else 'table'}; expected text")  # noqa: TRY004
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return clean_text(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))


def clean_text(text: str) -> str:
    """Return text without what UTF-8 cannot say (half characters, as escapes) and without NUL."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "")


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON holds it, its text cleaned.

    Raises:
        ValueError: if it is nested too deeply.
    """
    if depth > DEEPEST:
        raise ValueError(f"a value is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        return {clean_text(str(key)): plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return as_text({"value": value}, "value") or ""

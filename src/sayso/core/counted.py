"""How many of something, in words."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number and what it counts, in the singular or the plural: 1 file, 1,234 files.

    Args:
        count: how many.
        one: what one of them is called.
        many: what several are called; by default ``one`` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"

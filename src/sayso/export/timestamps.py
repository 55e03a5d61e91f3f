"""Seconds as people and players read them."""

from __future__ import annotations


def timestamp(seconds: float) -> str:
    """Return whole seconds as 0:05, 12:40, 1:02:03.

    Examples:
        >>> timestamp(3723.4)
        '1:02:03'
    """
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"

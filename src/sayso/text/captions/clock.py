"""Times as caption files write them."""

from __future__ import annotations

import re

# [-][hours:]minutes:seconds[.fraction]; the fraction also follows a comma or a colon, with stray spaces.
TIME = r"(?:-\s?)?(?:\d{1,6}:)?\d{1,3}:\d{1,2}(?:\s?[.,:]\s?\d{1,9})?"
PARTS = re.compile(r"(-\s?)?(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:\s?[.,:]\s?(\d{1,9}))?")


def parse_time(time: str) -> float | None:
    """Return a time in seconds, or None if it is not written as ``[hours:]minutes:seconds[.fraction]``."""
    match = PARTS.fullmatch(time.strip())
    if match is None:
        return None
    sign, hours, minutes, whole, fraction = match.groups()
    value = int(hours or 0) * 3600 + int(minutes) * 60 + int(whole)
    exact = value + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)
    return -exact if sign else exact


def format_time(time: float, comma: bool = False) -> str:
    """Write seconds as ``hours:minutes:seconds.milliseconds``, with SubRip's comma if asked."""
    rest, milliseconds = divmod(round(time * 1000), 1000)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{',' if comma else '.'}{milliseconds:03d}"

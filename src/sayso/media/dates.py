"""Dates as files write them: what a clock on the wall showed, and its distance from UTC if that is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

TakenFrom = Literal["exif", "container", "name", "mtime"]
"""Where the date of a file was read; exif stands for XMP too."""

_FIRST_PHOTOGRAPH = 1826
_FIRST_PHONE = 1990
_AHEAD = timedelta(days=1)  # time zones, and clocks that are a little fast
_UNSET = frozenset({1904, 1970, 1980, 2000})
"""Clocks that nobody set begin on the first of January of one of these years, at midnight."""

_DATE = re.compile(
    r"\s*(\d{4})[-:/.](\d{1,2})[-:/.](\d{1,2})"
    r"(?:[ T]\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d+))?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?\s*",
    re.IGNORECASE | re.ASCII,
)
_OFFSET = re.compile(r"\s*([+-])(\d{2})(?::?(\d{2}))?\s*", re.ASCII)
_NAMED = re.compile(
    r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?:[-_ T.]|\sat\s)?"
    r"(\d{2})([-_.]?)(\d{2})\6(\d{2})(\d{3})?(?!\d)(?:[\s\u00a0\u202f]?([AP])M\b)?",
    re.ASCII,
)
_NAMED_DAY = re.compile(r"(?:IMG|VID|AUD|PTT|STK)-(\d{4})(\d{2})(\d{2})-WA\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class WallTime:
    """When something was.

    Args:
        local: what a clock on the wall showed there, without a zone.
        offset: of that clock from UTC; None where it is not known.
        whole_day: whether the day is all that is known.
    """

    local: datetime
    offset: timedelta | None = None
    whole_day: bool = False

    @property
    def text(self) -> str:
        """The wall time as ISO 8601 writes it: 2019-06-01, 2019-06-01T14:03:22, 2019-06-01T14:03:22.125."""
        if self.whole_day:
            return self.local.date().isoformat()
        return self.local.isoformat(timespec="milliseconds" if self.local.microsecond else "seconds")

    @property
    def offset_min(self) -> int | None:
        """Of the clock from UTC, minutes."""
        return None if self.offset is None else round(self.offset.total_seconds() / 60)

    def credible(self, now: datetime) -> bool:
        """Whether it may be: no clock that nobody set, and not in the future.

        Args:
            now: aware.
        """
        if self.local.year < _FIRST_PHOTOGRAPH:
            return False
        instant = self.local - (self.offset or timedelta())
        if any(one.year in _UNSET and one == datetime(one.year, 1, 1) for one in (self.local, instant)):
            return False
        return instant <= now.astimezone(UTC).replace(tzinfo=None) + _AHEAD


def here(instant: datetime) -> WallTime:
    """Return an instant as the clocks of this machine's zone showed it.

    Args:
        instant: aware.
    """
    local = instant.astimezone()
    return WallTime(local.replace(tzinfo=None), local.utcoffset())


def parse_date(text: str, *, subsec: str = "", offset: str = "") -> WallTime | None:
    """Read a date of EXIF (2019:06:01 14:03:22) or ISO 8601 (2019-06-01T14:03:22+02:00); None if it is none.

    ``Z`` is an instant that says nothing of the place: it becomes this machine's wall time. A clock that
    shows 24:00 or a leap second is taken at its word.

    Args:
        text: at least year, month and day.
        subsec: digits behind the second's point, where they stand apart.
        offset: from UTC, such as +02:00, where it stands apart.
    """
    match = _DATE.fullmatch(text.replace("\0", " "))
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    subsec = fraction or subsec.strip("\0 ")
    try:
        local = datetime(int(year), int(month), int(day))
        if hour is None:
            return WallTime(local, whole_day=True)
        if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 60:
            return None
        local += timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
        if subsec.isascii() and subsec.isdecimal():
            local += timedelta(milliseconds=int(subsec[:3].ljust(3, "0")))
        if zone and zone.upper() in ("Z", "UTC"):
            return here(local.replace(tzinfo=UTC))
        return WallTime(local, parse_offset(zone or offset))
    except (ValueError, OverflowError, OSError):
        return None


def parse_offset(text: str) -> timedelta | None:
    """Read an offset from UTC: +02:00, +0200, +02; None if it is none, or more than there is."""
    match = _OFFSET.fullmatch(text.replace("\0", " "))
    if match is None:
        return timedelta() if text.strip("\0 ").upper() == "Z" else None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if int(match[3] or 0) > 59 or offset > timedelta(hours=15):
        return None
    return -offset if match[1] == "-" else offset


def date_in_name(stem: str) -> WallTime | None:
    """Return the date in a file's name, as phones and their programs write it; None if there is none.

    IMG_20190601_140322, PXL_20210315_123456789 (in UTC), 2019-06-01 14.03.22,
    Screenshot 2019-06-01 at 02.03.22 PM, WP_20140601_14_03_22_Pro, IMG-20190601-WA0007 (the day).

    Args:
        stem: the name without its ending.
    """
    match = _NAMED.search(stem)
    day = _NAMED_DAY.match(stem)
    try:
        if match is not None:
            named = _named_time(*match.groups())
            if stem.startswith("PXL_"):
                return here(named.replace(tzinfo=UTC))
        elif day is not None:
            named = datetime(int(day[1]), int(day[2]), int(day[3]))
        else:
            return None
    except ValueError:
        return None
    return WallTime(named, whole_day=match is None) if named.year >= _FIRST_PHONE else None


def _named_time(*groups: str | None) -> datetime:
    half = groups[-1]
    year, month, day, hour, minute, second, milli = (int(groups[k] or 0) for k in (0, 2, 3, 4, 6, 7, 8))
    hour = hour % 12 + 12 * (half == "P") if half else hour
    return datetime(year, month, day, hour, minute, second, 1000 * milli)

"""What a clip must be besides what it looks like: whom it shows, when and where it was taken, and a filter.

near:48.8577,2.295,5km       within 5 km of this place; 1 km if none is said; also m and mi
- near:48.8577,2.295,5km     not there
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime

from sayso.core.errors import QueryError
from sayso.index.filter_language import filter_sql
from sayso.index.query import Person, people_filter, split_people
from sayso.index.sql import sql_string

_EARTH_M = 6_371_008.8  # the mean radius
_UNITS_M = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
_NEARBY_M = 1000.0
_WHOLE_EARTH_M = 30_000_000.0
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_NEAR = re.compile(r'(?<!\S)(?:(?P<sign>[+-])\s+)?near:(?P<place>(?:[^\s",]|,\s*)*)|"[^"]*"', re.IGNORECASE)
_PLACE = re.compile(rf"({_NUMBER}),\s*({_NUMBER})(?:,\s*(\d+(?:\.\d+)?)(km|mi|m))?", re.IGNORECASE | re.ASCII)
_TIME = re.compile(
    r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?)?)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Near:
    """A place that something was taken near to, or was not.

    Args:
        latitude: degrees north.
        longitude: degrees east.
        within_m: metres.
        present: False for what was taken elsewhere.
    """

    latitude: float
    longitude: float
    within_m: float = _NEARBY_M
    present: bool = True

    @property
    def sql(self) -> str:
        """The SQL for clips taken within the distance on a sphere (haversine); those without a place fail."""
        north, east = f"radians(latitude - {self.latitude!r})", f"radians(longitude - {self.longitude!r})"
        cosines = f"cos(radians(latitude)) * {math.cos(math.radians(self.latitude))!r}"
        squared = f"power(sin({north} / 2), 2) + {cosines} * power(sin({east} / 2), 2)"
        inside = f"{2 * _EARTH_M!r} * asin(sqrt({squared})) <= {self.within_m!r}"
        return f"({inside})" if self.present else f"NOT ({inside})"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for.

    Args:
        words: what is left of it to look for.
        people: who has to be on screen, or not.
        places: where it was taken, or not.
        sql: what clips must pass, all told; None if all do.
    """

    words: str
    people: list[Person]
    places: list[Near]
    sql: str | None


def read_conditions(
    query: str,
    *,
    filter: str | None = None,  # noqa: A002
    after: str | None = None,
    before: str | None = None,
) -> Asked:
    """Split a query into words, and conditions that clips must pass.

    Args:
        query: what a person typed.
        filter: in the language of ``sayso.index.filter_language``.
        after: taken from the beginning of this year, month, day or time on.
        before: taken before the beginning of it.

    Raises:
        QueryError: if one of them cannot be understood.
    """
    people, rest = split_people(query)
    places, rest = split_places(rest)
    parts = [
        people_filter(filter_sql(filter), people),
        *(place.sql for place in places),
        time_filter(after, before),
    ]
    return Asked(rest, people, places, " AND ".join(filter_ for filter_ in parts if filter_) or None)


def split_places(query: str) -> tuple[list[Near], str]:
    """Return the places that a query asks for, and the rest of it.

    Raises:
        QueryError: if ``near:`` is not followed by a place.
    """
    places: list[Near] = []

    def take(match: re.Match[str]) -> str:
        if match["place"] is None:
            return match[0]  # a text in quotes, whatever it holds
        places.append(_place(match["place"], match["sign"] != "-"))
        return " "

    rest = _NEAR.sub(take, query).strip()
    return places, re.sub(r"^\+\s+|\s+\+$", "", rest) if places else query


def _place(text: str, present: bool) -> Near:
    match = _PLACE.fullmatch(text.strip().rstrip(","))
    latitude, longitude = (float(match[1]), float(match[2])) if match else (math.inf, math.inf)
    if match is None or abs(latitude) > 90 or abs(longitude) > 180:
        form = "write latitude, longitude and distance like: near:48.8577,2.295,5km"
        raise QueryError(f"near:{text.strip()} is no place on Earth; {form}")
    within = min(_WHOLE_EARTH_M, float(match[3]) * _UNITS_M[match[4].lower()]) if match[3] else _NEARBY_M
    return Near(latitude, longitude, within, present)


def time_filter(after: str | None, before: str | None) -> str | None:
    """Return the filter, which is SQL too, for what was taken from a time on, and before another.

    Times are those of the places.

    Args:
        after: a year, month, day or time: 2019, 2019-06, 2019-06-30, 2019-06-30T14:05.
        before: likewise; what was taken in it is left out.

    Raises:
        QueryError: if it is no time, or no time is between the two.
    """
    times = [
        (_time(text, option), operator)
        for text, operator, option in ((after, ">=", "after"), (before, "<", "before"))
        if text and text.strip()
    ]
    if len(times) == 2 and times[0][0] >= times[1][0]:
        raise QueryError(f"nothing is after {after} and before {before}; the later time goes to before")
    return " AND ".join(f"taken {operator} {sql_string(time)}" for time, operator in times) or None


def _time(text: str, option: str) -> str:
    """Return a time as the column ``taken`` has it, as far as it is said: text sorts as time does."""
    match = _TIME.fullmatch(text.strip())
    given = [int(part) for part in match.groups() if part is not None] if match else []
    try:
        datetime(*(given + [1, 1][len(given) - 1 :]))  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise QueryError(
            f"{option} {text!r} is no date; write a year, month, day or time: "
            "2019, 2019-06, 2019-06-30, 2019-06-30T14:05"
        ) from error
    parts = ["{:04d}", "-{:02d}", "-{:02d}", "T{:02d}", ":{:02d}", ":{:02d}"]
    return "".join(parts[: len(given)]).format(*given)

"""Where on Earth something was taken, as files write it: EXIF's degrees, and ISO 6709."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Position = tuple[float, float]
"""Latitude and longitude, degrees, north and east positive."""

_ISO6709 = re.compile(
    r"\s*([+-])(\d{1,6})(\.\d*)?([+-])(\d{1,7})(\.\d*)?(?:[+-/CR].*)?", re.ASCII | re.DOTALL
)
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4


def parse_iso6709(text: str) -> Position | None:
    """Read the place of a video: +48.8577+002.2950/, +4851.46+00217.70+035/; None if it is none.

    Args:
        text: degrees, degrees and minutes, or these and seconds, the last of them with decimals.
    """
    match = _ISO6709.fullmatch(text)
    if match is None:
        return None
    south, latitude, latitude_rest, west, longitude, longitude_rest = match.groups()
    return on_earth(
        _sexagesimal(latitude, latitude_rest, 2) * (-1 if south == "-" else 1),
        _sexagesimal(longitude, longitude_rest, 3) * (-1 if west == "-" else 1),
    )


def _sexagesimal(digits: str, rest: str | None, degrees: int) -> float:
    """Return degrees of DD, DDMM or DDMMSS, whose last part has decimals."""
    if len(digits) <= degrees:
        parts = [digits]
    elif (len(digits) - degrees) % 2:
        return math.nan
    else:
        parts = [digits[:degrees], *(digits[k : k + 2] for k in range(degrees, len(digits), 2))]
    parts[-1] += rest or ""
    return math.fsum(float(part) / 60.0**k for k, part in enumerate(parts))


def exif_position(gps: Mapping[int, Any]) -> Position | None:
    """Return the place that the GPS part of EXIF data says; None if it says none.

    Args:
        gps: its tags by number.
    """
    try:
        latitude = _degrees(gps[_LATITUDE]) * (-1 if _letter(gps.get(_LATITUDE_REF)) == "S" else 1)
        longitude = _degrees(gps[_LONGITUDE]) * (-1 if _letter(gps.get(_LONGITUDE_REF)) == "W" else 1)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return on_earth(latitude, longitude)


def _degrees(value: Any) -> float:
    """Return degrees of (degrees, minutes, seconds), of fewer, or of one number."""
    parts = value if isinstance(value, tuple | list) else (value,)
    return math.fsum(float(part) / 60.0**k for k, part in enumerate(parts))


def _letter(value: Any) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return text.strip("\0 ")[:1].upper()


def on_earth(latitude: float, longitude: float) -> Position | None:
    """Return a place, to a tenth of a metre, if it may be one; 0, 0 is what devices write without a fix."""
    known = math.isfinite(latitude) and math.isfinite(longitude)
    if not known or abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None
    return round(latitude, 6), round(longitude, 6)

"""Time expressions of TTML: clock times, and offsets in hours to ticks (https://www.w3.org/TR/ttml1/#timing-value-timeExpression)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:(\.\d{1,9})|:(\d{1,6})(?:\.\d{1,6})?)?")
OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t|)")
UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0, "ms": 0.001}
MULTIPLIER = re.compile(r"\s*(\d{1,9})[\s:]+(\d{1,9})\s*")


@dataclass(frozen=True, slots=True)
class Rates:
    """How many frames and ticks a second of a document has."""

    frames: float = 30.0
    ticks: float = 1.0

    @classmethod
    def declared(cls, attributes: Mapping[str, str]) -> Rates:
        """Return what the attributes of the ``tt`` element declare; senseless values count as absent."""
        given = _positive(attributes.get("frameRate", ""))
        multiplier = MULTIPLIER.fullmatch(attributes.get("frameRateMultiplier", ""))
        frames = given or 30.0
        if multiplier and int(multiplier[1]) and int(multiplier[2]):
            frames *= int(multiplier[1]) / int(multiplier[2])
        within = _positive(attributes.get("subFrameRate", "")) or 1.0
        return cls(frames, _positive(attributes.get("tickRate", "")) or (frames * within if given else 1.0))

    def seconds(self, expression: str) -> float | None:
        """Return a time expression in seconds, None if it is none."""
        clock = CLOCK.fullmatch(expression.strip())
        if clock:
            hours, minutes, whole, fraction, frames = clock.groups()
            time = int(hours or 0) * 3600 + int(minutes) * 60 + int(whole)
            return time + float(fraction or 0) + int(frames or 0) / self.frames
        offset = OFFSET.fullmatch(expression.strip())
        if offset is None:
            return None
        value, unit = float(offset[1]), offset[2]
        return (
            value / {"f": self.frames, "t": self.ticks}[unit]
            if unit in "ft" and unit
            else value * UNIT_S[unit]
        )


def _positive(number: str) -> float:
    match = re.fullmatch(r"\s*(\d{1,12})\s*", number)
    return float(match[1]) if match else 0.0

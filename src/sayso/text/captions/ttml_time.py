"""Time expressions of TTML: clock times, and offsets in hours to ticks.

https://www.w3.org/TR/ttml1/#timing-value-timeExpression; with ``timeBase="smpte"`` a
clock time counts frames at the nominal rate, which the true rate turns into seconds,
and the drop modes leave numbers out (section 12.3 of TTML1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:(\.\d{1,9})|[:;](\d{1,6})(?:\.\d{1,6})?)?")
OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t|)")
UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0, "ms": 0.001}
MULTIPLIER = re.compile(r"\s*(\d{1,9})[\s:/]+(\d{1,9})\s*")


@dataclass(frozen=True, slots=True)
class TtmlRates:
    """How a document counts time.

    Args:
        frames: a second, truly.
        nominal: frames a second that SMPTE time code counts.
        ticks: a second.
        smpte: whether clock times are SMPTE time code.
        drop: ``dropNTSC``, ``dropPAL`` or anything else for none.
    """

    frames: float = 30.0
    nominal: float = 30.0
    ticks: float = 1.0
    smpte: bool = False
    drop: str = ""

    @classmethod
    def declared(cls, attributes: Mapping[str, str]) -> TtmlRates:
        """Return what the attributes of the ``tt`` element declare; senseless values count as absent."""
        given = _positive(attributes.get("frameRate", ""))
        frames = given or 30.0
        nominal = float(round(frames)) or frames
        multiplier = MULTIPLIER.fullmatch(attributes.get("frameRateMultiplier", ""))
        if multiplier and int(multiplier[1]) and int(multiplier[2]):
            frames *= int(multiplier[1]) / int(multiplier[2])
        within = _positive(attributes.get("subFrameRate", "")) or 1.0
        ticks = _positive(attributes.get("tickRate", "")) or (frames * within if given else 1.0)
        smpte = attributes.get("timeBase", "").strip() == "smpte"
        return cls(frames, nominal, ticks, smpte, attributes.get("dropMode", "").strip())

    def seconds(self, expression: str) -> float | None:
        """Return a time expression in seconds, None if it is none."""
        clock = CLOCK.fullmatch(expression.strip())
        if clock:
            hours, minutes, whole, fraction, frames = clock.groups()
            time = (int(hours or 0), int(minutes), int(whole) + float(fraction or 0), int(frames or 0))
            return self._smpte_seconds(*time) if self.smpte else self._media_seconds(*time)
        offset = OFFSET.fullmatch(expression.strip())
        if offset is None:
            return None
        value, unit = float(offset[1]), offset[2]
        rates = {"f": self.frames, "t": self.ticks}
        return value / rates[unit] if unit in rates else value * UNIT_S[unit]

    def _media_seconds(self, hours: int, minutes: int, seconds: float, frames: int) -> float:
        return hours * 3600 + minutes * 60 + seconds + frames / self.frames

    def _smpte_seconds(self, hours: int, minutes: int, seconds: float, frames: int) -> float:
        """Count frames, without the numbers that are left out, and divide by the true rate."""
        counted = (hours * 3600 + minutes * 60 + seconds) * self.nominal + frames
        total = hours * 60 + minutes
        if self.drop == "dropNTSC":
            counted -= 2 * (total - total // 10)
        elif self.drop == "dropPAL":
            counted -= 4 * (total // 2 - total // 20)
        return max(counted, 0.0) / self.frames


def _positive(number: str) -> float:
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*", number)
    return float(match[1]) if match else 0.0

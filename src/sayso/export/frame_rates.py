"""Frame rates of editing programs, and SMPTE time code, with and without drop-frame.

Rates such as 23.976 and 29.97 are 24000/1001 and 30000/1001 exactly; time code counts whole frames
as if there were 24 and 30 a second. At 29.97 and 59.94, drop-frame leaves out the first
numbers (2 or 4) of each minute but the tenth, so that the code keeps up with the clock (SMPTE ST 12-1).
"""

from __future__ import annotations

import math
from fractions import Fraction

RATES = (
    *(Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)),
    *(Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60)),
)
NEAR = 0.01
USUAL = Fraction(25)
_SLACK = 1e-3  # of a frame: times are written with six digits


def edit_rate(fps: float | None) -> Fraction:
    """Return the rate that an editing program takes for a video: the nearest, or the next higher one.

    Args:
        fps: frames a second on average, as the file says; None if unknown.
    """
    if fps is None or not fps > 0:
        return USUAL
    nearest = min(RATES, key=lambda rate: abs(math.log(fps / rate)))
    if abs(fps / float(nearest) - 1) <= NEAR:
        return nearest
    return min((rate for rate in RATES if rate >= fps), default=RATES[-1])


def drops_frames(rate: Fraction) -> bool:
    """Return whether time code at this rate is drop-frame by custom: at 29.97 and 59.94."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


def frame_at(seconds: float, rate: Fraction) -> int:
    """Return the number of the frame on screen at a second."""
    return math.floor(seconds * rate + _SLACK)


def frame_after(seconds: float, rate: Fraction) -> int:
    """Return the number of the first frame that is not on screen before a second."""
    return math.ceil(seconds * rate - _SLACK)


def time_code(frame: int, rate: Fraction, *, drop: bool | None = None) -> str:
    """Return HH:MM:SS:FF, or HH:MM:SS;FF where frames are dropped; it starts again after 24 hours.

    Args:
        frame: from 0.
        rate: frames a second.
        drop: whether numbers are dropped; by default as is custom at that rate.
    """
    base = round(rate)
    drop = drops_frames(rate) if drop is None else drop
    if drop:
        lost = base // 15  # numbers a minute
        tens, rest = divmod(frame, 10 * 60 * base - 9 * lost)
        minutes = max(0, rest - lost) // (60 * base - lost)
        frame += 9 * lost * tens + lost * minutes
    seconds, frames = divmod(frame, base)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minute:02d}:{second:02d}{';' if drop else ':'}{frames:02d}"

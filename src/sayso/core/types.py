"""The words of the toolkit: spans of time, captions, clips and boxes.

Times are seconds (float) from the start of the media; boxes are pixels of the
original picture. Shape letters, everywhere the same: B clips or pictures, K
captions per clip, T frames or time steps, N instances, C classes or names,
D channels, H W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, half-open: ``start <= t < end``.

    Args:
        start: seconds.
        end: seconds, at least ``start``.

    Raises:
        ValueError: if the end lies before the start.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        if not self.start <= self.end:
            raise ValueError(f"a span must end after it starts; got {self.start} to {self.end} seconds")

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    def overlap(self, other: Span) -> float:
        """Return how many seconds two spans share, 0 if none."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


@dataclass(frozen=True, slots=True)
class Caption:
    """What is said (or written) during a span, and by whom where that is known."""

    span: Span
    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of one media file."""

    media: str
    span: Span


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the original picture: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

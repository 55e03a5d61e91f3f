"""The types of the toolkit: spans of time, captions and boxes; and the letters of its shapes.

Times are seconds (float) from the start of the file; boxes are pixels of the original picture. A *track* is
one face through consecutive frames (``sayso.people.Track``); a *bag* is a set of instances that shares a
weak label. Shape letters, everywhere the same:

    B  clips or pictures        N  instances (of a bag, rows of a problem)
    K  captions a clip          C  classes, names or steps
    T  frames or time steps     D  channels or features
    H W  pixels
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

    Examples:
        >>> Span(2.0, 5.0).overlap(Span(4.0, 9.0))
        1.0
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
    """What is said (or written) during a span of time.

    Args:
        span: when, seconds.
        text: the words.
        speaker: who says it, where that is known.
    """

    span: Span
    text: str
    speaker: str | None = None


PAUSE_S = 2.0
"""A silence longer than this, in seconds, parts what is said into utterances."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the original picture: ``x0 <= x < x1``, ``y0 <= y < y1``.

    Args:
        x0: left edge.
        y0: upper edge.
        x1: the pixel after the right edge.
        y1: the pixel below the lower edge.
    """

    x0: float
    y0: float
    x1: float
    y1: float

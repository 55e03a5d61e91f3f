"""Subtitles timed to another copy of the film, corrected by captions with the film's own times.

A copy at another frame rate (25 for 23.976) stretches all times, another cut of
the opening shifts them: film time = rate * subtitle time + offset. Both follow from
the words that the two sets of captions share. The reference may be in part of the
film only: the subtitles inside the video, or the output of a speech recogniser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.systems.align_script.matching import match_words
from sayso.systems.align_script.words import spoken_words

RATES = (23.976, 24.0, 25.0, 29.97, 30.0)
NEAR_RATE = 2e-4  # a fitted rate this near to a quotient of two frame rates is that quotient
LEAST_PAIRS = 8
INLIER_S = 1.0
SLOPES = 2000  # pairs of points whose slopes are compared


@dataclass(frozen=True, slots=True)
class Clock:
    """Film time = ``rate`` * subtitle time + ``offset_s``; ``error_s`` is the median error of the fit."""

    rate: float = 1.0
    offset_s: float = 0.0
    error_s: float = 0.0

    def apply(self, captions: Sequence[Caption]) -> list[Caption]:
        """Return the captions at film time; what would lie before its start is cut off."""
        moved = ((caption, self._film(caption.span)) for caption in captions)
        return [replace(caption, span=span) for caption, span in moved if span.end > 0]

    def _film(self, span: Span) -> Span:
        start, end = (self.rate * time + self.offset_s for time in (span.start, span.end))
        return Span(max(start, 0.0), max(end, 0.0))


def fit_clock(captions: Sequence[Caption], reference: Sequence[Caption]) -> Clock:
    """Return how the times of captions become those of a reference that has (some of) the same words.

    The slope is the median over pairs of shared words (Theil-Sen), so that a third of them may be wrong;
    one within 2e-4 of a quotient of two frame rates in use is taken to be that.

    Raises:
        SaysoError: if the two share too few words.
    """
    ours, theirs = spoken_words(captions), spoken_words(reference)
    matches = match_words(ours.words, theirs.words)
    certain = matches.pairs[matches.trust == 1.0]
    if len(certain) < LEAST_PAIRS:
        raise SaysoError(
            "the subtitles and the reference share too few words to compare their times; "
            "give captions of the same film in the same language"
        )
    x, y = ours.start[certain[:, 0]], theirs.start[certain[:, 1]]
    rate = _snap(_slope(x, y))
    offset = float(np.median(y - rate * x))
    inside = np.abs(y - rate * x - offset) < INLIER_S
    if inside.any():
        offset = float(np.median((y - rate * x)[inside]))
    return Clock(rate, offset, float(np.median(np.abs(y - rate * x - offset))))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the median slope between points half of the range apart; 1 if all are close together."""
    order = np.argsort(x)
    x, y = x[order], y[order]
    half = len(x) // 2
    start = np.unique(np.linspace(0, half - 1, min(half, SLOPES)).astype(int))
    run = x[start + half] - x[start]
    far = run > 30.0
    return float(np.median((y[start + half] - y[start])[far] / run[far])) if far.any() else 1.0


def _snap(rate: float) -> float:
    known = [a / b for a in RATES for b in RATES]
    nearest = min(known, key=lambda value: abs(value - rate))
    return nearest if abs(nearest - rate) <= NEAR_RATE * rate else rate

"""Subtitles timed to another copy of the film, corrected by captions with the film's own times.

A copy at another frame rate (25 for 23.976) stretches all times; another cut (a break for advertisements,
scenes more or fewer) shifts what comes after. Film time = rate * subtitle time + the offset of the piece. All
follows from the words that the two sets of captions share. The reference may be in part of the
film only: the subtitles inside the video, or the output of a speech recogniser.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sayso.alignment.breaks import find_break
from sayso.alignment.matching import match_words
from sayso.alignment.pieces import fit_pieces, median_slope
from sayso.alignment.words import spoken_words
from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span

RATES = (23.976, 24.0, 25.0, 29.97, 30.0)
KNOWN = sorted({a / b for a in RATES for b in RATES})
NEAR_RATE = 2e-4  # a fitted rate this near to a quotient of two frame rates is that quotient
OTHER_RATE = 0.7  # a rate that is no such quotient must leave at most this share of the cost
LEAST_PAIRS = 8
LINE_PAIRS = 3  # of a line that count: its words are all as late as the line
OVERLAP_S = 1.0  # a line may reach so far into the next piece
TRIED, HEAPS, HEAP_S = 5, 6, 0.5  # rates whose offsets lie most in a few heaps are fitted
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OffsetPiece:
    """A stretch of the subtitles with one offset; all times but the offset are of the subtitles.

    Attributes:
        from_s: where it begins: in the pause at which the two copies differ.
        first_s: its first time that the reference confirms; ``last_s`` is its last.
        offset_s: film time - rate * subtitle time.
    """

    from_s: float
    first_s: float
    last_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Clock:
    """Film time = ``rate`` * subtitle time + the offset of the piece; ``offset_s`` is the first piece's.

    ``error_s`` is the median error at the words that were compared.
    """

    rate: float = 1.0
    offset_s: float = 0.0
    error_s: float = 0.0
    pieces: tuple[OffsetPiece, ...] = ()

    def film_time(self, time: float, *, of: float | None = None) -> float:
        """Return the film's time at a time of the subtitles.

        Where the subtitles have lines that the film lacks, these stand at the cut.

        Args:
            time: seconds.
            of: a time in the piece, if that is not the time itself.
        """
        if not self.pieces:
            return self.rate * time + self.offset_s
        number = self.piece_at(time if of is None else of)
        piece = self.pieces[number]
        found = self.rate * time + piece.offset_s
        if time > piece.last_s and number + 1 < len(self.pieces):
            after = self.pieces[number + 1]
            limit = self.rate * after.first_s + after.offset_s
            return min(found, limit) if limit >= self.rate * piece.last_s + piece.offset_s else found
        if time < piece.first_s and number:
            before = self.pieces[number - 1]
            limit = self.rate * before.last_s + before.offset_s
            return max(found, limit) if limit <= self.rate * piece.first_s + piece.offset_s else found
        return found

    def piece_at(self, time: float) -> int:
        """Return the number of the piece that a time of the subtitles is in."""
        return max(0, bisect_right(self.pieces, time, key=lambda piece: piece.from_s) - 1)

    def moved(self, span: Span, piece: int) -> Span:
        """Return a span by the offset of one piece."""
        offset = self.pieces[piece].offset_s if self.pieces else self.offset_s
        start, end = (max(self.rate * time + offset, 0.0) for time in (span.start, span.end))
        return Span(start, end)

    def span(self, span: Span) -> Span:
        """Return a line's time in the film; one over a break keeps both its ends."""
        inner = max(span.start, span.end - OVERLAP_S)
        start, end = self.film_time(span.start), self.film_time(span.end, of=inner)
        return Span(max(start, 0.0), max(start, end, 0.0))


def fit_clock(captions: Sequence[Caption], reference: Sequence[Caption]) -> Clock:
    """Return how the times of captions become those of a reference that has (some of) the same words.

    The rate is the quotient of two frame rates in use whose offsets are best told by few pieces; another only
    if it is far better: the median over pairs of shared words (Theil-Sen).

    Raises:
        SaysoError: if the two share too few words.
    """
    x, y = _shared_times(captions, reference)
    other = median_slope(x, y)
    near = min(KNOWN, key=lambda value: abs(value - other))
    known = {near, *sorted(KNOWN, key=lambda value: -_heaped(y - value * x))[:TRIED]}
    rates = known if abs(near - other) <= NEAR_RATE * other else {*known, other}
    fits = {rate: fit_pieces(x, y - rate * x) for rate in rates}
    rate = min(sorted(known), key=lambda value: fits[value].cost)
    if other in fits and fits[other].cost < OTHER_RATE * fits[rate].cost:
        rate = other
    fit = fits[rate]
    pieces: list[OffsetPiece] = []
    timed = sorted(reference, key=lambda caption: caption.span.start)
    for first, last, offset in fit.pieces:
        here = OffsetPiece(-np.inf, float(x[first]), float(x[last]), offset)
        if pieces:
            before = pieces[-1]
            maps = (partial(_film, rate, before.offset_s), partial(_film, rate, offset))
            split = find_break(captions, timed, (before.last_s, here.first_s), maps)
            here = replace(here, from_s=split)
        pieces.append(here)
    return Clock(rate, pieces[0].offset_s, fit.error_s, tuple(pieces))


def _heaped(offsets: Points) -> int:
    """Return how many offsets are in the largest few heaps."""
    _, counts = np.unique(np.round(offsets / HEAP_S), return_counts=True)
    return int(np.sort(counts)[-HEAPS:].sum())


def _film(rate: float, offset_s: float, time: float) -> float:
    return rate * time + offset_s


def _shared_times(captions: Sequence[Caption], reference: Sequence[Caption]) -> tuple[Points, Points]:
    """Return the times, rising in the captions', at which the same word starts or ends in both."""
    ours, theirs = spoken_words(captions), spoken_words(reference)
    matches = match_words(ours.words, theirs.words)
    certain = matches.pairs[matches.trust == 1.0]
    if len(certain) < LEAST_PAIRS:
        raise SaysoError(
            "the subtitles and the reference share too few words to compare their times; "
            "give captions of the same film in the same language"
        )
    a, b = certain[_spread(ours.line[certain[:, 0]])].T
    x, y = np.concatenate([ours.start[a], ours.end[a]]), np.concatenate([theirs.start[b], theirs.end[b]])
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def _spread(line: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of a few pairs of each line, from its first to its last.

    Args:
        line: (M,) rising numbers of the lines that the pairs are in.
    """
    groups = np.split(np.arange(len(line)), np.flatnonzero(np.diff(line)) + 1)
    picked = [
        group[np.linspace(0, len(group) - 1, min(len(group), LINE_PAIRS)).round().astype(int)]
        for group in groups
    ]
    return np.concatenate(picked)

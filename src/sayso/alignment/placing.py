"""Each line of subtitles at its place in the film, or at none: a wrong time is worse than a missing one.

The clock has an offset for each stretch. Between two stretches a line may belong to either, to a scene
that the film lacks, or to a stretch too short for an offset of its own. Such a line keeps a time only if the
reference speaks for it there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sayso.alignment.clock import Clock
from sayso.core.types import Caption, Span
from sayso.text.language.spoken import spoken_tokens

NEAR_S = 1.0  # a line's place and the reference's
HALF = 0.5  # of the words of a line and of the reference's there that are shared
TIMED = 0.3  # what a line at the right second counts beside the shared words
NEXT_S = (
    0.6  # a line whose words differ, right after one that is found, begins so near to the reference's next
)
ALONE = 0.2  # so much better than any other


@dataclass(frozen=True, slots=True)
class PlacedLines:
    """Captions at the film's times, in its order; and, at their own times, those of no certain place."""

    captions: tuple[Caption, ...]
    left_out: tuple[Caption, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a line is: its place in the film, the number of the reference's line, of the clock's piece."""

    span: Span
    number: int
    piece: int


def place_lines(captions: Sequence[Caption], reference: Sequence[Caption], clock: Clock) -> PlacedLines:
    """Give captions the film's times where the reference or the lines around them confirm these.

    Args:
        captions: of another copy of the film.
        reference: captions with the film's times, of all of the film or of parts.
        clock: as ``fit_clock`` found it.
    """
    ours = sorted(captions, key=lambda caption: caption.span.start)
    search = _Search(sorted(reference, key=lambda caption: caption.span.start), clock)
    found = [search.by_words(line) for line in ours]
    _in_order(found)
    spans: list[Span | None] = [None if one is None else one.span for one in found]
    start = 0
    while start < len(ours):
        end = start
        while end < len(ours) and found[end] is None:
            end += 1
        if end > start:
            before = found[start - 1] if start else None
            after = found[end] if end < len(ours) else None
            spans[start:end] = search.between(ours[start:end], before, after)
        start = max(end, start + 1)
    placed = [replace(line, span=span) for line, span in zip(ours, spans, strict=True) if span is not None]
    left_out = tuple(line for line, span in zip(ours, spans, strict=True) if span is None)
    shown = (one for one in placed if one.span.end > 0)
    return PlacedLines(tuple(sorted(shown, key=lambda one: one.span.start)), left_out)


class _Search:
    """Looks for lines in a reference."""

    def __init__(self, reference: Sequence[Caption], clock: Clock) -> None:
        self.reference, self.clock = reference, clock
        self.starts = [caption.span.start for caption in reference]
        self.words = [frozenset(_words(caption)) for caption in reference]

    def by_words(self, line: Caption) -> _Found | None:
        """Return where the words of a line are said, by its own piece of the clock or the next to it."""
        own = self.clock.piece_at(line.span.start)
        words, best, found = _words(line), HALF, None
        pieces = [own, *(piece for piece in (own - 1, own + 1) if self._may_be_in(line, own, piece))]
        least = 2 if len(pieces) > 1 else 1  # "no" is said everywhere
        for piece in pieces:
            span = self.clock.moved(line.span, piece)
            for k in range(*self._near(span.start)):
                if len(words & self.words[k]) < least:
                    continue
                late, shared = abs(self.starts[k] - span.start), _shared(words, self.words[k])
                if shared >= HALF and (score := shared + TIMED * (1 - late / NEAR_S)) > best:
                    best, found = (
                        score,
                        _Found(self.clock.span(line.span) if piece == own else span, k, piece),
                    )
        return found

    def between(
        self, lines: Sequence[Caption], before: _Found | None, after: _Found | None
    ) -> list[Span | None]:
        """Return the places of lines that were not found, between two that were."""
        if before is not None and after is not None and self._as_one(before.piece, after.piece):
            return [self.clock.span(line.span) for line in lines]
        spans: list[Span | None] = [None] * len(lines)
        low = self._follow(lines, spans, before, after, 1)
        high = self._follow(lines, spans, after, before, -1)
        for k, line in enumerate(lines):
            if spans[k] is None:
                spans[k] = self._beyond(line, before, after) or self._alone(line, low, high)
                low = low if spans[k] is None else bisect_right(self.starts, spans[k].start)  # type: ignore[union-attr]
        return spans

    def _may_be_in(self, line: Caption, own: int, other: int) -> bool:
        """Return whether the clock's break may be on the wrong side of a line."""
        pieces = self.clock.pieces
        if not 0 <= other < len(pieces):
            return False
        return line.span.start < pieces[own].first_s if other < own else line.span.start > pieces[own].last_s

    def _as_one(self, one: int, other: int) -> bool:
        """Return whether two pieces and all between them have nearly the same offset."""
        offsets = [piece.offset_s for piece in self.clock.pieces[one : other + 1]]
        return one == other or (bool(offsets) and max(offsets) - min(offsets) < NEAR_S)

    def _near(self, time: float) -> tuple[int, int]:
        """Return the range of the reference's lines that begin near a time."""
        return bisect_left(self.starts, time - NEAR_S), bisect_right(self.starts, time + NEAR_S)

    def _follow(
        self,
        lines: Sequence[Caption],
        spans: list[Span | None],
        found: _Found | None,
        other: _Found | None,
        step: int,
    ) -> int:
        """Place lines whose words differ while each is the next in both, and no other place has more of them.

        A line that may as well be the next from the other end is placed only where its words decide.

        Args:
            lines: those between two that were found.
            spans: their places, filled in.
            found: the line before all (step 1) or after all (step -1).
            other: the line at the other end.
            step: 1 or -1.

        Returns:
            The number of the reference's line that is next.
        """
        if found is None:
            return 0 if step > 0 else len(self.reference)
        number, end = found.number + step, len(self.reference) if step > 0 else -1
        free = range(*sorted((number, end if other is None else other.number)))
        for k in range(len(lines))[::step]:
            span, words = self._there(lines[k], number, found.piece), _words(lines[k])
            if spans[k] is not None or span is None:
                break
            shared = _shared(words, self.words[number])
            if any(_shared(words, self.words[place]) > shared for place in free):
                break
            rival = number
            if other is not None:
                rival = other.number - step * (len(lines) - k if step > 0 else k + 1)
            fits_there = rival != number and other and self._there(lines[k], rival, other.piece)
            if fits_there and shared <= _shared(words, self.words[rival]) + ALONE:
                break
            spans[k] = span
            number += step
        return number if step > 0 else number + 1

    def _there(self, line: Caption, number: int, piece: int) -> Span | None:
        """Return the place of a line by a piece of the clock if the reference has a line just there."""
        if not 0 <= number < len(self.reference):
            return None
        span, there = self.clock.moved(line.span, piece), self.reference[number].span
        return span if max(abs(there.start - span.start), abs(there.end - span.end)) <= NEXT_S else None

    def _beyond(self, line: Caption, before: _Found | None, after: _Found | None) -> Span | None:
        """Return the place of a line before the reference's beginning or after its end."""
        span = self.clock.span(line.span)
        if not self.reference:
            return span
        early = before is None and span.end <= self.starts[0] + NEAR_S
        late = after is None and span.start >= max(one.span.end for one in self.reference) - NEAR_S
        return span if early or late else None

    def _alone(self, line: Caption, low: int, high: int) -> Span | None:
        """Return the one place between two lines of the reference where the words of a line are said."""
        words = _words(line)
        scores = sorted((_shared(words, self.words[k]), k) for k in range(low, high))
        if len(words) < 3 or not scores or scores[-1][0] < HALF:
            return None
        if len(scores) > 1 and scores[-2][0] > scores[-1][0] - ALONE:
            return None
        start = self.starts[scores[-1][1]]
        return Span(start, start + self.clock.rate * line.span.duration)


def _in_order(found: list[_Found | None]) -> None:
    """Forget what is found between two of another piece: a chance."""
    known = [k for k, one in enumerate(found) if one is not None]
    pieces = [one.piece for one in found if one is not None]
    for before, here, after in zip(
        range(len(known)), range(1, len(known)), range(2, len(known)), strict=False
    ):
        if pieces[before] == pieces[after] != pieces[here]:
            found[known[here]] = None


def _words(line: Caption) -> frozenset[str]:
    return frozenset(token.word for token in spoken_tokens(line.text))


def _shared(ours: frozenset[str], theirs: frozenset[str]) -> float:
    return len(ours & theirs) / max(len(ours | theirs), 1)

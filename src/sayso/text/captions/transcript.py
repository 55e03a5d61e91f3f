"""What is said during a stretch of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from sayso.core.types import Caption, Span

TOLERANCE_S = 1e-9  # a caption cut into equal halves belongs to both windows, whatever rounding says

SHARED_WORDS = 3
"""Fewer words than these may be said twice."""


class Transcript(Sequence[Caption]):
    """Captions by start, ready to be asked many times what is said in a span.

    Args:
        captions: in any order.
    """

    def __init__(self, captions: Sequence[Caption]) -> None:
        self.captions = sorted(captions, key=lambda caption: caption.span)
        self.starts = np.array([caption.span.start for caption in self.captions], dtype=np.float64)
        self.ends = np.array([caption.span.end for caption in self.captions], dtype=np.float64)
        self.latest = np.maximum.accumulate(self.ends)  # the latest end among the captions so far

    @overload
    def __getitem__(self, index: int) -> Caption: ...
    @overload
    def __getitem__(self, index: slice) -> list[Caption]: ...
    def __getitem__(self, index: int | slice) -> Caption | list[Caption]:
        return self.captions[index]

    def __len__(self) -> int:
        return len(self.captions)

    def __iter__(self) -> Iterator[Caption]:
        return iter(self.captions)

    def within(self, span: Span) -> list[Caption]:
        """Return the captions that belong to a span, by start.

        A caption belongs to a span that holds at least half of it, or that it fills
        at least half of. So of consecutive spans that cover a caption at least one
        gets it. A caption without duration belongs where it starts.

        Binary search finds the stretch of captions that touch the span: O(log n + hits)
        unless a caption far longer than its neighbours is still running.
        """
        low = int(np.searchsorted(self.latest, span.start, side="left"))
        instant = span.duration == 0
        high = int(np.searchsorted(self.starts, span.end, side="right" if instant else "left"))
        starts, ends = self.starts[low:high], self.ends[low:high]
        if instant:
            belongs = ends > span.start
        else:
            shared = np.minimum(ends, span.end) - np.maximum(starts, span.start)
            needed = np.minimum(ends - starts, span.duration) / 2
            belongs = shared >= needed - TOLERANCE_S
        return [self.captions[low + int(i)] for i in np.flatnonzero(belongs)]


def transcript_of(captions: Sequence[Caption], span: Span) -> str:
    """Return the words spoken in a span, on one line: the texts of the captions that belong to it.

    Args:
        captions: of one media file; a ``Transcript`` where many spans are asked for.
        span: seconds. Without duration (a frame) it has the captions shown at that moment.

    See ``Transcript.within`` for what belongs to a span: of consecutive windows at
    least one has every caption.
    """
    transcript = captions if isinstance(captions, Transcript) else Transcript(captions)
    return " ".join(caption.text.replace("\n", " ") for caption in transcript.within(span))


def join_spans(texts: Iterable[str | None]) -> str:
    """Return what is said in spans that follow each other; a caption that two of them have is there once.

    Args:
        texts: of each span, by start, as ``transcript_of`` gives them.
    """
    words: list[str] = []
    for text in filter(None, dict.fromkeys(texts)):
        more = text.split(" ")
        lengths = range(len(more), SHARED_WORDS - 1, -1)
        words += more[next((n for n in lengths if words[-n:] == more[:n]), 0) :]
    return " ".join(words)

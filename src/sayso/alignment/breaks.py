"""Where two copies of a film part: the break between two stretches of subtitles that have each an offset."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from sayso.core.types import Caption
from sayso.text.language.spoken import spoken_tokens

NEAR_S = 1.0
TIMED, PAUSED = 0.3, 0.05  # what a line at the right second, the longest pause, count beside the shared words
Map = Callable[[float], float]


def find_break(
    captions: Sequence[Caption],
    reference: Sequence[Caption],
    between: tuple[float, float],
    maps: tuple[Map, Map],
) -> float:
    """Return the time of the captions at which the first map gives way to the second.

    Each line between the two times is looked for in the reference where either map would have it; the break
    is where most lines are found, and of equal places the one in the longest pause.

    Args:
        captions: of the other copy.
        reference: with the film's times, by start.
        between: the last time that is surely before the break, and the first that is surely after it.
        maps: from times of the captions to times of the film, before and after the break.
    """
    low, high = between
    inside = [c for c in captions if low - NEAR_S < c.span.start < high]  # lines may overlap a little
    inside.sort(key=lambda caption: caption.span.start)
    starts = [caption.span.start for caption in reference]
    before, after = (
        [_agreement(c, where(c.span.start), reference, starts) for c in inside] for where in maps
    )
    edges = _pauses(inside, low, high)
    longest = max((end - start for start, end in edges), default=0.0) or 1.0
    scores = [
        sum(before[:k]) + sum(after[k:]) + PAUSED * (end - start) / longest
        for k, (start, end) in enumerate(edges)
    ]
    start, end = edges[scores.index(max(scores))]
    return (start + end) / 2


def _pauses(inside: Sequence[Caption], low: float, high: float) -> list[tuple[float, float]]:
    """Return the pause before each line, and after the last; of no length where lines overlap."""
    ends = [low, *(min(caption.span.end, high) for caption in inside)]
    starts = [*(caption.span.start for caption in inside), high]
    return [(min(end, start), start) for end, start in zip(ends, starts, strict=True)]


def _agreement(caption: Caption, time: float, reference: Sequence[Caption], starts: Sequence[float]) -> float:
    """Return how well a line fits what the reference has at a time."""
    words, best = {token.word for token in spoken_tokens(caption.text)}, 0.0
    for number in range(bisect_left(starts, time - NEAR_S), len(starts)):
        late = abs(starts[number] - time)
        if late > NEAR_S:
            break
        theirs = {token.word for token in spoken_tokens(reference[number].text)}
        shared = len(words & theirs) / max(len(words | theirs), 1)
        best = max(best, shared + TIMED * (1 - late / NEAR_S))
    return best

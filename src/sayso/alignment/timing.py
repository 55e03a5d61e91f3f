"""When each element of the script happens, and the confidence of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.alignment.matching import Matches
from sayso.alignment.words import ScriptWords, SpokenWords
from sayso.core.types import Span
from sayso.text.screenplay.elements import Element

AROUND = 3  # speeches to each side whose words give the confidence of a description
LEAST_SHARE = 0.25  # of a speech's words that must be found, or it could not be placed
USUAL_GAP_S = 60.0  # a description between speeches further apart is trusted less


@dataclass(frozen=True, slots=True)
class TimedElement:
    """An element of the script with its time; ``span`` is None where it could not be placed.

    ``matched`` is the share of words found: its own for dialogue, of the speech around for all else.
    ``moved`` says that the subtitles have it in another order than the script.
    """

    element: Element
    span: Span | None
    confidence: float
    matched: float
    moved: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return kind, speaker, text, times and score (the confidence), ready for JSON."""
        kind = "description" if self.element.kind == "parenthetical" else self.element.kind
        return {
            "kind": kind,
            "speaker": self.element.speaker,
            "text": self.element.text,
            "start_s": None if self.span is None else round(self.span.start, 3),
            "end_s": None if self.span is None else round(self.span.end, 3),
            "score": round(self.confidence, 3),
        }


def place_elements(
    elements: Sequence[Element], script: ScriptWords, spoken: SpokenWords, matches: Matches
) -> list[TimedElement]:
    """Return every element with its time: speech from its words, the rest from the speech around it.

    Args:
        elements: of the script.
        script: their words.
        spoken: the words of the subtitles, with their times.
        matches: the pairs of words that hold.
    """
    sizes = np.bincount(script.element, minlength=len(elements)) if len(elements) else np.zeros(0, np.int64)
    placed = [TimedElement(element, None, 0.0, 0.0) for element in elements]
    owner = script.element[matches.pairs[:, 0]]
    bounds = np.searchsorted(owner, np.arange(len(elements) + 1))
    for k, element in enumerate(elements):
        low, high = int(bounds[k]), int(bounds[k + 1])
        if high > low:
            own = Matches(matches.pairs[low:high], matches.trust[low:high], matches.moved[low:high])
            placed[k] = _place_speech(element, int(sizes[k]), spoken, own)
    _place_descriptions(placed)
    _place_headings(placed)
    return placed


def _place_speech(element: Element, size: int, spoken: SpokenWords, own: Matches) -> TimedElement:
    """Place a speech from its first to its last word found, in the order it is spoken."""
    rows, first = np.unique(own.pairs[:, 0], return_index=True)
    share = len(rows) / size
    confidence = float(own.trust[first].sum()) / size
    if share < LEAST_SHARE:
        return TimedElement(element, None, confidence, share)
    columns = _together(own.pairs[:, 1])
    span = Span(float(spoken.start[columns].min()), float(spoken.end[columns].max()))
    return TimedElement(element, span, confidence, share, bool(own.moved.mean() > 0.5))


def _together(columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest group of spoken words without a long gap: the rest of a speech cannot be far."""
    ordered = np.sort(columns)
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > 60) + 1)
    return max(groups, key=len)


def _place_descriptions(placed: list[TimedElement]) -> None:
    """Place what is no speech between the end of the speech before and the start of the one after."""
    speech = [k for k, item in enumerate(placed) if item.element.kind == "dialogue"]
    timed = [k for k in speech if placed[k].span is not None]
    all_at, timed_at = np.array(speech, np.int64), np.array(timed, np.int64)
    for k, item in enumerate(placed):
        if item.element.kind not in ("description", "parenthetical", "transition"):
            continue
        at = int(np.searchsorted(timed_at, k))
        around = int(np.searchsorted(all_at, k))
        matched = _share(placed, speech[max(0, around - AROUND) : around + AROUND])
        if item.element.kind == "parenthetical" and (span := _own_speech(placed, k)):
            placed[k] = TimedElement(item.element, span, matched, matched)
            continue
        before = placed[timed[at - 1]].span if at else Span(0.0, 0.0)
        after = placed[timed[at]].span if at < len(timed) else None
        span = _between(before, after)
        skipped = around - (int(np.searchsorted(all_at, timed[at - 1])) + 1 if at else 0)
        skipped += (int(np.searchsorted(all_at, timed[at])) - around) if at < len(timed) else 0
        confidence = matched / (1 + skipped) * _trust_gap(span)
        placed[k] = TimedElement(item.element, span, confidence, matched)


def _own_speech(placed: Sequence[TimedElement], k: int) -> Span | None:
    """Return the time of the speech that a parenthetical stands in."""
    for near in (k + 1, k - 1):
        if 0 <= near < len(placed):
            item = placed[near]
            if item.element.kind == "dialogue" and item.element.speaker == placed[k].element.speaker:
                return item.span
    return None


def _share(placed: Sequence[TimedElement], speech: Sequence[int]) -> float:
    """Return the mean confidence of speeches, by length: the share of their words that was found."""
    sizes = [len(placed[k].element.text) for k in speech]
    total = sum(sizes)
    if not total:
        return 0.0
    return sum(placed[k].confidence * size for k, size in zip(speech, sizes, strict=True)) / total


def _between(before: Span | None, after: Span | None) -> Span | None:
    if before is None or after is None or after.start <= before.end:
        return None
    return Span(before.end, after.start)


def _trust_gap(span: Span | None) -> float:
    return min(1.0, USUAL_GAP_S / span.duration) if span else 0.0


def _place_headings(placed: list[TimedElement]) -> None:
    """A heading lasts as long as the speech of its scene."""
    heads = [k for k, item in enumerate(placed) if item.element.kind == "heading"]
    for head, after in zip(heads, [*heads[1:], len(placed)], strict=False):
        speech = [k for k in range(head + 1, after) if placed[k].element.kind == "dialogue"]
        spans = [span for k in speech if (span := placed[k].span) is not None]
        share = _share(placed, speech)
        span = Span(min(s.start for s in spans), max(s.end for s in spans)) if spans else None
        placed[head] = TimedElement(placed[head].element, span, share if spans else 0.0, share)

"""Narration windows: when steps may happen in a video, from its captions.

People do what they say roughly when they say it: a step's window begins ``before_s`` before a mention of it
and ends ``after_s`` after it. Where the steps' names are known, a caption mentions a step if it has at least
half of the step's words, in any form; a word that other steps of the task have too counts less: of "pour
water" and "pour milk", "milk" names the second.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.core.types import Caption, Span
from sayso.text.language.actions import base_form
from sayso.text.language.narration import narrated_sentences, singular

_EMPTY = frozenset(
    ("a", "an", "and", "at", "for", "from", "in", "it", "of", "on", "or", "the", "to", "with", "your")
)
_ENOUGH = 0.5  # of a step's words, by weight
_LONG = 12  # words: where a transcript has no full stops, sentences are cut into pieces of so many


def span_windows(
    spans: Sequence[Span | None],
    rows: int,
    *,
    rate: float = 1.0,
    before_s: float = 0.0,
    after_s: float = 10.0,
) -> NDArray[np.int64]:
    """Return the rows of a video in which each step may happen, (C, 2): the first, and one past the last.

    Args:
        spans: when each of the C steps is mentioned, seconds; None: it is not, and may be anywhere.
        rows: T, rows of the video's features.
        rate: rows a second.
        before_s: how long before its mention a step may begin, seconds.
        after_s: how long after it may end.
    """
    windows = np.tile(np.array([0, rows], dtype=np.int64), (len(spans), 1))
    for c, span in enumerate(spans):
        if span is not None:
            first = int(np.clip(np.floor((span.start - before_s) * rate), 0, rows - 1))
            windows[c] = first, int(np.clip(np.ceil((span.end + after_s) * rate), first + 1, rows))
    return windows


def mention_windows(
    captions: Sequence[Caption],
    steps: Sequence[str],
    seconds: int,
    *,
    before_s: float = 0.0,
    after_s: float = 10.0,
) -> NDArray[np.bool_]:
    """Return the seconds in which each named step may happen, (T, C); none where it is not mentioned.

    Args:
        captions: the narration.
        steps: names of the C steps.
        seconds: T.
        before_s: how long before its mention a step may begin, seconds.
        after_s: how long after it may end.
    """
    wanted = [_words(step) for step in steps]
    shared = Counter(word for words in wanted for word in words)
    windows = np.zeros((seconds, len(steps)), dtype=bool)
    for sentence in _sentences(captions):
        present = _words(sentence.text)
        for c, words in enumerate(wanted):
            weights = {word: 1 / shared[word] for word in words}
            found = sum(weight for word, weight in weights.items() if word in present)
            if words and found >= _ENOUGH * sum(weights.values()):
                first = max(0, int(np.floor(sentence.span.start - before_s)))
                windows[first : max(first, int(np.ceil(sentence.span.end + after_s))), c] = True
    return windows


def _sentences(captions: Sequence[Caption]) -> list[Caption]:
    """Return sentences, or the captions as they are where sentences have no ends."""
    sentences = narrated_sentences(captions)
    if any(len(sentence.text.split()) > 2 * _LONG for sentence in sentences):
        return list(captions)
    return sentences


def _words(text: str) -> frozenset[str]:
    """Return the words of a text that mean something, as nouns in the singular and verbs without endings."""
    found = (word for word in re.findall(r"[^\W_]+", text.lower()) if word not in _EMPTY)
    return frozenset(base_form(singular(word)) for word in found)

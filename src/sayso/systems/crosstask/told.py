"""When narration tells of steps whose names are known.

A line tells of a step if it has at least half of the step's words, in any form; a word that other
steps of the task have too counts less: of "pour water" and "pour milk", "milk" tells the second.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.core.types import Caption
from sayso.text.language.actions import base_form
from sayso.text.language.narration import narrated_sentences, singular

_EMPTY = frozenset(
    ("a", "an", "and", "at", "for", "from", "in", "it", "of", "on", "or", "the", "to", "with", "your")
)
_ENOUGH = 0.5  # of a step's words, by weight
_LONG = 12  # words: where nobody heard full stops, sentences are cut into pieces of so many


def told_windows(
    captions: Sequence[Caption],
    steps: Sequence[str],
    seconds: int,
    *,
    before_s: float = 0.0,
    after_s: float = 10.0,
) -> NDArray[np.bool_]:
    """Return the seconds in which narration lets each step be, (T, K); none where it is not told of.

    People do what they say roughly when they say it.

    Args:
        captions: what is said.
        steps: names of the K steps.
        seconds: T.
        before_s: how long before it is told of a step may be.
        after_s: how long after.
    """
    wanted = [_words(step) for step in steps]
    shared = Counter(word for words in wanted for word in words)
    windows = np.zeros((seconds, len(steps)), dtype=bool)
    for line in _lines(captions):
        said = _words(line.text)
        for k, words in enumerate(wanted):
            weights = {word: 1 / shared[word] for word in words}
            heard = sum(weight for word, weight in weights.items() if word in said)
            if words and heard >= _ENOUGH * sum(weights.values()):
                first = max(0, int(np.floor(line.span.start - before_s)))
                windows[first : max(first, int(np.ceil(line.span.end + after_s))), k] = True
    return windows


def _lines(captions: Sequence[Caption]) -> list[Caption]:
    """Return sentences, or the captions as they are where sentences have no ends."""
    sentences = narrated_sentences(captions)
    if any(len(sentence.text.split()) > 2 * _LONG for sentence in sentences):
        return list(captions)
    return sentences


def _words(text: str) -> frozenset[str]:
    """Return the words of a text that say something, as nouns in the singular and verbs without endings."""
    found = (word for word in re.findall(r"[^\W_]+", text.lower()) if word not in _EMPTY)
    return frozenset(base_form(singular(word)) for word in found)

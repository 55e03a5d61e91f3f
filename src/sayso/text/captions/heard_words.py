"""Words that a recogniser heard, cut into captions to read: at pauses, then to a length of words and seconds.

The cuts go by the times of the words, never by the recogniser's own segments, which run to half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sayso.core.types import Caption, Span

BREATH_S = 0.6
"""A silence between two words that parts two captions, seconds."""

MOST_WORDS, MOST_S = 10, 5.0
_AFTER_SENTENCE, _AFTER_PHRASE = 0.6, 0.3  # as good a place to cut as so many seconds of silence
_ENDS = dict.fromkeys(".?!…。？！", _AFTER_SENTENCE) | dict.fromkeys(",;:、，", _AFTER_PHRASE)


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word that was heard.

    Args:
        text: without spaces around it, but for languages written without any.
        start: seconds.
        end: seconds.
        probability: how sure the recogniser is.
        spaced: whether a space stands before it.
    """

    text: str
    start: float
    end: float
    probability: float = 1.0
    spaced: bool = True


def caption_words(words: Sequence[HeardWord]) -> list[Caption]:
    """Return captions of at most ``MOST_WORDS`` words and ``MOST_S`` seconds that no pause runs through.

    Args:
        words: in the order in which they are said.
    """
    captions = []
    for utterance in _utterances(words):
        for group in _shortened(utterance):
            text = "".join(" " * word.spaced + word.text for word in group).strip()
            start = group[0].start
            captions.append(Caption(Span(start, min(max(start, group[-1].end), start + MOST_S)), text))
    return captions


def _utterances(words: Sequence[HeardWord]) -> Iterator[Sequence[HeardWord]]:
    first = 0
    for k, (word, following) in enumerate(pairwise(words), 1):
        if following.start - word.end >= BREATH_S:
            yield words[first:k]
            first = k
    if words:
        yield words[first:]


def _shortened(words: Sequence[HeardWord]) -> Iterator[Sequence[HeardWord]]:
    """Halve what is too long, at the best place near the middle."""
    waiting = [words]
    while waiting:
        group = waiting.pop()
        if len(group) == 1 or (len(group) <= MOST_WORDS and group[-1].end - group[0].start <= MOST_S):
            yield group
            continue
        at = max(range(1, len(group)), key=lambda k: _fitness(group, k))
        waiting += [group[at:], group[:at]]


def _fitness(words: Sequence[HeardWord], at: int) -> float:
    """Return how good it is to cut before a word: after a sentence, at a silence, in the middle."""
    silence = max(0.0, words[at].start - words[at - 1].end)
    off_middle = abs(at / len(words) - 0.5)
    return silence + _ENDS.get(words[at - 1].text[-1:], 0.0) - 2 * off_middle

"""Words with times, as speech recognisers give them, gathered into captions.

Where the transcript is punctuated, a caption is a sentence, from its first word
to its last; where it is not, a caption is a line as it was shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sayso.core.types import PAUSE_S
from sayso.text.captions.collector import CaptionCollector

STOP = re.compile(r"""[.?!…。？！][)"'”’»\]]*$""")
START = re.compile(r"\s*(>>|\[)")
WORDS_A_SENTENCE = 40  # a transcript with fewer sentence ends than this is not punctuated
LONGEST_S = 15.0
LONGEST_WORD_S = 2.0  # a line stays on the screen through the silence after its last word


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word (or what the file times as one), with its spaces.

    Args:
        text: as written, with leading and trailing spaces.
        start: when it is first shown, seconds.
        end: when the next word begins or the line ends, seconds.
        row: number of the shown line it belongs to.
        line: line of the file.
    """

    text: str
    start: float
    end: float
    row: int
    line: int | None


def add_word_captions(words: Sequence[TimedWord], collector: CaptionCollector, *, timed: bool) -> None:
    """Gather words into captions and add them.

    Args:
        words: in the order they are spoken.
        collector: where the captions go.
        timed: whether each word's time is known; else only that of its line, and lines stay whole.
    """
    ends = sum(1 for word in words if _stops(word))
    if timed and ends * WORDS_A_SENTENCE >= len(words) > 0:
        groups = _sentences(words)
    else:
        groups = [list(group) for _, group in groupby(words, key=lambda word: word.row)]
    for group in groups:
        rows = groupby(group, key=lambda word: word.row)
        text = "\n".join("".join(word.text for word in row) for _, row in rows)
        end = max(word.end for word in group)
        if timed and not _is_sound(group[-1]):
            end = min(end, group[-1].start + LONGEST_WORD_S)
        collector.add(group[0].line, group[0].start, end, text)


def _sentences(words: Sequence[TimedWord]) -> list[list[TimedWord]]:
    """Cut after sentences, before another speaker, at long pauses, and at a line end when it gets long."""
    groups: list[list[TimedWord]] = []
    for word in words:
        if not groups or _begins(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    return groups


def _begins(group: list[TimedWord], word: TimedWord) -> bool:
    last = group[-1]
    if _stops(last) or _is_sound(last) or START.match(word.text):
        return True
    if word.row == last.row:
        return False
    return word.start - last.end > PAUSE_S or word.start - group[0].start > LONGEST_S


def _is_sound(word: TimedWord) -> bool:
    """Say whether it stands for music or laughter: ``[Music]``."""
    return word.text.rstrip().endswith("]")


def _stops(word: TimedWord) -> bool:
    return STOP.search(word.text.rstrip()[-8:]) is not None

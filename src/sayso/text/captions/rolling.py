"""Captions that roll: each new line pushes the one before it up, so that a line is shown two or three times.

So are YouTube's automatic captions as the usual tools save them (in WebVTT with a
time stamp before each word, in SRT without) and roll-up captions of television:

    0.16 --> 2.39   we glue the wood
    2.39 --> 2.40   we glue the wood
    2.40 --> 4.31   we glue the wood / and clamp it

A cue's first lines that repeat the last lines of the cue before it are old; the
rest is spoken now. Each word is kept once, at the time it first appears.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sayso.text.captions.clock import TIME, parse_time
from sayso.text.captions.markup import clean_text, strip_tags
from sayso.text.captions.timed_words import TimedWord

WORD_TIME = re.compile(rf"<({TIME})>")
REMNANT_S = 1.0
MOST_ROWS = 8  # nothing rolls with more lines on the screen


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue as it stands in the file: times in seconds, lines with their markup."""

    line: int
    start: float
    end: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A line on the screen: as marked up, and its words alone."""

    marked: str
    text: str


def has_word_times(cues: Sequence[Cue]) -> bool:
    """Say whether any cue carries a time stamp inside its text."""
    return any(WORD_TIME.search(line) for cue in cues for line in cue.lines)


def is_rolling(cues: Sequence[Cue]) -> bool:
    """Say whether at least half of the cues begin with what the cue before them showed."""
    screens = [_screen(cue) for cue in cues]
    repeats = 0
    for before, screen, cue in zip(screens, screens[1:], cues[1:], strict=False):
        old = _overlap(before, screen)
        repeats += 0 < old < len(screen) or (0 < old == len(screen) and cue.end - cue.start <= REMNANT_S)
    least = 1 if has_word_times(cues) else 2
    return repeats >= least and 2 * repeats >= len(cues) - 1


def unroll(cues: Sequence[Cue]) -> list[TimedWord]:
    """Return each word once, in the order spoken, from the time it first appears."""
    words: list[TimedWord] = []
    before: list[Shown] = []
    row = 0
    for cue in cues:
        screen = _screen(cue)
        old = _overlap(before, screen)
        for shown in screen[old:]:
            words += _words(shown, cue, row)
            row += 1
        if words and old and old == len(screen) and cue.end - cue.start <= REMNANT_S:
            words[-1] = replace(words[-1], end=max(words[-1].end, cue.end))
        before = screen
    return words


def _screen(cue: Cue) -> list[Shown]:
    lines = [Shown(line, clean_text(strip_tags(line))) for line in cue.lines]
    return [line for line in lines if line.text]


def _overlap(before: list[Shown], screen: list[Shown]) -> int:
    """Return how many first lines of a screen were the last lines of the one before; timed lines are new."""
    most = min(len(before), len(screen))
    for count in range(most if most <= MOST_ROWS else 0, 0, -1):
        old = screen[:count]
        if [line.text for line in before[-count:]] == [line.text for line in old] and not any(
            WORD_TIME.search(line.marked) for line in old
        ):
            return count
    return 0


def _words(shown: Shown, cue: Cue, row: int) -> list[TimedWord]:
    """Cut a line at its time stamps; what stands before the first appears with the cue."""
    first, *rest = WORD_TIME.split(shown.marked)
    starts = [cue.start, *(parse_time(time) or cue.start for time in rest[::2])]
    starts = [min(max(start, cue.start), cue.end) for start in starts]
    parts = [strip_tags(part) for part in (first, *rest[1::2])]
    ends = [*starts[1:], cue.end]
    return [
        TimedWord(part, start, max(start, end), row, cue.line)
        for part, start, end in zip(parts, starts, ends, strict=True)
        if part.strip()
    ]

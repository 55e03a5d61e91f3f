"""SubRip (SRT) and SubViewer: blocks of a timing line and the lines shown.

SRT has no standard, so it is read as players read it: counters may be missing or
wrong, text may hold blank lines, times may use a dot or a comma.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sayso.text.captions.clock import TIME, parse_time
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.markup import split_lines, split_voices, strip_tags
from sayso.text.captions.rolling import Cue, has_word_times, is_rolling, unroll
from sayso.text.captions.timed_words import add_word_captions

# An arrow stands between any two times, another sign only between full ones: people say "10:30 - 11:45".
FULL = TIME.replace(r"(?:\d{1,6}:)?", r"\d{1,6}:")
TIMING = re.compile(
    rf"\s*(?:({TIME})\s*(?:[-–—=]{{1,3}}\s?>|→)\s*({TIME})|({FULL})\s*(?:-{{1,3}}|[–—,])\s*({FULL}))(?:\s.*)?$"
)
CLOCK = r"\W{0,3}\d{1,3}:\d{1,2}:\d{1,2}"
NEARLY = re.compile(rf".*-->|{CLOCK}([,.]\d{{1,3}})?\W*$|{CLOCK}\b.*[->,]\s*\d+:")
LONGEST_TIMING = 300
COUNTER = re.compile(r"\s*(\d{1,9})\s*$")
EXPECTED = "expected a timing line such as '00:00:05,000 --> 00:00:07,500'"


def read_srt(text: str, collector: CaptionCollector) -> None:
    """Read SubRip, and SubViewer, whose header before the first cue is passed over."""
    reader = _Srt(collector, header="[INFORMATION]" in text[:2000].upper())
    for number, line in enumerate(split_lines(text), 1):
        reader.take(number, line)
    reader.finish()
    add_cues([Cue(cue.line, cue.start, cue.end, tuple(cue.lines)) for cue in reader.cues], collector)


class _Open:
    """A cue whose lines are still coming."""

    def __init__(self, line: int, match: re.Match[str], counter: int | None) -> None:
        self.line = line
        self.start, self.end = cue_times(match)
        self.counter = counter
        self.lines: list[str] = []

    def take_counter(self) -> int | None:
        """Remove and return the number that ends the lines, if it counts the next cue and is not said."""
        match = COUNTER.match(self.lines[-1]) if self.lines else None
        if match is None:
            return None
        number = int(match[1])
        alone = not any(line.strip() for line in self.lines[:-1])
        if len(self.lines) == 1 and alone and self.counter is not None and number != self.counter + 1:
            return None
        self.lines.pop()
        return number


class _Srt:
    """The state of reading SubRip line by line."""

    def __init__(self, collector: CaptionCollector, header: bool) -> None:
        self.collector = collector
        self.cues: list[_Open] = []
        self.open: _Open | None = None
        self.skipping = header
        self.before = ["", ""]  # the two lines before this one

    def take(self, number: int, line: str) -> None:
        """Take the next line of the file."""
        match = match_timing(line)
        if match:
            self.open = _Open(number, match, self.counter())
            self.cues.append(self.open)
        elif self.at_head() and NEARLY.match(line[:LONGEST_TIMING]):
            self.counter()
            self.collector.skip(number, f"{EXPECTED}, found {line.strip()[:60]!r}")
            self.open, self.skipping = None, True
        elif self.open:
            self.open.lines.append(line)
        elif line.strip() and not COUNTER.match(line) and not self.skipping:
            self.collector.skip(number, f"{EXPECTED} before any text, found {line.strip()[:60]!r}")
            self.skipping = True
        self.before = [self.before[1], line]

    def at_head(self) -> bool:
        """Say whether a block may begin here: after a blank line, or after a blank line and a counter."""
        older, last = self.before
        return not last.strip() or (COUNTER.match(last) is not None and not older.strip())

    def counter(self) -> int | None:
        """Take the number before a timing line, if there is one."""
        if self.open:
            return self.open.take_counter()
        match = COUNTER.match(self.before[1])
        return int(match[1]) if match else None

    def finish(self) -> None:
        """Report a counter at the end that no cue follows: the file was cut off there."""
        if not self.open or self.open.counter is None:
            return
        while self.open.lines and not self.open.lines[-1].strip():
            self.open.lines.pop()
        lines = self.open.lines
        if len(lines) > 1 and not lines[-2].strip() and lines[-1].strip() == str(self.open.counter + 1):
            line = self.open.line + len(lines)
            lines.pop()
            self.collector.skip(line, f"{EXPECTED} after the cue's number, but the file ends")


def match_timing(line: str) -> re.Match[str] | None:
    """Match a timing line; None for any other line."""
    return TIMING.match(line) if len(line) <= LONGEST_TIMING else None


def cue_times(match: re.Match[str]) -> tuple[float, float]:
    """Return start and end of a timing line, seconds."""
    return parse_time(match[1] or match[3]) or 0.0, parse_time(match[2] or match[4]) or 0.0


def add_cues(cues: Sequence[Cue], collector: CaptionCollector) -> None:
    """Add cues as captions: unrolled where they roll, and split by speaker where voices are named."""
    forward = [cue for cue in cues if cue.start <= cue.end]
    if is_rolling(forward):
        add_word_captions(unroll(forward), collector, timed=has_word_times(forward))
        cues = [cue for cue in cues if cue.start > cue.end]
    for cue in cues:
        marked = "\n".join(cue.lines).replace("[br]", "\n")
        for speaker, part in split_voices(marked):
            collector.add(cue.line, cue.start, cue.end, strip_tags(part), speaker)

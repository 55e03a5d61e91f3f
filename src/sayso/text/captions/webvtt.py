"""WebVTT, and the segments of it that HTTP Live Streaming serves, one after the other in a file.

A cue ends at the first empty line, as the standard says
(https://www.w3.org/TR/webvtt1/). A segment of HLS says in X-TIMESTAMP-MAP when its
clock is what on the clock of the stream (RFC 8216, 3.5); times are counted from the
first segment's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sayso.text.captions.clock import TIME, parse_time
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.cues import COUNTER, EXPECTED, add_cues, cue_times, match_timing
from sayso.text.captions.markup import split_lines
from sayso.text.captions.rolling import Cue

START = re.compile(r"\ufeff?WEBVTT(?:[ \t].*)?$")
TIMESTAMP_MAP = re.compile(r"\s*X-TIMESTAMP-MAP\s*=(.*)", re.IGNORECASE)
MPEGTS = re.compile(r"MPEGTS:\s*(\d{1,12})", re.IGNORECASE)
LOCAL = re.compile(rf"LOCAL:\s*({TIME})", re.IGNORECASE)
# YouTube writes "Style:", and ends its style sheet with "##".
SKIPPED = re.compile(
    r"(?:NOTE|STYLE|REGION)(?:\s|$)|(?i:style|region|kind|language):|::cue|##|\s*X-TIMESTAMP-MAP"
)
TICKS_S = 90_000
WRAP = 2**33  # MPEG-TS counts its ticks in 33 bits


def read_vtt(text: str, collector: CaptionCollector) -> None:
    """Read WebVTT: headers, notes, styles and regions are passed over, segments are put on one clock."""
    lines = split_lines(text)
    starts = [k for k in range(len(lines)) if k == 0 or _starts_segment(lines, k)]
    cues: list[Cue] = []
    first: float | None = None
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        offset = _offset(lines[start:end])
        if offset is not None and first is None:
            first = offset
        shift = _unwrapped(offset - first) if offset is not None and first is not None else 0.0
        for cue in _segment(lines, start, end, collector):
            begin, until = round(cue.start + shift, 6), round(cue.end + shift, 6)
            cues.append(replace(cue, start=begin, end=until) if shift else cue)
    add_cues(list({(cue.start, cue.end, cue.lines): cue for cue in reversed(cues)}.values())[::-1], collector)


def _starts_segment(lines: Sequence[str], at: int) -> bool:
    """Say whether a line begins a further segment: a header, after a blank line or before a time map."""
    if not START.match(lines[at]):
        return False
    mapped = at + 1 < len(lines) and TIMESTAMP_MAP.match(lines[at + 1])
    return bool(mapped) or not lines[at - 1].strip()


def _offset(segment: Sequence[str]) -> float | None:
    """Return the second of the stream at which a segment's clock is 0, None if it does not say."""
    for line in segment:
        if "-->" in line:
            return None
        match = TIMESTAMP_MAP.match(line)
        ticks = MPEGTS.search(match[1]) if match else None
        if match and ticks:
            local = LOCAL.search(match[1])
            return int(ticks[1]) / TICKS_S - ((parse_time(local[1]) or 0.0) if local else 0.0)
    return None


def _unwrapped(shift: float) -> float:
    """Return a difference of two times of the stream as the clock of 33 bits means it."""
    cycle = WRAP / TICKS_S
    return shift - cycle * round(shift / cycle)


def _segment(lines: Sequence[str], start: int, end: int, collector: CaptionCollector) -> Iterator[Cue]:
    """Yield the cues of the lines from ``start`` to ``end``, which begin with a header."""
    cues: list[Cue] = []
    block: list[str] = []
    header = next((i for i in range(start + 1, end) if not lines[i] or "-->" in lines[i]), end)
    for i in range(header, end + 1):
        line = lines[i] if i < end else ""
        if line:
            block.append(line)
        elif any(line.strip() for line in block) and not SKIPPED.match(block[0]):
            _add_block(cues, block, i - len(block) + 1, collector)
        if not line:
            block = []
    yield from cues


def _add_block(cues: list[Cue], block: list[str], first: int, collector: CaptionCollector) -> None:
    """Add the cues of one block, which begins at line ``first``: more than one if blank lines lack."""
    timings = [(i, match) for i, line in enumerate(block) if (match := match_timing(line))]
    if not timings and cues and not cues[-1].lines and cues[-1].line == first - 2:
        # Somebody's editor emptied the line of one space that YouTube begins a cue with.
        cues[-1] = replace(cues[-1], lines=tuple(block))
    elif not timings or timings[0][0] > 1:
        wrong = next((i for i, line in enumerate(block) if "-->" in line), 0)
        collector.skip(first + wrong, f"{EXPECTED.replace(',', '.')}, found {block[wrong].strip()[:60]!r}")
    ends = [i for i, _ in timings[1:]] + [len(block)]
    for (i, match), after in zip(timings, ends, strict=False):
        lines = block[i + 1 : after]
        if after < len(block) and lines and COUNTER.match(lines[-1]):
            lines.pop()
        cues.append(Cue(first + i, *cue_times(match), tuple(lines)))

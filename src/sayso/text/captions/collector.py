"""One caption file while it is read: its captions, and the problems of what could not be read."""

from __future__ import annotations

import math
from dataclasses import replace

from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.markup import clean_text
from sayso.text.captions.speaker_prefix import may_name_speakers, split_speakers

MOST_PROBLEMS = 100
# How long a caption without an end is read: half a second and 15 characters a second.
READING_S, CHARACTER_S = 0.5, 1 / 15


class CaptionCollector:
    """Collects the captions of one file, and the problems of what had to be left out.

    Args:
        name: the file, as messages name it.
        fps: frames a second of the media, for formats that count frames.
    """

    def __init__(self, name: str, fps: float | None = None) -> None:
        self.name = name
        self.fps = fps
        self.problems: list[SubtitleError] = []
        self.skipped = 0
        self.found: list[Caption] = []

    def error(self, line: int | None, message: str) -> SubtitleError:
        """Return the error that names the file, the line (from 1) and what is wrong there."""
        where = self.name if line is None else f"{self.name}, line {line}"
        return SubtitleError(f"{where}: {message}", line)

    def skip(self, line: int | None, message: str) -> None:
        """List the problem of a cue that is left out."""
        self.skipped += 1
        if self.skipped <= MOST_PROBLEMS:
            self.problems.append(self.error(line, message))
        elif self.skipped == MOST_PROBLEMS + 1:
            self.problems.append(self.error(line, "what cannot be read from here on is left out unlisted"))

    def add(
        self, line: int | None, start: float, end: float | None, text: str, speaker: str | None = None
    ) -> None:
        """Add a caption, in seconds; one without text is left out, senseless times are a problem.

        A time before the media begins becomes 0; an end that is missing or equals the
        start is estimated from the length of the text when all captions are known.

        Args:
            line: of the file.
            start: seconds.
            end: seconds; None if the file does not say.
            text: plain, with its line breaks.
            speaker: None if not named; then a prefix such as "[SPEAKER_00]:" names one.
        """
        if speaker is None and may_name_speakers(text):
            for name, words in split_speakers(text):
                self._add(line, (start, end), clean_text(words), name)
        else:
            self._add(line, (start, end), clean_text(text), speaker)

    def _add(
        self, line: int | None, times: tuple[float, float | None], text: str, speaker: str | None
    ) -> None:
        start, end = times[0], times[0] if times[1] is None else times[1]
        if not text:
            return
        if not (math.isfinite(start) and math.isfinite(end)):
            self.skip(line, f"expected times in seconds, found {start} to {end}")
        elif end < start:
            self.skip(line, f"expected a cue that ends after it starts, found {start:.3f} s to {end:.3f} s")
        elif end <= 0 and start < 0:
            self.skip(line, f"expected a cue after the media begins, found {start:.3f} s to {end:.3f} s")
        else:
            name = clean_text(speaker or "").replace("\n", " ") or None
            self.found.append(Caption(Span(max(start, 0.0), max(end, 0.0)), text, name))

    def captions(self) -> list[Caption]:
        """Return the captions by start, each once, all longer than nothing; overlaps stay."""
        ordered = sorted(dict.fromkeys(self.found), key=lambda caption: caption.span)
        after = math.inf
        for i in reversed(range(len(ordered))):
            span = ordered[i].span
            if i + 1 < len(ordered) and ordered[i + 1].span.start > span.start:
                after = ordered[i + 1].span.start
            if span.duration == 0:
                read = READING_S + CHARACTER_S * len(ordered[i].text)
                end = span.start + max(READING_S, min(read, after - span.start))
                ordered[i] = replace(ordered[i], span=Span(span.start, end))
        return sorted(ordered, key=lambda caption: caption.span)

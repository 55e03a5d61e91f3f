"""The spoken words of a script and of subtitles, with what they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.alignment.lines import SpokenLine
from sayso.core.types import Caption, Span
from sayso.text.language.spoken import spoken_tokens
from sayso.text.screenplay.elements import Element

# What a subtitle writes but nobody says: [LAUGHS], (sighs), ♪, and the label of a speaker.
UNSPOKEN = re.compile(
    r"\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}|<[^<>]*>|^\s*(?:-\s*)?[A-Z][A-Z.' ]+(?:\d+)?:(?=\s)", re.M
)


@dataclass(frozen=True, slots=True)
class ScriptWords:
    """The words of a script's dialogue in order: (N,) each, with the number of the element they are in."""

    words: list[str]
    element: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """The words of subtitles in order: (N,) each, with the number of their line and times in seconds."""

    words: list[str]
    line: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    lines: list[SpokenLine]


def script_words(elements: Sequence[Element]) -> ScriptWords:
    """Return the words of the dialogue among the elements."""
    found = [
        (token.word, number)
        for number, element in enumerate(elements)
        if element.kind == "dialogue"
        for token in spoken_tokens(element.text)
    ]
    return ScriptWords([word for word, _ in found], np.array([number for _, number in found], np.int64))


def spoken_words(captions: Sequence[Caption]) -> SpokenWords:
    """Return the words of captions; within a caption, time runs evenly over its characters.

    The first and last word of a line reach to the ends of the line's time.
    """
    rows: list[tuple[str, int, float, float]] = []
    lines: list[SpokenLine] = []
    for number, caption in enumerate(captions):
        spoken = UNSPOKEN.sub(lambda match: " " * len(match.group()), caption.text)
        offset = 0
        for text in spoken.split("\n"):
            span = _share(caption, offset, offset + len(text))
            lines.append(SpokenLine(text.strip(), span, number))
            found = spoken_tokens(text)
            for k, (word, start, end) in enumerate(found):
                first, last = start if k else 0, end if k + 1 < len(found) else len(text)
                time = _share(caption, offset + first, offset + last)
                rows.append((word, len(lines) - 1, time.start, time.end))
            offset += len(text) + 1
    return SpokenWords(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.array([row[3] for row in rows], np.float64),
        lines,
    )


def _share(caption: Caption, start: int, end: int) -> Span:
    """Return the time of some of a caption's characters."""
    length = max(len(caption.text), 1)
    span = caption.span
    return Span(
        span.start + span.duration * min(start, length) / length,
        span.start + span.duration * min(end, length) / length,
    )

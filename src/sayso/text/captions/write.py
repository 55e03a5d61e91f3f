"""Captions written as SubRip (SRT) or WebVTT."""

from __future__ import annotations

import html
from collections.abc import Iterable

from sayso.core.types import Caption
from sayso.text.captions.clock import format_time
from sayso.text.captions.markup import split_lines


def write_srt(captions: Iterable[Caption]) -> str:
    """Return captions as the text of an SRT file, by start. SRT knows no speakers: they are left out."""
    blocks = [
        f"{number}\n{_timing(caption, comma=True)}\n{_body(caption.text)}\n"
        for number, caption in enumerate(_by_start(captions), 1)
    ]
    return "\n".join(blocks)


def write_vtt(captions: Iterable[Caption], note: str = "") -> str:
    """Return captions as the text of a WebVTT file, by start, with speakers as voices, below a note."""
    blocks = ["WEBVTT\n", *([f"NOTE\n{_body(note).replace('-->', '->')}\n"] if note.strip() else [])]
    for caption in _by_start(captions):
        name = html.escape(" ".join((caption.speaker or "").split()), quote=False)
        voice = f"<v {name}>" if name else ""
        body = html.escape(_body(caption.text), quote=False)
        blocks.append(f"{_timing(caption, comma=False)}\n{voice}{body}\n")
    return "\n".join(blocks)


def _by_start(captions: Iterable[Caption]) -> list[Caption]:
    return sorted((caption for caption in captions if caption.text.strip()), key=lambda caption: caption.span)


def _timing(caption: Caption, *, comma: bool) -> str:
    """Write a timing line; a cue lasts a millisecond at least, since one without duration is never shown."""
    start = round(caption.span.start, 3)
    end = max(round(caption.span.end, 3), start + 0.001)
    return f"{format_time(start, comma)} --> {format_time(end, comma)}"


def _body(text: str) -> str:
    """Leave out blank lines, which would end the cue."""
    return "\n".join(line.strip() for line in split_lines(text) if line.strip())

"""Caption files: read in any of the usual formats, written as SRT or WebVTT.

The format is told by the content, not by the file's name. pysubs2 reads some of
these formats too, but names no line, drops what it does not understand without a
word (or a whole file for one broken line), and knows neither rolling captions nor
speakers; so the formats are read here, one file each, and it is the tests' peer.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from sayso.core.errors import SubtitleError
from sayso.core.types import Caption
from sayso.text.captions.clock import stamp
from sayso.text.captions.cues import read_srt, read_vtt, timing
from sayso.text.captions.encoding import decode
from sayso.text.captions.markup import split_lines
from sayso.text.captions.one_a_line import looks_like, read_one_a_line
from sayso.text.captions.reading import Reading
from sayso.text.captions.substation import read_substation
from sayso.text.captions.ttml import read_ttml
from sayso.text.captions.youtube import read_json3

LARGEST = 32 * 2**20
HEAD = 20000
SUBSTATION = re.compile(r"(?im)^[ \t]*(\[(Script Info|V4\+? Styles|Events)\]|Dialogue:)")
TTML = re.compile(r"<(\w+:)?tt[\s>]")
ARROW = "-->"
FORMATS = "SRT, WebVTT, ASS, TTML, YouTube json3, SubViewer, MicroDVD, MPL2 or TMPlayer"


def read_subtitles(
    path: str | os.PathLike[str], *, problems: list[SubtitleError] | None = None, fps: float | None = None
) -> list[Caption]:
    """Read a caption file: SRT, WebVTT, SubViewer, ASS, SSA, TTML, json3, MicroDVD, MPL2 or TMPlayer.

    Text comes without tags, entities and positions. Line breaks within a caption
    are spaces, except between speakers ("- a" / "- b"), where they stay. Speakers
    come from WebVTT voices, ASS names and TTML agents. Rolling captions, as YouTube
    makes them, are unrolled: each word once, when it is first shown.

    Args:
        path: the file, in UTF-8, UTF-16 or an old code page, which is guessed.
        problems: broken cues are listed here and left out; without a list the first one raises.
        fps: frames a second of the media, for MicroDVD files that do not say.

    Returns:
        Captions by start; those that overlap stay. An end that is missing or equals
        the start is estimated from the length of the text. An empty file gives [].

    Raises:
        SubtitleError: naming the file, the line and what was expected there: for a
            broken cue if ``problems`` is None, and always if the file as a whole
            cannot be read.
    """
    reading = Reading(os.fspath(path), problems, fps)
    data = _bytes(Path(path), reading)
    try:
        text, undecodable = decode(data)
    except ValueError as error:
        raise reading.error(None, f"expected captions, but the file {error}") from error
    if undecodable is not None:
        reading.broken(
            undecodable, "expected text in one encoding; save the file as UTF-8 and correct this line"
        )
    if text.strip():
        _reader(text, reading)(text, reading)
    return reading.captions()


def _bytes(path: Path, reading: Reading) -> bytes:
    try:
        if not path.is_file():
            what = "no file there" if not path.exists() else "no regular file"
            raise reading.error(None, f"expected a caption file, found {what}")
        size = path.stat().st_size
        if size > LARGEST:
            raise reading.error(
                None, f"expected captions of at most {LARGEST >> 20} MiB, found {size >> 20} MiB"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise reading.error(None, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _reader(text: str, reading: Reading) -> Callable[[str, Reading], None]:
    """Return the reader for the format that the text is in."""
    head = text[:HEAD].lstrip()
    lines = split_lines(head)
    one_a_line = looks_like(head) or ""
    formats: tuple[tuple[object, Callable[[str, Reading], None]], ...] = (
        (head.startswith("WEBVTT"), read_vtt),
        (head.startswith("<") and TTML.search(head), read_ttml),
        (SUBSTATION.search(head), read_substation),
        (any(map(timing, lines)), read_srt),
        (one_a_line, partial(read_one_a_line, name=one_a_line)),
        (head.startswith("{"), read_json3),
        (ARROW in head, read_srt),
    )
    for matches, reader in formats:
        if matches:
            return reader
    raise reading.error(None, f"expected {FORMATS} captions, found {lines[0].strip()[:60]!r}")


def write_srt(captions: Iterable[Caption]) -> str:
    """Return captions as the text of an SRT file, by start. SRT knows no speakers: they are left out."""
    blocks = [
        f"{number}\n{_timing(caption, comma=True)}\n{_body(caption.text)}\n"
        for number, caption in enumerate(_by_start(captions), 1)
    ]
    return "\n".join(blocks)


def write_vtt(captions: Iterable[Caption]) -> str:
    """Return captions as the text of a WebVTT file, by start, with speakers as voices."""
    blocks = ["WEBVTT\n"]
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
    return f"{stamp(start, comma)} {ARROW} {stamp(end, comma)}"


def _body(text: str) -> str:
    """Leave out blank lines, which would end the cue."""
    return "\n".join(line.strip() for line in split_lines(text) if line.strip())

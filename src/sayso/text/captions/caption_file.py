"""Caption files, read in any of the usual formats.

The format is recognised by the content, not by the file's name. pysubs2 reads some of
these formats too, but names no line, drops what it does not understand without a
word (or a whole file for one broken line), and knows neither rolling captions nor
speakers; so the formats are read here, one file each, and it is the tests' peer.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sayso.core.errors import SaysoError, SubtitleError
from sayso.core.types import Caption
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.cues import match_timing, read_srt
from sayso.text.captions.encoding import decode_text
from sayso.text.captions.json3 import read_json3
from sayso.text.captions.line_formats import LINES, declares_rate, detect_line_format, read_line_format
from sayso.text.captions.markup import split_lines
from sayso.text.captions.sidecar import find_video_of
from sayso.text.captions.substation import read_substation
from sayso.text.captions.ttml import read_ttml
from sayso.text.captions.webvtt import read_vtt

log = logging.getLogger(__name__)

LARGEST = 32 * 2**20
HEAD = 20000
SUBSTATION = re.compile(r"(?im)^[ \t]*(\[(Script Info|V4\+? Styles|Events)\]|Dialogue:)")
TTML = re.compile(r"<(\w+:)?tt[\s>]")
ARROW = "-->"
FORMATS = "SRT, WebVTT, ASS, TTML, YouTube json3, SubViewer, MicroDVD, MPL2 or TMPlayer"


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """What a caption file holds.

    Args:
        captions: by start; those that overlap stay.
        problems: what could not be read and was left out, each naming file and line.
    """

    captions: tuple[Caption, ...] = ()
    problems: tuple[SubtitleError, ...] = ()


def read_subtitles(path: str | os.PathLike[str], *, fps: float | None = None) -> list[Caption]:
    """Return the captions of a file, as ``read_caption_file`` does; what could not be read is logged.

    Raises:
        SubtitleError: if the file as a whole cannot be read.
    """
    found = read_caption_file(path, fps=fps)
    for problem in found.problems:
        log.warning("%s", problem)
    return list(found.captions)


def read_caption_file(path: str | os.PathLike[str], *, fps: float | None = None) -> CaptionFile:
    """Read a caption file: SRT, WebVTT, SubViewer, ASS, SSA, TTML, json3, MicroDVD, MPL2 or TMPlayer.

    Text comes without tags, entities and positions. Line breaks within a caption
    are spaces, except between speakers ("- a" / "- b"), where they stay. Speakers
    come from WebVTT voices, ASS names, TTML agents and the prefixes of diarised
    transcripts. Rolling captions, as YouTube makes them, are unrolled: each word
    once, when it is first shown.

    Args:
        path: the file, in UTF-8, UTF-16 or an old code page, which is guessed.
        fps: frames a second of the media, for MicroDVD files that do not say; else the video
            beside the file is asked.

    Returns:
        The captions and the problems. An end that is missing or equals the start is
        estimated from the length of the text. An empty file has no captions.

    Raises:
        SubtitleError: naming the file and what was expected there, if the file as a
            whole cannot be read.
    """
    collector = CaptionCollector(os.fspath(path), fps)
    data = _bytes(Path(path), collector)
    try:
        text, undecodable = decode_text(data)
    except ValueError as error:
        raise collector.error(None, f"expected captions, but the file {error}") from error
    if undecodable is not None:
        collector.skip(
            undecodable, "expected text in one encoding; save the file as UTF-8 and correct this line"
        )
    if fps is None and detect_line_format(text[:HEAD]) == "MicroDVD":
        collector.fps = _rate_beside(Path(path), text)
    if text.strip():
        _reader(text, collector)(text, collector)
    return CaptionFile(tuple(collector.captions()), tuple(collector.problems))


def _bytes(path: Path, collector: CaptionCollector) -> bytes:
    try:
        if not path.is_file():
            what = "no file there" if not path.exists() else "no regular file"
            raise collector.error(None, f"expected a caption file, found {what}")
        size = path.stat().st_size
        if size > LARGEST:
            raise collector.error(
                None, f"expected captions of at most {LARGEST >> 20} MiB, found {size >> 20} MiB"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise collector.error(None, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _rate_beside(path: Path, text: str) -> float | None:
    """Return the frame rate of the video beside a file that counts frames, unless the file says its own."""
    if declares_rate(text):
        return None
    video = find_video_of(path)
    if video is None:
        return None
    from sayso.media import probe

    try:
        return probe(video).fps
    except SaysoError:
        return None


def caption_format(text: str) -> str | None:
    """Return the name of the caption format that a text is certainly in, None if it may be something else."""
    head = text[:HEAD].lstrip()
    lines = [line for line in split_lines(head) if line.strip()]
    line_format = detect_line_format(head)
    marked = line_format and 2 * sum(map(bool, map(LINES[line_format].match, lines))) > len(lines)
    certain = (
        ("WebVTT", head.startswith("WEBVTT")),
        ("TTML", head.startswith("<") and TTML.search(head)),
        ("SubStation", SUBSTATION.search(head)),
        ("SRT", sum(1 for line in lines if match_timing(line)) > 1 and ARROW in head),
        ("json3", head.startswith("{") and '"events"' in head and '"segs"' in head),
        (line_format, marked and line_format != "TMPlayer"),
    )
    return next((name for name, found in certain if found), None)


def _reader(text: str, collector: CaptionCollector) -> Callable[[str, CaptionCollector], None]:
    """Return the reader for the format that the text is in."""
    head = text[:HEAD].lstrip()
    lines = split_lines(head)
    one_a_line = detect_line_format(head) or ""
    formats: tuple[tuple[object, Callable[[str, CaptionCollector], None]], ...] = (
        (head.startswith("WEBVTT"), read_vtt),
        (head.startswith("<") and TTML.search(head), read_ttml),
        (SUBSTATION.search(head), read_substation),
        (any(map(match_timing, lines)), read_srt),
        (one_a_line, partial(read_line_format, name=one_a_line)),
        (head.startswith("{"), read_json3),
        (ARROW in head, read_srt),
    )
    for matches, reader in formats:
        if matches:
            return reader
    raise collector.error(None, f"expected {FORMATS} captions, found {lines[0].strip()[:60]!r}")

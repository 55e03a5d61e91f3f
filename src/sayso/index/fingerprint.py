"""What decides the clips of a file: its content, and everything besides.

A file whose size and date are unchanged is not opened. Otherwise the digest of its content decides, and
the digest of its *settings*: its captions, its rows in the manifest, and how videos are segmented.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from sayso.core.errors import SaysoError
from sayso.core.io import sha256_of
from sayso.core.types import Caption, Span
from sayso.data.manifest import Failure, ListedFile
from sayso.index.thumbs import Thumbs
from sayso.media.animation import SUFFIXES as MOVING
from sayso.media.kinds import Kind


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How videos are cut: windows of ``window_s`` seconds, or one clip a caption.

    With ``keys_only`` they are cut at key frames, half a window apart or more, and nothing else is decoded.
    Of which clips pictures are kept (``thumbs``) is remembered with it, but makes no other clips.
    """

    window_s: float = 4.0
    by_caption: bool = False
    keys_only: bool = False
    thumbs: Thumbs = "clip"


def content_digest(path: str) -> str:
    """Return the digest of a file's content, hexadecimal.

    Raises:
        SaysoError: if the file cannot be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: {error.strerror}") from error


def digest(value: object) -> str:
    """Return the BLAKE2b digest of a value as JSON, hexadecimal."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


def file_status(path: str) -> os.stat_result:
    """Return size and date of a file.

    Raises:
        SaysoError: if it cannot be indexed: not there, no regular file, empty, dated so far from now that
            no table holds it, or its name is not UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SaysoError(f"the name of {path!r} is not valid UTF-8; rename the file") from error
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise SaysoError(f"{path} is not a regular file; only files and folders can be indexed")
    if status.st_size == 0:
        raise SaysoError(f"{path} is empty")
    if abs(status.st_mtime_ns) >= 1 << 63:
        raise SaysoError(f"{path} is dated after the year 2261; give it a date that can be, with touch")
    return status


def file_kind(path: str) -> Kind:
    """Return whether a file is a video, a picture or sound, by its first bytes, else by its name.

    Raises:
        SaysoError: if it is none of them.
    """
    from sayso.media import kind_of, sniff
    from sayso.media.kinds import is_sound_file

    if is_sound_file(path):
        return "sound"
    kind: Kind | None = sniff(path) or kind_of(path)
    if kind is None:
        raise SaysoError(f"{path} is neither a video nor a picture that can be read")
    return kind


def captions_of(source: ListedFile) -> tuple[Sequence[Caption], list[Failure]]:
    """Return what is said in a file, from its manifest's rows or from the file beside it."""
    from sayso.media import kind_of
    from sayso.text import Transcript, find_subtitles, read_caption_file

    spoken = [Caption(row.span, row.text) for row in source.rows if row.span is not None and row.text]
    if spoken:
        return Transcript(sorted(spoken, key=lambda caption: caption.span)), []
    beside = None if kind_of(source.path) == "picture" else find_subtitles(source.path)
    subtitles = source.captions or beside
    if subtitles is None:
        return (), []
    try:
        read = read_caption_file(subtitles)
    except (SaysoError, OSError) as error:
        return (), [Failure(os.fspath(subtitles), "captions", str(error))]
    problems = [Failure(os.fspath(subtitles), "captions", str(problem)) for problem in read.problems]
    return Transcript(read.captions), problems


def seen_in(source: ListedFile) -> tuple[Sequence[Caption], list[Failure]]:
    """Return what a model saw in a file, from the list that names it or from the file beside it."""
    from sayso.media import kind_of
    from sayso.text import Transcript, read_caption_file
    from sayso.text.captions.sidecar import find_seen

    if source.seen:
        return Transcript(sorted(source.seen, key=lambda caption: caption.span)), []
    beside = None if kind_of(source.path) == "picture" else find_seen(source.path)
    if beside is None:
        return (), []
    try:
        return Transcript(read_caption_file(beside).captions), []
    except (SaysoError, OSError) as error:
        return (), [Failure(os.fspath(beside), "captions", str(error))]


def spans_of(source: ListedFile, captions: Sequence[Caption], *, by_caption: bool) -> tuple[Span, ...] | None:
    """Return where a file is cut: by its manifest's rows, by its captions, or (None) in windows.

    Args:
        source: the file, with its rows of a manifest.
        captions: what is said in it.
        by_caption: whether it is cut by them.
    """
    spans = tuple(row.span for row in source.rows if row.span is not None)
    if not spans and by_caption:
        spans = tuple(caption.span for caption in captions)
    return spans or None


def settings_digest(
    source: ListedFile, captions: Sequence[Caption], segmentation: Segmentation, seen: Sequence[Caption] = ()
) -> str:
    """Digest everything besides the content that decides a file's clips: how it is cut, and what is said.

    Args:
        source: the file, with its rows of a manifest.
        captions: what is said in it.
        segmentation: how videos are cut; does not matter to a picture.
        seen: what a model saw in it.
    """
    from sayso.media import kind_of

    rows = [
        [row.span and [row.span.start, row.span.end], row.text, row.title, dict(row.meta)]
        for row in source.rows
    ]
    spoken = [[caption.span.start, caption.span.end, caption.text, caption.speaker] for caption in captions]
    still = kind_of(source.path) == "picture" and os.path.splitext(source.path)[1].lower() not in MOVING  # noqa: PTH122
    keys = ["key frames"] if segmentation.keys_only else []
    cut = None if still else [segmentation.window_s, segmentation.by_caption, *keys]
    spans = [words[:2] for words in spoken] if segmentation.by_caption else []
    looked = [[caption.span.start, caption.span.end, caption.text] for caption in seen]
    return f"{digest([rows, cut, spans])}-{digest([spoken, looked] if looked else spoken)}"


def cut_alike(settings: str, other: str) -> bool:
    """Tell whether two digests of settings give the same clips, whatever is said in them."""
    return settings.partition("-")[0] == other.partition("-")[0]

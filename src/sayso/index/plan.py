"""Deciding what to do with each file: nothing, note its new place or date, or read it.

A file whose size and date are known is not opened. Otherwise its content decides:
the same content under the same path was only touched; the same content under a
path that is gone was moved; all else is read. The *recipe* of a file is a digest
of everything besides its content that decides its clips: its captions, its rows
in the manifest, and how videos are cut.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data.manifest import Failure, Row, Source
from sayso.engine.segment import Job
from sayso.index.hit import Kind
from sayso.index.store import Record


@dataclass(frozen=True, slots=True)
class Cutting:
    """How videos are cut: windows of ``window_s`` seconds, or one clip a caption."""

    window_s: float = 4.0
    by_caption: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A file to read, with what the index must note about it; ``replaces`` is a medium that goes."""

    source: Source
    record: Record
    kind: Kind
    captions: Sequence[Caption]
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that lies elsewhere now."""

    record: Record
    path: str
    old_path: str


@dataclass(slots=True)
class Plan:
    """Decides about one source after the other.

    Args:
        records: what the index holds, by path.
        cutting: how videos are cut.
    """

    records: dict[str, Record]
    cutting: Cutting
    failures: list[Failure] = field(default_factory=list)
    _gone: dict[tuple[str, str], str] | None = None

    def decide(self, source: Source) -> Planned | Moved | Record | None:
        """Return what to do with a source.

        Returns:
            ``Planned``: read it. ``Moved``: note its new path. ``Record``: note its new
            date. None: nothing; it is unchanged.

        Raises:
            SaysoError: if it cannot be read.
        """
        status = _status(source.path)
        captions, problems = _captions(source)
        self.failures.extend(problems)
        recipe = _recipe(source, captions, self.cutting)
        known = self.records.get(source.path)
        if known and (known.size, known.mtime_ns, known.recipe) == (
            status.st_size,
            status.st_mtime_ns,
            recipe,
        ):
            if known.error:
                self.failures.append(Failure(source.path, "decode", known.error))
            return None
        content = digest_file(source.path)
        record = Record(
            media_id=_digest([content, recipe, source.path])[:20],
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            content=content,
            recipe=recipe,
            error=None,
        )
        if known and (known.content, known.recipe) == (content, recipe):
            return record
        old_path = None if known else self._moved_from(content, recipe)
        if old_path is not None:
            return Moved(self.records.pop(old_path), source.path, old_path)
        return Planned(source, record, _kind(source), captions, known.media_id if known else None)

    def _moved_from(self, content: str, recipe: str) -> str | None:
        """Return the path of a file with this content that is gone from where it was."""
        if self._gone is None:
            self._gone = {
                (record.content, record.recipe): path
                for path, record in self.records.items()
                if not os.path.lexists(path)
            }
        return self._gone.pop((content, recipe), None)


def to_job(planned: Planned, cutting: Cutting) -> Job:
    """Return how the file is cut: by its manifest's rows, by its captions, or in windows."""
    spans = [row.span for row in planned.source.rows if row.span is not None]
    if not spans and cutting.by_caption and planned.captions:
        spans = [caption.span for caption in planned.captions]
    return Job(planned.source.path, planned.kind, cutting.window_s, tuple(spans) or None, planned)


def digest_file(path: str) -> str:
    """Return the BLAKE2b digest of a file's content, as hex.

    Raises:
        SaysoError: if the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: {error.strerror}") from error


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


def _status(path: str) -> os.stat_result:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SaysoError(f"the name of {path!r} is not valid UTF-8; rename the file") from error
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as error:
        raise SaysoError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise SaysoError(f"{path} is not a regular file; only files and folders can be indexed")
    if status.st_size == 0:
        raise SaysoError(f"{path} is empty")
    return status


def _kind(source: Source) -> Kind:
    from sayso.media import kind_of, sniff

    kind: Kind | None = sniff(source.path) or kind_of(source.path)
    if kind is None:
        raise SaysoError(f"{source.path} is neither a video nor a picture that can be read")
    return kind


def _captions(source: Source) -> tuple[Sequence[Caption], list[Failure]]:
    """Return what is said in a file, from its manifest's rows or from the file beside it."""
    from sayso.media import kind_of
    from sayso.text import Transcript, find_subtitles, read_caption_file

    spoken = [Caption(row.span, row.text) for row in source.rows if row.span is not None and row.text]
    if spoken:
        return Transcript(sorted(spoken, key=lambda caption: caption.span)), []
    beside = None if kind_of(source.path) == "picture" else find_subtitles(source.path)
    found = source.captions or beside
    if found is None:
        return (), []
    try:
        read = read_caption_file(found)
    except (SaysoError, OSError) as error:
        return (), [Failure(os.fspath(found), "captions", str(error))]
    problems = [Failure(os.fspath(found), "captions", str(problem)) for problem in read.problems]
    return Transcript(read.captions), problems


def _recipe(source: Source, captions: Iterable[Caption], cutting: Cutting) -> str:
    """Digest everything besides the content; how videos are cut does not matter to a picture."""
    from sayso.media import kind_of

    rows = [
        [row.span and [row.span.start, row.span.end], row.text, row.title, dict(row.meta)]
        for row in source.rows
    ]
    said = [[caption.span.start, caption.span.end, caption.text, caption.speaker] for caption in captions]
    cut = None if kind_of(source.path) == "picture" else [cutting.window_s, cutting.by_caption]
    return _digest([rows, said, cut])


def row_of(source: Source, span: Span) -> Row | None:
    """Return the manifest's row of a span, or the row that describes the whole file."""
    exact: Iterator[Row] = (row for row in source.rows if row.span == span)
    whole: Iterator[Row] = (row for row in source.rows if row.span is None)
    return next(exact, None) or next(whole, None)

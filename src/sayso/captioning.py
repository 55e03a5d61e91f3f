"""Captioning a library in one call: what ``sayso caption`` calls too.

A row a picture, or a stretch of a video, goes to ``captions.jsonl`` as soon as it is made, with the model,
the prompt and the digest of the file: what is there already is not made again, whatever stopped the run
before. Videos have their captions beside them, too, as ``talk.en.seen.vtt``: what a model saw, never
taken for what somebody said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sayso.core.errors import MediaError, SaysoError
from sayso.core.fence import why_it_failed
from sayso.core.io import sha256_of, write_atomic
from sayso.core.progress import Progress, Silent
from sayso.core.types import Caption, Span
from sayso.data.manifest import Failure, ListedFile
from sayso.data.seen_file import SeenFile, row_span
from sayso.data.sources import list_sources
from sayso.generators.base import Decoding, Generator
from sayso.generators.media_part import MediaPart
from sayso.generators.prompt import Prompt
from sayso.media.files import open_regular

if TYPE_CHECKING:
    from sayso.core.arrays import Pixels

WINDOW_S, BATCH = 10.0, 8
LANGUAGE = "en"
SHORTEST_S = 0.5  # what is left at the end of a video and shorter belongs to the stretch before
T = TypeVar("T")


@dataclass(slots=True)
class CaptionReport:
    """What captioning did.

    Args:
        files: how many were found.
        made: captions that are new.
        kept: captions that were there.
        failures: what could not be read or written.
    """

    files: int = 0
    made: int = 0
    kept: int = 0
    failures: list[Failure] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and failures, ready for JSON."""
        failures = [failure.to_dict() for failure in self.failures]
        return {"files": self.files, "made": self.made, "kept": self.kept, "failures": failures}


def caption(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    model: str | Generator = "auto",
    prompt: str = "",
    window_s: float = WINDOW_S,
    beside: bool = True,
    decoding: Decoding | None = None,
    progress: Progress | None = None,
) -> CaptionReport:
    """Caption pictures and videos; repeated or interrupted, it makes only what is missing.

    Args:
        paths: files, folders, manifests.
        out: the file of captions, JSON lines: a manifest for ``sayso index``.
        model: a name that ``load_generator`` takes, or a model.
        prompt: what is asked; empty: a caption.
        window_s: length of the stretches of a video that get a caption each, seconds.
        beside: whether videos get a WebVTT file beside them.
        decoding: how words are chosen.
        progress: what to report to.

    Raises:
        SaysoError: if the file of captions is not one, or cannot be written.
        Unavailable: if the model is not at hand.
    """
    if not window_s > SHORTEST_S:
        raise SaysoError(f"the window must be longer than {SHORTEST_S} s; got {window_s}")
    listing = list_sources([os.fspath(path) for path in paths])
    book = SeenFile(Path(out).expanduser())
    report = CaptionReport(len(listing.files), failures=list(listing.failures))
    if not listing.files:
        return report
    from sayso.generators.loading import load_generator

    generator = load_generator(model) if isinstance(model, str) else model
    work = _Work(generator, prompt, window_s, decoding or Decoding(max_new_tokens=40), book, report)
    reporter = progress or Silent()
    waiting: list[_Stretch] = []
    for number, source in enumerate(listing.files):
        reporter.update(number, len(listing.files), Path(source.path).name)
        waiting += work.missing(source)
        while len(waiting) >= BATCH:
            work.make(waiting[:BATCH])
            waiting = waiting[BATCH:]
    work.make(waiting)
    reporter.update(len(listing.files), len(listing.files))
    book.drop(work.stale)
    if beside:
        work.write_beside()
    return report


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What gets a caption: a picture, or some seconds of a video."""

    path: str
    content: str
    span: Span | None

    @property
    def shown(self) -> MediaPart:
        return MediaPart(Path(self.path), *((self.span.start, self.span.end) if self.span else (None, None)))


@dataclass(eq=False)
class _Work:
    model: Generator
    prompt: str
    window_s: float
    decoding: Decoding
    book: SeenFile
    report: CaptionReport
    stale: set[int] = field(default_factory=set)
    videos: list[str] = field(default_factory=list)

    def missing(self, source: ListedFile) -> list[_Stretch]:
        """Return the stretches of a file that have no caption yet; note rows of what it was before."""
        try:
            with open_regular(source.path):  # never waits for a pipe
                content = sha256_of(source.path)
            spans = self._spans(source.path)
        except (OSError, SaysoError) as error:
            self.report.failures.append(Failure(source.path, "read", why_it_failed(error, source.path)))
            return []
        if spans != [None]:
            self.videos.append(source.path)
        stretches = [_Stretch(source.path, content, span) for span in spans]
        there = {}
        for number, row in self.book.of(source.path):
            alike = (row.get("content"), row.get("sha256"), row.get("prompt")) == self._made_by(content)
            if alike and row_span(row) in spans and row_span(row) not in there:
                there[row_span(row)] = number
            else:
                self.stale.add(number)
        self.report.kept += len(there)
        return [stretch for stretch in stretches if stretch.span not in there]

    def _made_by(self, content: str) -> tuple[str, str, str]:
        return content, self.model.sha256, self.prompt

    def _spans(self, path: str) -> list[Span | None]:
        from sayso.media import kind_of, probe, sniff

        kind = sniff(path) or kind_of(path)
        if kind is None:
            raise SaysoError(f"{path} is neither a video nor a picture that can be read")
        if kind == "picture":
            return [None]
        known = probe(path)
        return list(_windows(known.start, known.length or known.duration or self.window_s, self.window_s))

    def make(self, stretches: Sequence[_Stretch]) -> None:
        """Caption some stretches, and keep each caption at once."""
        for some in _in_groups(stretches, BATCH):
            readable = [(stretch, pixels) for stretch in some if (pixels := self._read(stretch)) is not None]
            if not readable:
                continue
            prompts = [Prompt.ask(self.prompt, [pixels]) for _, pixels in readable]
            said = self.model.generate(prompts, self.decoding)
            self.book.append([self._row(one, text) for (one, _), text in zip(readable, said, strict=True)])
            self.report.made += len(readable)

    def _read(self, stretch: _Stretch) -> Pixels | None:
        try:
            return stretch.shown.read()
        except (MediaError, SaysoError) as error:
            self.report.failures.append(Failure(stretch.path, "decode", str(error)))
            return None

    def _row(self, stretch: _Stretch, text: str) -> dict[str, Any]:
        span = {"start_s": stretch.span.start, "end_s": stretch.span.end} if stretch.span else {}
        made = {"model": self.model.name, "sha256": self.model.sha256, "made_by": self.model.made_by}
        row = {"path": self.book.spelled(stretch.path), **span, "seen": text, "prompt": self.prompt}
        return row | {"content": stretch.content, **made}

    def write_beside(self) -> None:
        """Write the captions of each video beside it; never over a file that somebody else wrote."""
        from sayso.text import write_vtt

        for path in self.videos:
            cues = [
                Caption(span, str(row["seen"])) for _, row in self.book.of(path) if (span := row_span(row))
            ]
            target, text = seen_path(path), write_vtt(cues)
            with suppress(OSError, ValueError):
                if target.read_text(encoding="utf-8") == text:
                    continue
            try:
                write_atomic(target, text)
            except SaysoError as error:
                self.report.failures.append(Failure(str(target), "write", str(error)))


def seen_path(media: str | os.PathLike[str], language: str = LANGUAGE) -> Path:
    """Return where the captions of what a model saw in a video are: ``talk.en.seen.vtt``."""
    path = Path(media)
    return path.with_name(f"{path.stem}.{language}.seen.vtt")


def _windows(start_s: float, end_s: float, window_s: float) -> Iterator[Span]:
    """Yield stretches of one length from the first picture to the end; a short rest belongs to the last."""
    begin = start_s
    while begin < end_s:
        end = begin + window_s
        if end_s - end < SHORTEST_S:
            end = end_s
        yield Span(round(begin, 3), round(end, 3))
        begin = end


def _in_groups(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group

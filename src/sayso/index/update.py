"""Bringing an index up to date: only what is new or changed is read, and what fails is listed, not fatal.

A file with a known path, size, date and settings is left alone. Where only its captions changed, its
clips get the new words. With the same content under the same path
it was only touched; with the same content under a path that is gone it was moved; all else is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.fence import why_it_failed
from sayso.core.progress import Progress
from sayso.data.manifest import Failure, ListedFile
from sayso.data.sources import Listing
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import JobClip
from sayso.index.amounts import Amounts
from sayso.index.commit import settle_shards
from sayso.index.fingerprint import (
    captions_of,
    content_digest,
    cut_alike,
    digest,
    file_kind,
    file_status,
    seen_in,
    settings_digest,
    spans_of,
)
from sayso.index.maintaining import maintain
from sayso.index.orphans import remove_orphans
from sayso.index.report import AddReport
from sayso.index.retext import retext
from sayso.index.roots import Roots, absolute
from sayso.index.sound import sound_clips
from sayso.index.store import Record, Store, title_of
from sayso.index.taken import read_when_taken
from sayso.index.vanished import Seen
from sayso.index.writer import IndexJob, Writer
from sayso.media.capture import read_capture
from sayso.media.kinds import kind_of

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder


def _nothing() -> None:
    """Note nothing of a file."""


@dataclass(slots=True)
class Update:
    """One run that adds files to an index, whose lock the caller holds.

    Args:
        store: the index.
        paths: what was named; folders among them are looked through for vanished files.
        listing: the files that they name.
        roots: what the index remembers; says how videos are cut.
        progress: what to report to.
    """

    store: Store
    paths: Sequence[str]
    listing: Listing
    roots: Roots
    progress: Progress
    report: AddReport = field(default_factory=AddReport)
    _records: dict[str, Record] = field(default_factory=dict)
    _to_retext: list[tuple[IndexJob, Record]] = field(default_factory=list)
    _to_hear: list[IndexJob] = field(default_factory=list)
    _gone: dict[tuple[str, str], str] | None = None
    _amounts: Amounts = field(default_factory=lambda: Amounts({}, ()))
    _done: int = 0
    _dated: int = 0

    def run(self, encoder: Callable[[], Encoder], *, workers: int | None, prune: bool) -> AddReport:
        """Add everything; ``workers``: decoding threads; the encoder is loaded only if something is read."""
        jobs = self.begin()
        first = next(jobs, None)
        if first is not None:
            self.progress.update(self._done, self.report.files, "loading the model")
            self._read(chain([first], jobs), encoder(), workers)
        rest = self.read_here()
        if rest:
            self._read(iter(rest), encoder(), workers)
        return self.end(prune=prune)

    def begin(self) -> Iterator[IndexJob]:
        """Bring in what earlier runs left, and return what is to be read."""
        self.store.refresh()
        settle_shards(self.store)
        remove_orphans(self.store)
        self._dated = read_when_taken(self.store)
        self._records = self.store.records()
        return self._jobs(self._changed(self._sources()))

    def read_here(self) -> list[IndexJob]:
        """Add what needs no encoder; return the files that turn out to need one."""
        self._hear()
        return self._retext()

    def end(self, *, prune: bool) -> AddReport:
        """Look for what has vanished, remove it if ``prune``, and bring the search up to date."""
        self._look_for_vanished({source.path for source in self.listing.files}, prune=prune)
        done = self.report
        if self._dated or done.clips or done.replaced or done.moved or done.removed:
            self.progress.update(self._done, self.report.files, "bringing the search up to date")
            maintain(self.store)
        return self.report

    def _sources(self) -> tuple[ListedFile, ...]:
        self.report.failures += self.listing.failures
        self.report.files, self.report.skipped = len(self.listing.files), len(self.listing.skipped)
        return self.listing.files

    def _changed(self, sources: Sequence[ListedFile]) -> list[ListedFile]:
        """Return the files that are new or changed as far as can be told without opening them."""
        changed, sizes, videos = [], {}, []
        for source in sources:
            try:
                status = file_status(source.path)
                known = self._is_known(source, status)
            except Exception as error:  # noqa: BLE001  whatever one file does is its own failure
                self._fail(source.path, error)
                continue
            if known:
                self.report.unchanged += 1
                self._advance(source.path)
                continue
            changed.append(source)
            sizes[source.path] = status.st_size
            if kind_of(source.path) == "video":
                videos.append(source.path)
        self._amounts = Amounts(sizes, videos)
        return changed

    def _jobs(self, sources: Sequence[ListedFile]) -> Iterator[IndexJob]:
        for source in sources:
            try:
                job = self._job(source)
            except Exception as error:  # noqa: BLE001
                self.report.failures.append(Failure(source.path, "read", why_it_failed(error, source.path)))
                job = _nothing
            if not isinstance(job, IndexJob):
                job()
                self._amounts.leave_out(source.path)
                self._advance(source.path)
            elif job.kind == "sound":
                self._to_hear.append(job)
            else:
                yield job

    def _is_known(self, source: ListedFile, status: os.stat_result) -> bool:
        """Tell whether a file is as it was read before; tell again what was wrong with it."""
        old = self._records.get(source.path)
        if old is None or (old.size, old.mtime_ns) != (status.st_size, status.st_mtime_ns):
            return False
        captions, problems = captions_of(source)
        seen, others = seen_in(source)
        if old.settings != settings_digest(source, captions, self.roots.segmentation(source.path), seen):
            return False
        self.report.failures += problems + others
        if old.error:
            self.report.failures.append(Failure(source.path, "decode", old.error))
        return True

    def _job(self, source: ListedFile) -> IndexJob | Callable[[], None]:
        """Return how to read a file that is new or changed, or what notes that it was only touched or moved.

        Raises:
            SaysoError: if it cannot be read.
        """
        path, status = source.path, file_status(source.path)
        captions, problems = captions_of(source)
        seen, others = seen_in(source)
        self.report.failures += problems + others
        cut = self.roots.segmentation(path)
        settings = settings_digest(source, captions, cut, seen)
        old = self._records.get(path)
        same = old and (old.size, old.mtime_ns) == (status.st_size, status.st_mtime_ns)
        content = old.content if old and same else content_digest(path)
        if old and (old.content, old.settings) == (content, settings):
            self.report.unchanged += 1
            return partial(self.store.touch, path, status.st_mtime_ns)
        old_path = None if old else self._moved_from(content, settings)
        if old_path is not None:
            moved = self._records.pop(old_path)
            self.report.moved += 1
            return partial(self.store.move, moved.media_id, path, title_of(path), status.st_mtime_ns)
        media_id, kind = digest([content, settings, path])[:20], file_kind(path)
        if kind == "sound" and not captions:
            raise SaysoError(
                f"{path} is sound without captions: nothing finds it; add --listen, or run sayso transcribe"
            )
        job = IndexJob(
            path,
            kind,
            cut.window_s,
            spans_of(source, captions, by_caption=cut.by_caption or kind == "sound"),
            cut.keys_only,
            rows=source.rows,
            captions=captions,
            seen=seen,
            capture=read_capture(path, status.st_mtime),
            record=Record(media_id, status.st_size, status.st_mtime_ns, content, settings, None),
            replaces=old.media_id if old else None,
            thumbs="clip" if kind == "sound" else cut.thumbs,
        )
        if (
            old
            and not old.error
            and old.content == content
            and cut_alike(old.settings, settings)
            and kind != "sound"
        ):
            self._to_retext.append((job, old))
            return _nothing
        return job

    def _retext(self) -> list[IndexJob]:
        """Write what is said anew where only that changed; return the files for which that is not enough."""
        rest = [job for job, old in self._to_retext if not retext(self.store, job, old)]
        self.report.replaced += len(self._to_retext) - len(rest)
        return rest

    def _hear(self) -> None:
        """Add the files of sound, whose clips need no encoder."""
        self._write(item for job in self._to_hear for item in sound_clips(job, self.store.identity.dim))

    def _moved_from(self, content: str, settings: str) -> str | None:
        """Return the path of a file with this content that is gone from where it was."""
        if self._gone is None:
            self._gone = {
                (record.content, record.settings): path
                for path, record in self._records.items()
                if not os.path.lexists(path)
            }
        return self._gone.pop((content, settings), None)

    def _read(self, jobs: Iterator[IndexJob], encoder: Encoder, workers: int | None) -> None:
        with self._amounts.probing():
            self._write(extract(jobs, encoder, workers=workers))

    def _write(self, items: Iterable[JobClip[IndexJob] | Finished[IndexJob]]) -> None:
        writer = Writer(self.store)
        try:
            for item in items:
                if isinstance(item, Finished):
                    self.finish(*writer.finish(item))
                else:
                    writer.add(item)
                    self._amounts.reached(item.job.path, item.span.end)
                    self._report(item.job.path)
        finally:
            writer.close()

    def finish(self, item: Finished[IndexJob], clips: int) -> None:
        """Count a file that is done."""
        self.report.clips += clips
        if clips and item.job.replaces:
            self.report.replaced += 1
        elif clips:
            self.report.added += 1
        error = item.error or (None if clips else f"{item.job.path} holds no frame that can be read")
        if error:
            self.report.failures.append(Failure(item.job.path, "decode", error))
        self._advance(item.job.path, item.probe.duration if item.probe else None)

    def _fail(self, path: str, error: Exception) -> None:
        self.report.failures.append(Failure(path, "read", why_it_failed(error, path)))
        self._advance(path)

    def _advance(self, path: str, length_s: float | None = None) -> None:
        self._done += 1
        self._amounts.finished(path, length_s)
        self._report(path)

    def _report(self, path: str) -> None:
        name = os.path.basename(path)  # noqa: PTH119
        self.progress.update(self._done, self.report.files, name, self._amounts.now())

    def _look_for_vanished(self, present: set[str], *, prune: bool) -> None:
        """Count the files that are gone from what was named; remove them if that is wanted and safe."""
        unread = [failure.path for failure in self.listing.failures]
        seen = Seen([absolute(path) for path in self.paths], present, unread)
        gone = seen.vanished(self._records)
        removed = {path: self._records[path] for path in gone if prune and seen.is_gone(path)}
        self.store.remove(removed)
        self.report.removed = len(removed)
        self.report.vanished = len(gone) - len(removed)

"""Bringing an index up to date: only what is new or changed is read, and what fails is listed, not fatal.

A file with a known path, size, date and settings is left alone. Where only its captions changed, its
clips get the new words. With the same content under the same path
it was only touched; with the same content under a path that is gone it was moved; all else is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from sayso.core.fence import why_it_failed
from sayso.core.progress import Progress
from sayso.data.manifest import Failure, ListedFile
from sayso.data.sources import Listing
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import JobClip
from sayso.index.amounts import Amounts
from sayso.index.commit import settle_shards
from sayso.index.fingerprint import cut_alike, file_status
from sayso.index.maintaining import lacks_words, maintain
from sayso.index.orphans import remove_orphans
from sayso.index.planning import Note, known_problems, plan_file
from sayso.index.report import PART, AddReport
from sayso.index.retext import retext
from sayso.index.roots import Roots, absolute
from sayso.index.schema import Record
from sayso.index.sound import sound_clips
from sayso.index.store import Store
from sayso.index.taken import read_when_taken
from sayso.index.vanished import Seen
from sayso.index.writer import IndexJob, Writer
from sayso.media.kinds import kind_of

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder


@dataclass(slots=True)
class Update:
    """One run that adds files to an index, whose lock the caller holds but for ``plan``.

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
    _to_retext: list[tuple[ListedFile, IndexJob, Record]] = field(default_factory=list)
    _to_hear: list[IndexJob] = field(default_factory=list)
    _notes: list[Note] | None = None  # None: the lock is held, and they are made at once
    _gone: dict[tuple[str, str], tuple[str, Record]] | None = None
    _problems: dict[str, list[Failure]] = field(default_factory=dict)  # of captions; where there are any
    _amounts: Amounts = field(default_factory=lambda: Amounts({}, ()))
    _done: int = 0
    _dated: int = 0

    def run(self, encoder: Callable[[], Encoder], *, workers: int | None, prune: bool) -> AddReport:
        """Add everything.

        Args:
            encoder: loads it; called only if something is read.
            workers: threads that decode; None: as many as suit the machine.
            prune: whether what has vanished is removed.
        """
        self.begin()
        jobs = self._jobs(self._changed(self._sources()))
        first = next(jobs, None)
        if first is not None:
            self.progress.update(self._done, self.report.files, "loading the model")
            self._read(chain([first], jobs), encoder(), workers)
        self._hear()
        rest = self._retext()
        if rest:
            self._read(iter(rest), encoder(), workers)
        return self.end(prune=prune)

    def begin(self) -> None:
        """Bring in what earlier runs left, and see what is there."""
        self.store.refresh()
        settle_shards(self.store)
        remove_orphans(self.store)
        self._dated = read_when_taken(self.store)
        self._records = self.store.records()

    def plan(self) -> list[IndexJob]:
        """Return what is to be read, sound too; needs no lock: what does waits for ``note``."""
        self._notes = []
        jobs = [*self._jobs(self._changed(self._sources())), *self._to_hear]
        self._to_hear = []
        return jobs

    def note(self) -> list[IndexJob]:
        """Note what ``plan`` left, as far as nobody else changed it; return the files that are to be read."""
        notes, self._notes = self._notes or [], None
        texts, self._to_retext = self._to_retext, []
        self.store.refresh()
        settle_shards(self.store)
        self._records, self._gone = self.store.records(), None
        changed = []
        for one in notes:
            if one.holds(self._records):
                self._note(one)
            else:
                changed.append(one.source)
        for source, job, old in texts:
            held = self._records.get(job.path)
            if held is not None and held.media_id == old.media_id:
                self._to_retext.append((source, job, old))
            else:
                changed.append(source)
        return [*self._jobs(changed), *self._to_hear, *self._retext()]

    def end(self, *, prune: bool, ahead: Callable[[Store], None] | None = None) -> AddReport:
        """Look for what has vanished, remove it if ``prune``, and bring the search up to date."""
        self.report.failures += chain.from_iterable(self._problems.values())
        self._look_for_vanished({source.path for source in self.listing.files}, prune=prune)
        done = self.report
        changed = self._dated or done.clips or done.replaced or done.moved or done.removed
        if changed or lacks_words(self.store):
            self.progress.update(self._done, self.report.files, "bringing the search up to date")
            maintain(self.store, ahead)
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
                cut = self.roots.segmentation(source.path)
                known = known_problems(source, status, self._records.get(source.path), cut)
            except Exception as error:  # noqa: BLE001  whatever one file does is its own failure
                self._fail(source.path, error)
                continue
            if known is not None:
                self.report.failures += known
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
            path, cut = source.path, self.roots.segmentation(source.path)
            old = self._records.get(path)
            problems = list[Failure]()
            self._problems.pop(path, None)  # a file may be planned twice
            try:
                job = plan_file(source, old, cut, self._moved_from, problems)
            except Exception as error:  # noqa: BLE001  whatever one file does is its own failure
                self._amounts.leave_out(path)
                self._fail(path, error)
                continue
            finally:
                if problems:
                    self._problems[path] = problems
            if isinstance(job, Note):
                if self._notes is None:
                    self._note(job)
                else:
                    self._notes.append(job)
            elif old and _says_otherwise(job, old):
                self._to_retext.append((source, job, old))
                self._amounts.leave_out(path)
            elif job.kind == "sound":
                self._to_hear.append(job)
            else:
                yield job

    def _note(self, note: Note) -> None:
        """Note what needs no reading."""
        note.write(self.store)
        if note.was is None:
            self.report.unchanged += 1
        else:
            self._records.pop(note.was)
            self.report.moved += 1
        self._amounts.leave_out(note.source.path)
        self._advance(note.source.path)

    def _retext(self) -> list[IndexJob]:
        """Write what is said anew where only that changed; return the files for which that is not enough."""
        rest = []
        for _, job, old in self._to_retext:
            if retext(self.store, job, old):
                self.report.replaced += 1
                self._advance(job.path)
            else:
                rest.append(job)
        return rest

    def _hear(self) -> None:
        """Add the files of sound, whose clips need no encoder."""
        self._write(item for job in self._to_hear for item in sound_clips(job, self.store.identity.dim))

    def _moved_from(self, content: str, settings: str) -> tuple[str, Record] | None:
        """Return path and record of a file with this content that is gone from where it was."""
        if self._gone is None:
            self._gone = {
                (record.content, record.settings): (path, record)
                for path, record in self._records.items()
                if not os.path.lexists(path)
            }
        return self._gone.pop((content, settings), None)

    def _read(self, jobs: Iterator[IndexJob], encoder: Encoder, workers: int | None) -> None:
        with self._amounts.probing():
            self._write(extract(jobs, encoder, workers=workers, decoded=self._decoded))

    def _decoded(self, job: IndexJob, second: float) -> None:
        self._amounts.decoded(job.path, second)

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
            self.report.failures.append(Failure(item.job.path, PART if clips else "decode", error))
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


def _says_otherwise(job: IndexJob, old: Record) -> bool:
    """Tell whether only the words of a file changed, so that its clips keep their vectors."""
    is_seen = job.kind != "sound" and not old.error
    return is_seen and old.content == job.record.content and cut_alike(old.settings, job.record.settings)

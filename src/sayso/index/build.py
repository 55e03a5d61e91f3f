"""Adding files to an index: only what is new or changed is read, and what fails is told, not fatal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.manifest import Failure, Source
from sayso.data.sources import find_sources
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import Job
from sayso.index.plan import Cutting, Moved, Plan, Planned, to_job
from sayso.index.store import Record, Store, title_of
from sayso.index.writer import Writer

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder


@dataclass(slots=True)
class AddReport:
    """What adding did; counts are files, except ``clips``."""

    found: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    clips: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class Adding:
    """One run that adds files to an index, whose lock the caller holds.

    Args:
        store: the index.
        paths: files, folders, manifests, ``-`` for a list on stdin.
        cutting: how videos are cut.
        progress: what to report to.
    """

    store: Store
    paths: Iterable[str]
    cutting: Cutting
    progress: Progress
    report: AddReport = field(default_factory=AddReport)
    _done: int = 0

    def run(self, encoder: Callable[[], Encoder], *, workers: int | None, prune: bool) -> AddReport:
        """Add everything; the encoder is loaded only if something has to be read."""
        self.store.refresh()
        self.store.remove_orphans()
        plan = Plan(self.store.records(), self.cutting)
        sources = self._sources()
        jobs = self._jobs(plan, sources)
        first = next(jobs, None)
        if first is not None:
            self._read(chain([first], jobs), encoder(), workers)
        self.report.failures += plan.failures
        if prune:
            self._prune(plan.records, {source.path for source in sources})
        if self.report.clips or self.report.moved or self.report.removed:
            self.store.maintain()
        return self.report

    def _sources(self) -> list[Source]:
        sources = []
        for found in find_sources(self.paths, skip=self.store.where):
            if isinstance(found, Failure):
                self.report.failures.append(found)
            else:
                sources.append(found)
        self.report.found = len(sources)
        return sources

    def _jobs(self, plan: Plan, sources: list[Source]) -> Iterator[Job]:
        for source in sources:
            try:
                decision = plan.decide(source)
            except SaysoError as error:
                self.report.failures.append(Failure(source.path, "read", str(error)))
                self._advance(source.path)
                continue
            if isinstance(decision, Planned):
                yield to_job(decision, self.cutting)
            else:
                self._note(source, decision)
                self._advance(source.path)

    def _note(self, source: Source, decision: Moved | Record | None) -> None:
        if isinstance(decision, Moved):
            self.store.move(
                decision.record.media_id,
                source.path,
                title_of(source.path),
                os.stat(source.path).st_mtime_ns,  # noqa: PTH116
            )
            self.report.moved += 1
            return
        if decision is not None:
            self.store.touch(source.path, decision.mtime_ns)
        self.report.unchanged += 1

    def _read(self, jobs: Iterator[Job], encoder: Encoder, workers: int | None) -> None:
        writer = Writer(self.store)
        try:
            for item in extract(jobs, encoder, workers=workers):
                if isinstance(item, Finished):
                    self._finish(item, writer.finish(item))
                else:
                    writer.add(item)
        finally:
            writer.close()

    def _finish(self, item: Finished, clips: int) -> None:
        self.report.clips += clips
        if clips and item.job.tag.replaces:
            self.report.replaced += 1
        elif clips:
            self.report.added += 1
        error = item.error or (None if clips else f"{item.job.path} holds no frame that can be read")
        if error:
            self.report.failures.append(Failure(item.job.path, "decode", error))
        self._advance(item.job.path)

    def _advance(self, path: str) -> None:
        self._done += 1
        self.progress.update(self._done, self.report.found, os.path.basename(path))  # noqa: PTH119

    def _prune(self, records: dict[str, Record], present: set[str]) -> None:
        """Remove files that are gone from the folders that were walked."""
        roots = tuple(os.path.join(os.path.abspath(os.path.expanduser(p)), "") for p in self.paths)  # noqa: PTH100, PTH111, PTH118
        gone = {
            path: record
            for path, record in records.items()
            if path not in present and path.startswith(roots) and not os.path.lexists(path)
        }
        self.store.remove(gone)
        self.report.removed = len(gone)

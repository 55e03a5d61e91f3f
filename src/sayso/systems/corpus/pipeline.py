"""All stages of a corpus, one after the other or one alone, in a folder that a kill does not harm.

CORPUS/tasks.csv        the titles; a person may edit the column visual
CORPUS/ledger/          what became of every video at every stage
CORPUS/videos/ab/       ID.mp4 with ID.en.vtt beside it
CORPUS/videos.csv, caption.json, task_ids.csv    what training reads
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from sayso.core.errors import SaysoError, nothing_at
from sayso.core.io import write_atomic
from sayso.core.ownership import claim_folder, writing_as
from sayso.core.progress import Progress, Silent
from sayso.systems.corpus.build import BuildPlan, Form, Only, build_corpus
from sayso.systems.corpus.captions import CaptionPlan, caption_videos
from sayso.systems.corpus.fetch import FetchPlan, fetch_videos
from sayso.systems.corpus.find import FindRules, find_videos
from sayso.systems.corpus.funnel import Funnel, read_funnel
from sayso.systems.corpus.inputs import TASKS, VERB, open_source, prepare_tasks, read_task_list
from sayso.systems.corpus.ledger import Ledger, LedgerRow
from sayso.systems.corpus.limits import HOSTS, HostLimits, Manners
from sayso.systems.corpus.source import SearchSource
from sayso.systems.corpus.state import LOST, CorpusState, Waiting
from sayso.systems.corpus.storage import is_bucket, video_files
from sayso.systems.corpus.tasks import THRESHOLD
from sayso.systems.corpus.work_through import record_all

log = logging.getLogger(__name__)

VIDEOS, LEDGER = "videos", "ledger"
PLACE = "videos_at.txt"  # beside the ledger: where --to sends the videos


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOptions:
    """The options of all stages.

    Args:
        rules: which videos count.
        min_words: of captions, at least.
        height: of videos, pixels, at most.
        to: where videos go, a folder or ``s3://...``; None: where they went before, else into the corpus.
        only: ``captions``: no video is fetched.
        form: in which the corpus is written.
        retry: ``failed`` or ``gone``: what is so is tried again.
        manners: how a site is asked.
        engine: where videos are fetched: ``here``, or on a ``ray`` cluster, whose machines see the corpus.
        cluster: address of the Ray cluster; None: one of this machine's cores.
    """

    rules: FindRules = field(default_factory=FindRules)
    min_words: int = 100
    height: int = 360
    to: str | None = None
    only: Only | None = None
    form: Form = "release"
    retry: str | None = None
    manners: Manners = field(default_factory=Manners)
    engine: Literal["here", "ray"] = "here"
    cluster: str | None = None


@dataclass(frozen=True, eq=False)
class OpenCorpus:
    """A corpus that a run works on.

    Args:
        folder: the corpus.
        state: what its ledger says.
        limits: of the hosts.
        options: of the stages.
        progress: what to report to.
    """

    folder: Path
    state: CorpusState
    limits: HostLimits
    options: CorpusOptions
    progress: Progress

    @property
    def captions(self) -> Path:
        """The folder of the captions: that of the videos, if it is one."""
        to = self.options.to
        return self.folder / VIDEOS if to is None or is_bucket(to) else Path(to).expanduser().absolute()

    @property
    def has_tasks(self) -> bool:
        """Whether it has a list of tasks."""
        return self.state.task_counts()[0] > 0

    def find(self, source: SearchSource, named: str = "") -> None:
        """Search for the tasks, see ``find_videos``."""
        how = self.options
        find_videos(self.state, source, how.rules, named=named, retry=how.retry, progress=self.progress)

    def read_captions(self) -> None:
        """Get the captions, see ``caption_videos``."""
        plan = CaptionPlan(
            folder=self.captions,
            language=self.options.rules.language,
            min_words=self.options.min_words,
            manners=self.options.manners,
            record=self.folder / HOSTS,
        )
        self._record_all("captions", partial(caption_videos, plan=plan, limits=self.limits))

    def fetch(self) -> None:
        """Fetch the videos, see ``fetch_videos``; nothing where captions alone are wanted."""
        if self.options.only is None:
            plan = self.fetch_plan()
            video_files(plan.to).clean()
            self._note_lost(plan)
            if self.options.engine == "ray":
                from sayso.systems.corpus.fetch_on_cluster import fetch_on_cluster

                fetch_on_cluster(partial(self._record_all, "fetch"), plan, self.options.cluster)
            else:
                self._record_all("fetch", partial(fetch_videos, plan=plan, limits=self.limits))

    def _note_lost(self, plan: FetchPlan) -> None:
        """Let videos wait again whose files are not in their folder any more; a bucket is not looked through.

        Where most are not there, as on a drive that is not mounted, that is only said.
        """
        if is_bucket(plan.to):
            return
        files, lost, there = video_files(plan.to), list[str](), 0
        for key in self.state.fetched():
            if files.size(key) is None:
                lost.append(key)
            else:
                there += 1
        if len(lost) > there and self.options.retry != "failed":
            log.warning(
                "%s of %s fetched videos are not in %s; mount its drive, or fetch them again: --retry failed",
                f"{len(lost):,}",
                f"{len(lost) + there:,}",
                plan.to,
            )
            return
        for key in lost:
            self.state.record(LedgerRow("fetch", key, "failed", LOST))

    def _record_all(self, stage: str, rows_of: Callable[[Sequence[Waiting]], Iterator[LedgerRow]]) -> None:
        if self.options.to is not None:
            write_atomic(self.folder / LEDGER / PLACE, self.options.to)
        record_all(self.state, stage, rows_of, retry=self.options.retry, progress=self.progress)

    def fetch_plan(self) -> FetchPlan:
        """Return how videos are fetched, for whoever calls ``fetch_videos`` elsewhere."""
        to = self.options.to
        return FetchPlan(
            to=to if to is not None and is_bucket(to) else str(self.captions),
            height=self.options.height,
            manners=self.options.manners,
            record=self.folder / HOSTS,
        )

    def build(self) -> None:
        """Write the corpus, see ``build_corpus``."""
        plan = BuildPlan(
            corpus=self.folder,
            captions=self.captions,
            form=self.options.form,
            only=self.options.only,
            min_words=self.options.min_words,
        )
        build_corpus(self.state, plan, progress=self.progress)


@contextmanager
def open_corpus(
    folder: Path,
    options: CorpusOptions | None = None,
    *,
    create: bool = False,
    limits: HostLimits | None = None,
    progress: Progress | None = None,
) -> Iterator[OpenCorpus]:
    """Give a corpus to work on; another process that wants to waits until the block ends.

    Args:
        folder: the corpus.
        options: of the stages.
        create: make it if it is not there.
        limits: of the hosts; by default those of the options.
        progress: what to report to.

    Raises:
        SaysoError: if it is no corpus.
    """
    options, folder = options or CorpusOptions(), folder.expanduser().absolute()
    if not create:
        _ledger_of(folder)
    with writing_as(VERB):
        claim_folder(folder, VERB)
        with _alone(folder), Ledger(folder / LEDGER) as ledger:
            options = _remembered(folder, options)
            state = CorpusState(ledger, read_task_list(folder / TASKS))
            try:
                held = limits or HostLimits(options.manners, folder / HOSTS)
                yield OpenCorpus(folder, state, held, options, progress or Silent())
            finally:
                state.close()


def _remembered(folder: Path, options: CorpusOptions) -> CorpusOptions:
    """Return options that name where videos go, as they went before if that is not said now."""
    place, to = folder / LEDGER / PLACE, options.to
    if to is None:
        return replace(options, to=place.read_text(encoding="utf-8")) if place.exists() else options
    return options if is_bucket(to) else replace(options, to=str(Path(to).expanduser().absolute()))


def run_corpus(
    titles: Sequence[str] | None,
    folder: Path,
    source: str,
    options: CorpusOptions | None = None,
    *,
    threshold: float = THRESHOLD,
    corrections: Mapping[str, bool] | None = None,
    limits: HostLimits | None = None,
    progress: Progress | None = None,
) -> Funnel:
    """Make a corpus from titles, or of all videos of a catalogue; the same call goes on after a kill.

    Args:
        titles: of tasks; None: the videos that the catalogue lists.
        folder: the corpus.
        source: ``youtube``, a catalogue's path, or the address of a site's search with ``{query}``.
        options: of the stages.
        threshold: from which score a task can be seen.
        corrections: what a person says of titles.
        limits: of the hosts; by default those of the options.
        progress: what to report to.

    Raises:
        SaysoError: if there is no such source, or something foreign is in the folder.
    """
    folder = folder.expanduser().absolute()
    if titles is not None:
        prepare_tasks(titles, folder, threshold=threshold, corrections=corrections, progress=progress)
    with open_corpus(folder, options, create=True, limits=limits, progress=progress) as corpus:
        corpus.find(open_source(source, corpus.limits, listed=titles is None), source)
        corpus.read_captions()
        corpus.fetch()
        corpus.build()
        return read_funnel(corpus.state)


def corpus_status(folder: Path) -> Funnel:
    """Return the funnel of a corpus, also while another process works on it.

    Raises:
        SaysoError: if it is no corpus.
    """
    folder = folder.expanduser()
    ledger = _ledger_of(folder)
    state = CorpusState(ledger, read_task_list(folder / TASKS))
    try:
        return read_funnel(state)
    finally:
        state.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a corpus, which goes with the process."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("another process works on this corpus; waiting for it to finish")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _ledger_of(folder: Path) -> Ledger:
    if not (folder / LEDGER).is_dir():
        raise SaysoError(nothing_at(folder, "a corpus is made by: sayso corpus run TITLES --out CORPUS"))
    return Ledger(folder / LEDGER)

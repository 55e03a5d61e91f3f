"""Reading files into an index on a cluster: shards of jobs go out; what comes back is committed in batches.

The driver plans without the lock, and takes it for what has to be noted and for commits. Each worker writes
shards (``sayso.index.shards``) without it, and so does the driver of files of sound, which no encoder reads.
A driver that was killed leaves finished shards, which the next run, wherever it is, commits first. Two
drivers may do the same work: the second shard is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from sayso.core.errors import IndexMismatch
from sayso.core.lazy import need
from sayso.engine.extract import Finished, extract
from sayso.engine.ray_extract import Done, run_on_ray
from sayso.engine.segment import JobClip
from sayso.index.commit import is_due, settle_shards
from sayso.index.fingerprint import digest
from sayso.index.shards import EXTRA, ShardFolder, ShardSink
from sayso.index.sound import sound_clips
from sayso.index.store import Store
from sayso.index.writer import IndexJob, Writer

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.update import Update

SHARD_FILES = 256
SHARD_BYTES = 512 << 20
"""About an hour at 360 lines."""

SHARDS = 64
"""At least, where there are so many files: a few for each worker."""

Engine = Literal["here", "ray"]


@dataclass(frozen=True, slots=True)
class NamedEncoder:
    """Loads an encoder by name where it is needed, since encoders themselves do not travel.

    Args:
        name: of the encoder.
        sha256: of its weights, which must be the same everywhere.
        device: where it runs.
    """

    name: str
    sha256: str
    device: str

    def __call__(self) -> Encoder:
        """Return the encoder.

        Raises:
            IndexMismatch: if it is another one under the same name.
        """
        from sayso.encoders import load_encoder

        encoder = load_encoder(self.name, device=self.device)
        if encoder.sha256 != self.sha256:
            raise IndexMismatch(f"a worker's model {self.name} differs from the driver's; give all the same")
        return encoder


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where files are read.

    Args:
        load: loads the encoder in each worker; it is pickled.
        address: of the Ray cluster; None: one of this machine's cores.
        actors: how many; None: one a core.
        shard_files: how many files a shard has at most; None: as many as leave something for each worker.
    """

    load: Callable[[], Encoder]
    address: str | None = None
    actors: int | None = None
    shard_files: int | None = None


@dataclass(frozen=True, slots=True)
class ShardWork:
    """A shard to make.

    Args:
        id: digest of what goes in.
        jobs: the files.
    """

    id: str
    jobs: tuple[IndexJob, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file gave: how many clips, and what could not be read of it."""

    clips: int
    error: str | None


@dataclass(frozen=True, slots=True)
class _Begin:
    """What an actor starts with."""

    address: str
    generation: int
    load: Callable[[], Encoder]

    def __call__(self) -> Callable[[ShardWork], list[Outcome]]:
        store, encoder = Store(self.address, self.generation), self.load()
        read = partial(extract, encoder=encoder, workers=1, encoders=1, cores_each=1)
        return lambda work: make_shard(store, work, read(work.jobs))


def make_shard(
    store: Store, work: ShardWork, items: Iterable[JobClip[IndexJob] | Finished[IndexJob]]
) -> list[Outcome]:
    """Write what a shard's files give and leave it open; return what each gave, in their order.

    Args:
        store: the index.
        work: what goes in.
        items: what is read of it.
    """
    sink = ShardSink(store)
    writer = Writer(sink)
    found: dict[str, Outcome] = {}
    try:
        for item in items:
            if not isinstance(item, Finished):
                writer.add(item)
            else:
                done, clips = writer.finish(item)
                found[item.job.path] = Outcome(clips, done.error)
    finally:
        writer.close()
    replaces = {job.path: job.replaces for job in work.jobs if job.replaces}
    ShardFolder(store).write(sink.shard(work.id, replaces))
    return [found[job.path] for job in work.jobs]


def read_on_cluster(update: Update, jobs: Sequence[IndexJob], cluster: Cluster) -> None:
    """Read files on a cluster and commit them, and count them in an update; the caller holds no lock.

    Args:
        update: the run that they belong to.
        jobs: the files.
        cluster: where.

    Raises:
        SaysoError: if the cluster cannot be reached, or the index cannot be written.
    """
    need("lance", EXTRA)
    store, rest, counted, failed = update.store, list(jobs), set[str](), set[str]()
    while rest:
        committed = waiting = 0
        for done in _made(store, rest, cluster):
            outcomes = done.result or [Outcome(0, done.error)] * len(done.work.jobs)
            for job, outcome in zip(done.work.jobs, outcomes, strict=True):
                if job.path not in counted:
                    update.finish(Finished(job, None, outcome.error), outcome.clips)
                counted.add(job.path)
            failed |= {job.path for job, one in zip(done.work.jobs, outcomes, strict=True) if not one.clips}
            waiting += 1
            if is_due(waiting, committed):
                with store.writing():
                    settle_shards(store)
                committed, waiting = committed + waiting, 0
        with store.writing():
            settle_shards(store)
            rest = _overtaken(store, rest, failed)


def _made(
    store: Store, jobs: Sequence[IndexJob], cluster: Cluster
) -> Iterator[Done[ShardWork, list[Outcome]]]:
    """Make shards of files; yield each once it is there. Sound is heard here, all else on the cluster."""
    for work in _shards([job for job in jobs if job.kind == "sound"], cluster.shard_files):
        items = (item for job in work.jobs for item in sound_clips(job, store.identity.dim))
        yield Done(work, make_shard(store, work, items))
    pieces = list(_shards([job for job in jobs if job.kind != "sound"], cluster.shard_files))
    if pieces:
        begin = _Begin(store.address, store.generation, cluster.load)
        yield from run_on_ray(pieces, begin, address=cluster.address, actors=cluster.actors)


def _overtaken(store: Store, jobs: Sequence[IndexJob], failed: set[str]) -> list[IndexJob]:
    """Return the files that were read, and forgotten because another driver had one of their shard."""
    held = store.records()
    missing = (job for job in jobs if job.path not in failed)
    return [
        job
        for job in missing
        if job.path not in held or (job.replaces and held[job.path].media_id == job.replaces)
    ]


def _shards(jobs: Sequence[IndexJob], files: int | None) -> Iterator[ShardWork]:
    """Cut jobs into shards; the same jobs give the same names."""
    files = files or min(SHARD_FILES, -(-len(jobs) // SHARDS))
    held: list[IndexJob] = []
    size = 0
    for job in jobs:
        held.append(job)
        size += job.record.size
        if len(held) >= files or size >= SHARD_BYTES:
            yield _shard(held)
            held, size = [], 0
    if held:
        yield _shard(held)


def _shard(jobs: Sequence[IndexJob]) -> ShardWork:
    ids = [[job.record.media_id, job.thumbs] for job in jobs]
    return ShardWork(digest(ids), tuple(jobs))

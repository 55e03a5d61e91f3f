"""From files to embedded clips: decoding and encoding overlap, at bounded memory.

A few threads decode (PyAV and Pillow let go of the interpreter while they work),
the caller's thread encodes full batches, whichever files they come from. Between
them stands a queue bounded in bytes, so memory does not grow with the number or
the length of the files.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.engine.cut import Cut, Facts, Job, cut_clips

if TYPE_CHECKING:
    from sayso.encoders.base import ClipSpec, Embeddings, Encoder


@dataclass(frozen=True, slots=True)
class Embedded:
    """One clip of a job: its span, its vector (D,) float32 and a JPEG of its middle frame."""

    job: Job
    facts: Facts
    span: Span
    vector: NDArray[np.float32]
    thumb: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """A job is done; all its clips came before. ``error`` says what could not be read."""

    job: Job
    facts: Facts
    error: str | None = None


def extract(
    jobs: Iterable[Job],
    encoder: Encoder,
    *,
    workers: int | None = None,
    batch_frames: int = 64,
    max_bytes: int = 256 << 20,
) -> Iterator[Embedded | Finished]:
    """Decode and embed; yield each job's clips in order, then its ``Finished``.

    Args:
        jobs: consumed lazily, by the decoding threads, one at a time.
        encoder: embeds the clips.
        workers: decoding threads; by default ``default_workers()``.
        batch_frames: about how many frames are encoded at once.
        max_bytes: bound on decoded frames that wait to be encoded.
    """
    ready = _Channel(max_bytes)
    threads = _start_decoders(jobs, ready, encoder.clip, workers or default_workers())
    try:
        for batch in _batches(ready, len(threads), batch_frames):
            yield from _embed(batch, encoder)
    finally:
        ready.close()
        for thread in threads:
            thread.join()


def default_workers() -> int:
    """Return how many threads decode where nobody chose: one a core, at most 8."""
    return min(8, os.cpu_count() or 1)


class _ClosedError(Exception):
    """Nobody reads the channel any more."""


class _Channel:
    """A queue whose items together hold at most ``max_bytes``, or else a single item."""

    def __init__(self, max_bytes: int) -> None:
        self.items: deque[tuple[Any, int]] = deque()
        self.max_bytes, self.held, self.closed = max_bytes, 0, False
        self.changed = threading.Condition()

    def put(self, item: Any, size: int = 0) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.closed or not self.held or self.held + size <= self.max_bytes)
            if self.closed:
                raise _ClosedError
            self.held += size
            self.items.append((item, size))
            self.changed.notify_all()

    def get(self) -> Any:
        with self.changed:
            self.changed.wait_for(lambda: self.items)
            item, size = self.items.popleft()
            self.held -= size
            self.changed.notify_all()
        return item

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def _start_decoders(
    jobs: Iterable[Job], ready: _Channel, spec: ClipSpec, workers: int
) -> list[threading.Thread]:
    source, turn = iter(jobs), threading.Lock()

    def work() -> None:
        try:
            while True:
                with turn:
                    job = next(source, None)
                if job is None:
                    break
                _decode(job, spec, ready)
            ready.put(None)
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            with contextlib.suppress(_ClosedError):
                ready.put(error)

    threads = [threading.Thread(target=work, name=f"decode-{k}", daemon=True) for k in range(workers)]
    for thread in threads:
        thread.start()
    return threads


def _decode(job: Job, spec: ClipSpec, ready: _Channel) -> None:
    facts = Facts()
    error = None
    try:
        for cut in cut_clips(job, spec):
            facts = cut.facts
            ready.put(cut, cut.frames.nbytes)
    except SaysoError as problem:
        error = str(problem)
    except MemoryError:
        error = f"{job.path}: there is not enough memory to decode it"
    ready.put(Finished(job, facts, error))


def _batches(ready: _Channel, decoders: int, batch_frames: int) -> Iterator[list[Cut | Finished]]:
    batch: list[Cut | Finished] = []
    frames = 0
    while decoders:
        item = ready.get()
        if isinstance(item, BaseException):
            raise item
        if item is None:
            decoders -= 1
        else:
            batch.append(item)
            frames += len(item.frames) if isinstance(item, Cut) else 0
        if batch and (frames >= batch_frames or not frames or not decoders):
            yield batch
            batch, frames = [], 0


def _embed(batch: list[Cut | Finished], encoder: Encoder) -> Iterator[Embedded | Finished]:
    """Embed clips of one shape together; give everything back in the order it came."""
    cuts = [item for item in batch if isinstance(item, Cut)]
    vectors: dict[int, NDArray[np.float32]] = {}
    for shape in {cut.frames.shape for cut in cuts}:
        alike = [cut for cut in cuts if cut.frames.shape == shape]
        embedded: Embeddings = encoder.encode_video(np.stack([cut.frames for cut in alike]))
        vectors.update({id(cut): vector for cut, vector in zip(alike, embedded, strict=True)})
    for item in batch:
        if isinstance(item, Finished):
            yield item
        else:
            yield Embedded(item.job, item.facts, item.span, vectors[id(item)], item.thumb)

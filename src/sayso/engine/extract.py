"""From files to embedded clips: decoding and encoding overlap, at bounded memory.

A few threads decode (PyAV and Pillow let go of the interpreter while they work),
others encode full batches, whichever files they come from. Between them stands a
queue bounded in bytes, so memory does not grow with the number or the length of
the files. On a CPU each encoding thread keeps to its own cores, since a network that
spreads over all of them waits for the slowest, which the decoders are holding up;
and no more threads work at once than there are cores, so that none pushes out
another's caches.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic

import numpy as np
from numpy.typing import NDArray

from sayso.core.device import cores, has_accelerator, keep_to
from sayso.core.fence import why_it_failed
from sayso.engine.byte_queue import ByteQueue, ClosedError
from sayso.engine.segment import J, JobClip, cut_clips

if TYPE_CHECKING:
    from sayso.encoders.interface import ClipSpec, Embeddings, Encoder
    from sayso.media.header import Probe


@dataclass(frozen=True, slots=True)
class Finished(Generic[J]):
    """A job is done; all its clips came before. ``error`` says what could not be read."""

    job: J
    probe: Probe | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Refused(Generic[J]):
    """A clip of a job that could not be embedded."""

    job: J
    error: str


def extract(
    jobs: Iterable[J],
    encoder: Encoder,
    *,
    workers: int | None = None,
    encoders: int | None = None,
    cores_each: int | None = None,
    batch_frames: int = 64,
    max_bytes: int = 256 << 20,
    decoded: Callable[[J, float], None] | None = None,
) -> Iterator[JobClip[J] | Finished[J]]:
    """Decode and embed; yield each job's clips in order, their content a vector (D,), then its ``Finished``.

    Args:
        jobs: consumed lazily, by the decoding threads, one at a time.
        encoder: embeds the clips.
        workers: decoding threads; by default one a core, at most 8.
        encoders: encoding threads; by default one with an accelerator, else as many as decode.
        cores_each: how many each of them may use; by default they share all.
        batch_frames: about how many frames are encoded at once.
        max_bytes: bound on decoded frames that wait to be encoded.
        decoded: is told by the decoding threads how far, in seconds, they have come in a file.
    """
    workers, accelerated = workers or default_workers(), has_accelerator()
    encoders = encoders or (1 if accelerated else default_workers())
    slots = threading.Semaphore(max(workers, cores()) + (encoders if accelerated else 0))
    ready = ByteQueue(max_bytes)
    work = _Decoding(ready, encoder.clip, slots, decoded or (lambda *_: None))
    threads = _start_decoders(jobs, work, workers)
    try:
        limit = cores_each or cores() // encoders
        yield from _embed_all(_batches(ready, workers, batch_frames), encoder, encoders, limit, slots)
    finally:
        ready.close()
        for thread in threads:
            thread.join()


def default_workers() -> int:
    """Return how many threads decode where nobody chose: one a core, at most 8."""
    return min(8, cores())


@dataclass(frozen=True, slots=True)
class _Decoding(Generic[J]):
    """What all decoding threads share; see ``extract``."""

    ready: ByteQueue
    spec: ClipSpec
    slots: threading.Semaphore
    decoded: Callable[[J, float], None]


def _start_decoders(jobs: Iterable[J], shared: _Decoding[J], workers: int) -> list[threading.Thread]:
    source, turn = iter(jobs), threading.Lock()

    def work() -> None:
        try:
            while True:
                with turn:
                    job = next(source, None)
                if job is None:
                    break
                _decode(job, shared)
            shared.ready.put(None)
        except ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            with contextlib.suppress(ClosedError):
                shared.ready.put(error)

    threads = [threading.Thread(target=work, name=f"decode-{k}", daemon=True) for k in range(workers)]
    for thread in threads:
        thread.start()
    return threads


def _decode(job: J, shared: _Decoding[J]) -> None:
    probed: Probe | None = None
    error = None
    try:
        segments = cut_clips(job, shared.spec)
        while True:
            with shared.slots:
                segment = next(segments, None)
            if segment is None:
                break
            probed = segment.probe
            shared.decoded(job, segment.span.end)
            shared.ready.put(segment, segment.content.nbytes)
    except ClosedError:
        raise
    except Exception as problem:  # noqa: BLE001  whatever one file does is its own failure
        error = why_it_failed(problem, job.path)
    shared.ready.put(Finished(job, probed, error))


def _batches(ready: ByteQueue, decoders: int, batch_frames: int) -> Iterator[list[JobClip[J] | Finished[J]]]:
    batch: list[JobClip[J] | Finished[J]] = []
    frames = 0
    while decoders:
        item = ready.get()
        if isinstance(item, BaseException):
            raise item
        if item is None:
            decoders -= 1
        else:
            batch.append(item)
            frames += len(item.content) if isinstance(item, JobClip) else 0
        if batch and (frames >= batch_frames or not frames or not decoders):
            yield batch
            batch, frames = [], 0


def _embed_all(
    batches: Iterator[list[JobClip[J] | Finished[J]]],
    encoder: Encoder,
    encoders: int,
    cores_each: int,
    slots: threading.Semaphore,
) -> Iterator[JobClip[J] | Finished[J]]:
    """Embed batches side by side; give them back in the order they came."""
    refused: dict[int, str] = {}
    with keep_to(cores_each) as limit, ThreadPoolExecutor(encoders, "encode", limit) as pool:
        under_way: deque[Future[list[JobClip[J] | Finished[J] | _Refused[J]]]] = deque()
        for batch in batches:
            under_way.append(pool.submit(_embed, batch, encoder, slots))
            while len(under_way) > encoders or (under_way and under_way[0].done()):
                yield from _told(under_way.popleft().result(), refused)
        for future in under_way:
            yield from _told(future.result(), refused)


def _told(
    items: list[JobClip[J] | Finished[J] | _Refused[J]], refused: dict[int, str]
) -> Iterator[JobClip[J] | Finished[J]]:
    """Give what was embedded; where a clip could not be, its job says so once it is done."""
    for item in items:
        if isinstance(item, _Refused):
            refused.setdefault(id(item.job), item.error)
        elif isinstance(item, Finished):
            spoilt = refused.pop(id(item.job), None)  # always: another job may have this id soon
            yield replace(item, error=item.error or spoilt)
        else:
            yield item


def _embed(
    batch: list[JobClip[J] | Finished[J]], encoder: Encoder, slots: threading.Semaphore
) -> list[JobClip[J] | Finished[J] | _Refused[J]]:
    """Embed clips of one shape together; give everything back in the order it came."""
    segments = [item for item in batch if isinstance(item, JobClip)]
    vectors: dict[int, NDArray[np.float32]] = {}
    refused: dict[int, str] = {}
    for shape in {segment.content.shape for segment in segments}:
        alike = [segment for segment in segments if segment.content.shape == shape]
        with slots:
            try:
                vectors.update(_vectors(alike, encoder))
            except Exception as error:
                if _of_machine(error):
                    raise
                vectors.update(_one_by_one(alike, encoder, refused))
                if not vectors and len({id(segment.job) for segment in alike}) > 1:
                    raise error from None  # not a clip's fault: the encoder does nothing
    return [
        item
        if isinstance(item, Finished)
        else _Refused(item.job, refused[id(item)])
        if id(item) in refused
        else replace(item, content=vectors[id(item)])
        for item in batch
    ]


def _of_machine(error: Exception) -> bool:
    """Tell whether no clip is at fault: the same command goes on once the machine is well."""
    kind = type(error).__name__
    return isinstance(error, (MemoryError, OSError)) or kind == "OutOfMemoryError" or "CUDA" in str(error)


def _vectors(clips: list[JobClip[J]], encoder: Encoder) -> dict[int, NDArray[np.float32]]:
    embedded: Embeddings = encoder.encode_video(np.stack([clip.content for clip in clips]))
    if not np.isfinite(embedded).all():
        raise ValueError("its embedding is not a number")
    return {id(clip): vector for clip, vector in zip(clips, embedded, strict=True)}


def _one_by_one(
    clips: list[JobClip[J]], encoder: Encoder, refused: dict[int, str]
) -> dict[int, NDArray[np.float32]]:
    """Embed clips of which one spoils the batch; note those that cannot be."""
    vectors = {}
    for clip in clips:
        try:
            vectors.update(_vectors([clip], encoder))
        except Exception as error:  # noqa: BLE001
            refused[id(clip)] = why_it_failed(error, clip.job.path)
    return vectors

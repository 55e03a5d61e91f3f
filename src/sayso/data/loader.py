"""A stream of training batches: shuffled, decoded and collated ahead, resumable, the same however it is made.

What is in batch n follows from the seed alone. It does not depend on how many workers
decode, nor on how many processes share the batch: of a batch of B, process r of R gets
the r-th part of B / R examples. A video that cannot be read is noted and another
example stands in for it.

Threads decode: PyAV lets go of the interpreter while it works, frames need not be copied
between processes, and a corpus on disk is mapped once (benchmarks/loader.py has the figures).
They collate too: whoever makes a batch's last example turns all of them into arrays, so that what a
method does to its examples (padding, tokenising) costs the thread that trains nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sayso.core.errors import SaysoError
from sayso.data.batch import Batch, Dataset, Example, stack
from sayso.data.manifest import Failure
from sayso.data.sampler import Sampler
from sayso.data.workers import Collate, CollateBuffer, Workers

_MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Rate:
    """What a loader did since it was last asked.

    Args:
        examples: given out.
        elapsed_s: seconds since then.
        waited_s: seconds of these in which the consumer waited for the loader.
        decoding_s: seconds that the workers spent on the examples, summed over workers.
        workers: number of workers, at least 1.
    """

    examples: int
    elapsed_s: float
    waited_s: float
    decoding_s: float
    workers: int

    @property
    def examples_per_s(self) -> float:
        """Examples a second that were given out: the slower of loader and consumer decides."""
        return self.examples / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def capacity_per_s(self) -> float:
        """Examples a second that the workers make when nothing holds them up."""
        return self.workers * self.examples / self.decoding_s if self.decoding_s > 0 else 0.0

    @property
    def waiting(self) -> float:
        """Share of the time, 0 to 1, in which the consumer waited."""
        return min(1.0, self.waited_s / self.elapsed_s) if self.elapsed_s > 0 else 0.0


class Loader:
    """Batches of a dataset, epoch after epoch.

    Iterating again goes on where the last iteration stopped. Examples that do not fill a batch
    at the end of an epoch are left out of it; they are other ones in every epoch.

    Args:
        dataset: what to sample from; see ``Clips`` and ``FeatureClips``.
        batch_size: B, examples a batch in this process.
        collate: makes a batch of B examples, in a worker's thread; it must follow from them alone.
        seed: of all random numbers, 0 or more.
        workers: decoding threads; 0 decodes when a batch is asked for. By default one a core.
        rank: which process this is.
        world_size: how many processes share every batch of ``batch_size * world_size``.
        epochs: how often to go through the dataset; None is for ever.
        prefetch: batches that are decoded ahead, at most.
        max_bytes: bound on examples decoded ahead, bytes; the batch asked for comes on top.
        state: of another loader's ``state()``: go on at its next batch. The number of processes
            may differ as long as they share batches of the same size.

    Attributes:
        failures: the videos that could not be read, each once, with the reason.
        replaced: how many items others stood in for.

    Raises:
        SaysoError: if a number makes no sense, an epoch does not fill one batch, or the state
            is of another dataset, batch or seed.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        *,
        collate: Collate = stack,
        seed: int = 0,
        workers: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        epochs: int | None = None,
        prefetch: int = 2,
        max_bytes: int = 1 << 30,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if not 0 <= rank < world_size:
            raise SaysoError(f"rank must be 0 to world_size - 1; got {rank} of {world_size}")
        if workers is not None and workers < 0:
            raise SaysoError(f"workers must be 0 or more; got {workers}")
        if batch_size < 1 or batch_size % dataset.group:
            raise SaysoError(
                f"batch_size must be a multiple of {dataset.group}, the examples sampled of one item; "
                f"got {batch_size}"
            )
        self.dataset, self.batch_size, self.epochs, self.collate = dataset, batch_size, epochs, collate
        self.rank, self.world_size = rank, world_size
        self.workers = (os.cpu_count() or 1) if workers is None else workers
        self.prefetch, self.max_bytes = max(1, prefetch), max_bytes
        self.failures: list[Failure] = []
        self.replaced = 0
        self._sampler = Sampler(len(dataset), seed)
        self._items = batch_size // dataset.group
        self._next = 0
        self._start_counting()
        if len(self) < 1:
            raise SaysoError(
                f"an epoch has {len(dataset)} items and a batch takes {self._items * world_size}: "
                "use smaller batches (--set batch_size=N), fewer processes, or more captions of each video"
            )
        if state is not None:
            self._restore(state)

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        return len(self.dataset) // (self._items * self.world_size)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self._next // len(self)

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches until ``epochs`` are over."""
        self._start_counting()
        with closing(self._filled()) as filled:
            while self.epochs is None or self.epoch < self.epochs:
                began = time.perf_counter()
                buffer = next(filled)
                self._next += 1
                self._count(buffer, time.perf_counter() - began)
                yield buffer.take()

    def state(self) -> dict[str, Any]:
        """Return where the stream stands, ready for JSON: after the last batch that was given out."""
        return {
            "next": self._next,
            "seed": self._sampler.seed,
            "items": len(self.dataset),
            "batch": self._items * self.world_size,
            "replaced": self.replaced,
            "failures": [failure.to_dict() for failure in self.failures],
        }

    def rate(self) -> Rate:
        """Return what was done since the last call, or since iterating began."""
        elapsed_s = time.perf_counter() - self._since
        done = Rate(self._given, elapsed_s, self._waited_s, self._decoding_s, max(1, self.workers))
        self._start_counting()
        return done

    def _restore(self, state: Mapping[str, Any]) -> None:
        here = self.state()
        for key, what in (("seed", "seed"), ("items", "number of items"), ("batch", "items a batch")):
            if state[key] != here[key]:
                raise SaysoError(
                    f"the data position was saved with another {what} ({state[key]}, now {here[key]}); "
                    "resume with the same corpus, seed and batch size, or start anew"
                )
        self._next, self.replaced = int(state["next"]), int(state["replaced"])
        self.failures = [Failure(**entry) for entry in state["failures"]]

    def _start_counting(self) -> None:
        self._since = time.perf_counter()
        self._given, self._waited_s, self._decoding_s = 0, 0.0, 0.0

    def _count(self, buffer: CollateBuffer, waited_s: float) -> None:
        self._waited_s += waited_s
        self._given += self.batch_size
        self._decoding_s += buffer.seconds
        self.replaced += len(buffer.failures)
        failures = [failure for number in sorted(buffer.failures) for failure in buffer.failures[number]]
        known = {failure.path for failure in self.failures} if failures else set()
        for failure in failures:
            if failure.path not in known:
                known.add(failure.path)
                self.failures.append(failure)

    def _buffers(self) -> Iterator[CollateBuffer]:
        """Yield the batches that are this process's, empty, from the next one on."""
        batch = self._next
        while self.epochs is None or batch < self.epochs * len(self):
            epoch, within = divmod(batch, len(self))
            first = (within * self.world_size + self.rank) * self._items
            yield CollateBuffer(epoch, first, self._items, self.collate)
            batch += 1

    def _filled(self) -> Generator[CollateBuffer, None, None]:
        """Yield the batches in their order, made ahead by the workers."""
        if not self.workers:
            for buffer in self._buffers():
                for number in range(buffer.items):
                    buffer.fill(number, self._examples)
                buffer.wait()
                yield buffer
            return
        workers = Workers(self.workers, self._buffers(), self._examples, self._ahead)
        try:
            while (made := workers.next(self._items)) is not None:
                yield made
        finally:
            workers.close()

    def _ahead(self, item_bytes: int) -> int:
        """Return how many items to have in the making: at least one a worker, within the bounds."""
        if not item_bytes:
            return self.workers
        return max(self.workers, min(self.prefetch * self._items, self.max_bytes // item_bytes))

    def _examples(self, epoch: int, position: int) -> tuple[list[Example], list[Failure]]:
        """Return the examples at a position, or those that stand in for them, and what could not be read."""
        item = self._sampler.item(epoch, position)
        failures: list[Failure] = []
        while len(failures) < _MOST_ATTEMPTS:
            try:
                return self.dataset.sample(item, self._sampler.rng(epoch, item)), failures
            except (SaysoError, MemoryError) as error:
                failures.append(Failure(self.dataset.name(item), "decode", str(error) or "out of memory"))
            item = self._sampler.substitute(epoch, position, len(failures), self._items * self.world_size)
        raise SaysoError(
            f"{_MOST_ATTEMPTS} items sampled one after the other cannot be read, the last because: "
            f"{failures[-1].error}"
        )

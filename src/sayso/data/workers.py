"""Threads that make batches ahead: they sample examples, and whoever makes the last one of a batch collates.

The consumer only waits for batches and takes them, however many examples they have: nothing is handed
over an example at a time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.data.batch import Batch, Example, nbytes
from sayso.data.manifest import Failure

Collate = Callable[[Sequence[Example]], Batch]
Sample = Callable[[int, int], tuple[list[Example], list[Failure]]]  # epoch, position

_LARGE = 4096  # bytes of an array that is worth a place of its own in the batch


class CollateBuffer:
    """The examples of a batch until the last one is there; then the batch.

    Arrays of one shape are put side by side as they come, where ``stack`` finds them: a batch of
    65,536 pictures is never there twice.

    Args:
        epoch: of its examples.
        first: position in the epoch of its first item.
        items: how many it has.
        collate: makes arrays of the examples.

    Attributes:
        batch: the result, once ``wait`` returns.
        failures: by item, what could not be read before it; items without are left out.
        seconds: that were spent on it, summed over threads.
        item_bytes: of an item's examples.
    """

    def __init__(self, epoch: int, first: int, items: int, collate: Collate) -> None:
        self.epoch, self.first, self.items = epoch, first, items
        self.batch: Batch = {}
        self.failures: dict[int, list[Failure]] = {}
        self.seconds, self.item_bytes = 0.0, 0
        self._examples: list[list[Example]] = [[] for _ in range(items)]
        self._places: dict[str, NDArray[Any]] = {}
        self._lacking, self._collate = items, collate
        self._error: BaseException | None = None
        self._lock, self._done = threading.Lock(), threading.Event()

    def fill(self, number: int, sample: Sample) -> None:
        """Sample item ``number``; after the last one, collate. What goes wrong is raised by ``wait``."""
        began = time.perf_counter()
        try:
            examples, failures = sample(self.epoch, self.first + number)
            size = sum(map(nbytes, examples))
            self._examples[number] = self._placed(number, examples)
            with self._lock:
                if failures:
                    self.failures[number] = failures
                self._lacking -= 1
                last = not self._lacking
            if last:
                flat = [example for item in self._examples for example in item]
                self.batch = {**self._collate(flat), "epoch": np.array(self.epoch)}
                self._examples, self._places = [], {}
            with self._lock:
                self.item_bytes = size
                self.seconds += time.perf_counter() - began
            if last:
                self._done.set()
        except BaseException as error:  # noqa: BLE001  raised again by who waits
            self._error = error
            self._done.set()

    def _placed(self, number: int, examples: list[Example]) -> list[Example]:
        """Return examples whose large arrays are rows of those of the batch, where the shapes agree."""
        return [
            {
                key: self._place(number * len(examples) + n, len(examples), key, value)
                for key, value in one.items()
            }
            for n, one in enumerate(examples)
        ]

    def _place(self, row: int, group: int, key: str, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.nbytes < _LARGE:
            return value
        with self._lock:
            if key not in self._places:
                self._places[key] = np.empty((self.items * group, *value.shape), value.dtype)
            place = self._places[key]
        if value.shape != place.shape[1:] or value.dtype != place.dtype or row >= len(place):
            return value
        place[row] = value
        return place[row]

    def take(self) -> Batch:
        """Return the batch, once ``wait`` returned, and keep it no longer."""
        batch, self.batch = self.batch, {}
        return batch

    def wait(self) -> None:
        """Return when the batch is there.

        Raises:
            BaseException: what a thread raised.
        """
        if not self._done.is_set():
            self._done.wait()
        if self._error is not None:
            raise self._error


class Workers:
    """Threads that fill buffers, in their order.

    Args:
        count: of threads.
        buffers: to fill; taken one after the other.
        sample: gives the examples at a position of an epoch.
        ahead: how many items to have in the making besides those asked for, given an item's bytes.
    """

    def __init__(
        self, count: int, buffers: Iterator[CollateBuffer], sample: Sample, ahead: Callable[[int], int]
    ) -> None:
        self._buffers, self._sample, self._ahead = buffers, sample, ahead
        self._begun: deque[CollateBuffer] = deque()
        self._filling: CollateBuffer | None = None
        self._number = self._taken = self._asked = self._item_bytes = 0
        self._closed = False
        lock = threading.Lock()
        self._room_made, self._batch_begun = threading.Condition(lock), threading.Condition(lock)
        self._threads = [threading.Thread(target=self._work, name=f"load_{n}") for n in range(count)]
        for thread in self._threads:
            thread.start()

    def next(self, items: int) -> CollateBuffer | None:
        """Return the next buffer, filled; None after the last one.

        Args:
            items: how many it has: so many more may be made from now on.
        """
        with self._room_made:
            self._asked += items
            self._room_made.notify()  # one thread: it wakes the next, at no cost to who trains
            while not self._begun:
                if self._closed:
                    return None
                self._batch_begun.wait()
            buffer = self._begun.popleft()
        buffer.wait()
        self._item_bytes = buffer.item_bytes
        return buffer

    def close(self) -> None:
        """End the threads, each after the item that it is at."""
        with self._room_made:
            self._end()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (ticket := self._take()) is not None:
            buffer, number = ticket
            buffer.fill(number, self._sample)

    def _take(self) -> tuple[CollateBuffer, int] | None:
        """Return the next item to sample; None when there is none any more."""
        with self._room_made:
            while not (self._closed or self._has_room()):
                self._room_made.wait()
            if self._closed:
                return None
            if self._filling is None or self._number == self._filling.items:
                self._filling, self._number = next(self._buffers, None), 0
                if self._filling is None:
                    self._end()
                    return None
                self._begun.append(self._filling)
                self._batch_begun.notify()
            self._number += 1
            self._taken += 1
            if self._has_room():
                self._room_made.notify()
            return self._filling, self._number - 1

    def _end(self) -> None:
        self._closed = True
        self._room_made.notify_all()
        self._batch_begun.notify_all()

    def _has_room(self) -> bool:
        return self._asked > 0 and self._taken < self._asked + self._ahead(self._item_bytes)

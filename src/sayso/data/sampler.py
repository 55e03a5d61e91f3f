"""In which order an epoch goes through its items: random, but the same for everybody who asks.

Position p of epoch e always holds the same item, whoever asks: so any number of workers
and processes agree without a word, and training resumes anywhere.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

_OUTSIDE_ATTEMPTS = 10
_ORDER, _SAMPLE, _REPLACE = 0, 1, 2  # streams of random numbers that must not be one another's


class Sampler:
    """The shuffled items of every epoch.

    Args:
        items: how many there are; an epoch's order takes 4 bytes of memory for each.
        seed: 0 or more.

    Raises:
        SaysoError: if the seed is negative.
    """

    def __init__(self, items: int, seed: int) -> None:
        if seed < 0:
            raise SaysoError(f"a seed must be 0 or more; got {seed}")
        self.items, self.seed = items, seed
        self._kept: dict[int, NDArray[np.uint32]] = {}
        self._lock = threading.Lock()

    def item(self, epoch: int, position: int) -> int:
        """Return the item at a position, 0 to ``items - 1``, of an epoch."""
        with self._lock:
            if epoch not in self._kept:
                self._kept = {e: kept for e, kept in self._kept.items() if e == epoch - 1}
                self._kept[epoch] = self._shuffled(epoch)
            return int(self._kept[epoch][position])

    def substitute(self, epoch: int, position: int, attempt: int, batch: int) -> int:
        """Return an item to use in place of the one at a position, which cannot be read.

        It comes from outside the batch of ``batch`` positions if there is an outside, so that no
        batch holds an item twice on that account; after ten attempts from anywhere.

        Args:
            epoch: the epoch.
            position: whose item cannot be read.
            attempt: 1 for the first substitute, 2 if that cannot be read either, ...
            batch: positions of a batch, of all processes together.
        """
        rng = np.random.default_rng([self.seed, _REPLACE, epoch, position, attempt])
        after = (position // batch + 1) * batch
        outside = self.items - batch if attempt <= _OUTSIDE_ATTEMPTS else 0
        step = int(rng.integers(outside if outside > 0 else self.items))
        return self.item(epoch, (after + step) % self.items)

    def rng(self, epoch: int, item: int) -> np.random.Generator:
        """Return the random numbers of an item's examples in an epoch."""
        return np.random.default_rng([self.seed, _SAMPLE, epoch, item])

    def _shuffled(self, epoch: int) -> NDArray[np.uint32]:
        order = np.arange(self.items, dtype=np.uint32)
        np.random.default_rng([self.seed, _ORDER, epoch]).shuffle(order)
        return order

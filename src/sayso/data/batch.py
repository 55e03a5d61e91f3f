"""What is learned from: an example, a batch of them, and who draws them.

An example is what is seen, or its features, with the K captions that may tell of it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One clip with the captions said about then.

    Args:
        visual: frames (T, H, W, 3) uint8 RGB, or features (D,) float32.
        texts: K captions, the clip's own first.
        distinct: how many of them, from the first on, are different ones; see ``bag_of``.
        video: number of the video in its corpus.
        caption: number of the caption in its corpus.
    """

    visual: NDArray[Any]
    texts: tuple[str, ...]
    distinct: int
    video: int
    caption: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Examples side by side.

    Args:
        visual: (B, T, H, W, 3) uint8 RGB frames, or (B, D) float32 features.
        texts: B tuples of K captions.
        distinct: (B,) int64, how many of each K are different ones.
        video: (B,) int64, numbers of the videos.
        caption: (B,) int64, numbers of the captions.
        epoch: how often the corpus was gone through before.
    """

    visual: NDArray[Any]
    texts: list[tuple[str, ...]]
    distinct: NDArray[np.int64]
    video: NDArray[np.int64]
    caption: NDArray[np.int64]
    epoch: int

    def __len__(self) -> int:
        """Return B."""
        return len(self.texts)

    @property
    def frames(self) -> NDArray[np.uint8]:
        """(B, T, H, W, 3) uint8.

        Raises:
            SaysoError: if the batch holds features.
        """
        if self.visual.ndim != 5:
            raise SaysoError("this batch holds features, not frames; give the loader a corpus of videos")
        return self.visual

    @property
    def features(self) -> NDArray[np.float32]:
        """(B, D) float32.

        Raises:
            SaysoError: if the batch holds frames.
        """
        if self.visual.ndim != 2:
            raise SaysoError("this batch holds frames, not features; give the loader features")
        return self.visual


class Filling:
    """A batch while it is filled: examples are copied to their places by those who made them.

    Args:
        size: B.
        epoch: of its examples.
    """

    def __init__(self, size: int, epoch: int) -> None:
        self.epoch = epoch
        self._visual: NDArray[Any] = np.empty(0)  # until the first example shows the shape
        self._texts: list[tuple[str, ...]] = [()] * size
        self._numbers = np.zeros((3, size), np.int64)
        self._turn = threading.Lock()

    def put(self, place: int, example: Example) -> None:
        """Set the example at a place, 0 to B - 1; threads may fill different places at once.

        Raises:
            SaysoError: if it has another shape than the others.
        """
        with self._turn:
            if not len(self._visual):
                shape = (len(self._texts), *example.visual.shape)
                self._visual = np.empty(shape, example.visual.dtype)
        if self._visual.shape[1:] != example.visual.shape:
            raise SaysoError(
                "examples of one batch must have one shape; "
                f"got {self._visual.shape[1:]} and {example.visual.shape}"
            )
        self._visual[place] = example.visual
        self._texts[place] = example.texts
        self._numbers[:, place] = example.distinct, example.video, example.caption

    def batch(self) -> Batch:
        """Return the batch; all its places must be filled."""
        distinct, video, caption = self._numbers
        return Batch(self._visual, self._texts, distinct, video, caption, self.epoch)


class Dataset(Protocol):
    """What a loader draws from: ``len()`` items, each of which gives ``group`` examples."""

    group: int

    def __len__(self) -> int:
        """Return how many items an epoch goes through."""

    def draw(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return ``group`` examples of one item; all chance comes from ``rng``.

        Raises:
            SaysoError: if the item cannot be read.
        """

    def name(self, item: int) -> str:
        """Return what to call an item in messages."""

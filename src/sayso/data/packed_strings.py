"""Many strings in little memory: their bytes end to end, and where each one begins.

A Python string costs 50 bytes besides its letters. The captions of HowTo100M are
136 million; packed they are their letters and 8 bytes each, and may stay on disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class PackedStrings(Sequence[str]):
    """A sequence of strings that was packed once and is read at random.

    Args:
        bounds: (N + 1,) int64: string i is ``data[bounds[i]:bounds[i + 1]]``.
        data: uint8, UTF-8; undecodable bytes of file names are kept.
    """

    def __init__(self, bounds: NDArray[np.int64], data: NDArray[np.uint8]) -> None:
        self.bounds, self.data = bounds, data

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"string {index} of {len(self)}")
        letters = self.data[self.bounds[at] : self.bounds[at + 1]]
        return letters.tobytes().decode("utf-8", "surrogateescape")

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))


class StringPacker:
    """Packs strings one after the other."""

    def __init__(self) -> None:
        self._bounds = array("q", [0])
        self._data = bytearray()

    def append(self, text: str) -> None:
        """Add one string."""
        self._data += text.encode("utf-8", "surrogateescape")
        self._bounds.append(len(self._data))

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return bounds and data, as ``PackedStrings`` takes them; nothing can be added afterwards."""
        return np.frombuffer(self._bounds, np.int64), np.frombuffer(self._data, np.uint8)

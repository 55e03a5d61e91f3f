"""What is learned from: examples, batches of them, and the data sets that they are sampled from.

An example is a dict: what an entry means is between a data set and the method that learns from it (frames,
features, captions, labels, masks ...). A batch is a dict of arrays of B rows each, one an example. Entries
of which examples have different numbers (several pictures, the tokens of a text) are *ragged*: they lie end
to end under ``key``, and ``key_counts`` (B,) says how many of these rows each example has. A single
number, of no dimension, is of the whole batch; ``epoch`` is one, and the loader adds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

Example = dict[str, Any]
Batch = dict[str, NDArray[Any]]
COUNTS = "_counts"


class Dataset(Protocol):
    """What a loader samples from: ``len()`` items, each of which gives ``group`` examples."""

    @property
    def group(self) -> int:
        """How many examples an item gives; a batch has a multiple of it."""
        ...

    def __len__(self) -> int:
        """Return how many items an epoch goes through."""
        ...

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return ``group`` examples of one item; all that is random comes from ``rng``.

        Raises:
            SaysoError: if the item cannot be read; another one then stands in for it.
        """
        ...

    def name(self, item: int) -> str:
        """Return what to call an item in messages."""
        ...


def stack(examples: Sequence[Example]) -> Batch:
    """Collate examples as they are: arrays, numbers and strings side by side, lists end to end.

    Args:
        examples: B of them, with the same keys. Arrays of one key must have one shape; a list of
            arrays becomes a ragged entry, with ``key_counts``.

    Raises:
        SaysoError: if the shapes or the keys of two examples differ.
    """
    keys = examples[0].keys()
    if any(example.keys() != keys for example in examples):
        raise SaysoError(f"examples of one batch must have the same entries; the first has {', '.join(keys)}")
    batch: Batch = {}
    for key in keys:
        values = [example[key] for example in examples]
        if isinstance(values[0], list):
            batch |= ragged(key, values)
        else:
            batch[key] = _side_by_side(values)
    return batch


def ragged(key: str, values: Sequence[Sequence[Any]]) -> Batch:
    """Return the two entries of a batch whose examples have different numbers of something.

    Args:
        key: name of the entry.
        values: for each of B examples the arrays, or numbers, that it has; of one shape.

    Returns:
        ``key`` (N, ...), all of them end to end, and ``key_counts`` (B,) int64, which sums to N.
    """
    counts = np.array([len(value) for value in values], np.int64)
    flat = [one for value in values for one in value]
    return {key: _side_by_side(flat) if flat else np.empty(0), key + COUNTS: counts}


def rows(batch: Mapping[str, NDArray[Any]]) -> int:
    """Return B.

    Raises:
        SaysoError: if no entry tells.
    """
    for key, value in batch.items():
        if value.ndim and key + COUNTS not in batch:
            return len(value)
    raise SaysoError("the batch has no entry with a row for each example")


def take(batch: Mapping[str, NDArray[Any]], start: int, stop: int) -> Batch:
    """Return examples ``start`` to ``stop - 1`` of a batch, as views; ragged entries are cut alike.

    Args:
        batch: entries by name, (B, ...) each.
        start: the first example.
        stop: the one after the last.
    """
    part: Batch = {}
    for key, value in batch.items():
        counts = batch.get(key + COUNTS)
        if counts is not None:
            first = int(counts[:start].sum())
            part[key] = value[first : first + int(counts[start:stop].sum())]
        else:
            part[key] = value[start:stop] if value.ndim else value
    return part


def nbytes(example: Example) -> int:
    """Return the size of an example's arrays, bytes."""
    arrays = [one for value in example.values() for one in (value if isinstance(value, list) else [value])]
    return sum(one.nbytes for one in arrays if isinstance(one, np.ndarray))


def _side_by_side(values: Sequence[Any]) -> NDArray[Any]:
    shapes = [np.shape(value) for value in values]
    other = next((shape for shape in shapes if shape != shapes[0]), None)
    if other is not None:
        raise SaysoError(f"examples of one batch must have one shape; got {shapes[0]} and {other}")
    if not isinstance(values[0], np.ndarray):
        return np.array(values)
    together = values[0].base
    return np.stack(values) if together is None or not _are_its_rows(values, together) else together


def _are_its_rows(values: Sequence[Any], together: NDArray[Any]) -> bool:
    """Tell whether arrays are all the rows of another one, in their order."""
    if not isinstance(together, np.ndarray) or together.shape != (len(values), *values[0].shape):
        return False
    start, step = together.ctypes.data, together.strides[0]
    return together.dtype == values[0].dtype and all(
        value.base is together
        and value.ctypes.data == start + n * step
        and value.strides == together.strides[1:]
        for n, value in enumerate(values)
    )

"""Retrieval: how high the right item ranks among all items, for each query.

    rank(q) = 1 + #{wrong items i : s(q, i) >= max over right items r of s(q, r)}

A wrong item that ties with the right one counts as ranked above it. So an encoder
that gives everything the same embedding ranks last, and never looks better than
chance, as it would where ties are broken by position. With several right items
(a picture with five captions) the best-ranked one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLOCK = 2**23  # scores compared at once, unless the caller says how many queries

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
Targets = ArrayLike | Sequence[Sequence[int]]


def retrieval(
    similarity: ArrayLike, targets: Targets | None = None, *, chunk: int | None = None
) -> dict[str, float]:
    """Return recall at 1, 5 and 10 and the median and mean rank.

    Args:
        similarity: (Q, N) scores of N items for Q queries, any real dtype; higher is nearer.
        targets: which items are right: (Q,) an index a query, (Q, N) booleans, or a
            list of indices a query. Default: item q for query q, which needs Q == N.
        chunk: queries compared at once; the result does not depend on it.

    Returns:
        ``R@1``, ``R@5``, ``R@10``: the fraction of queries whose right item is among
        the first 1, 5, 10. ``median_rank``, ``mean_rank``: ranks count from 1.

    Raises:
        ValueError: if shapes disagree, a score is NaN, a query has no right item, or there is no query.

    Examples:
        >>> scores = [[0.9, 0.1, 0.2], [0.8, 0.7, 0.1], [0.1, 0.2, 0.3]]  # query 1 finds its item second
        >>> retrieval(scores)["median_rank"]
        1.0
        >>> round(retrieval(scores)["R@1"], 3)
        0.667
    """
    scores = np.asarray(similarity)
    if scores.ndim != 2 or not (np.issubdtype(scores.dtype, np.floating) or scores.dtype.kind in "iub"):
        raise ValueError(f"expected similarity (Q, N) of real numbers; got {scores.shape} {scores.dtype}")
    return _summary(_ranks(lambda rows: scores[rows], scores.shape, targets, chunk))


def retrieval_from_embeddings(
    queries: ArrayLike, items: ArrayLike, targets: Targets | None = None, *, chunk: int | None = None
) -> dict[str, float]:
    """Return what ``retrieval`` returns for the dot products, without ever holding all of them.

    The products are summed in float64 and compared in float32, so that equal items
    tie whatever the order of the sum. Unit-norm embeddings are compared by cosine.

    Args:
        queries: (Q, D) embeddings.
        items: (N, D) embeddings.
        targets: as for ``retrieval``.
        chunk: queries compared at once; ``chunk`` x N scores are in memory.

    Raises:
        ValueError: as for ``retrieval``.
    """
    left, right = np.asarray(queries), np.asarray(items)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise ValueError(f"expected queries (Q, D) and items (N, D); got {left.shape} and {right.shape}")
    columns = right.astype(np.float64).T

    def scores(rows: slice) -> NDArray[np.float32]:
        with np.errstate(invalid="ignore", over="ignore"):  # what is not a number is reported as such
            return (left[rows].astype(np.float64) @ columns).astype(np.float32)

    return _summary(_ranks(scores, (len(left), len(right)), targets, chunk))


def both_directions(
    similarity: ArrayLike, targets: Targets | None = None, *, chunk: int | None = None
) -> dict[str, dict[str, float]]:
    """Return ``retrieval`` of items by queries and of queries by items, as captioned pictures are reported.

    Args:
        similarity: (Q, N) scores, texts in rows and pictures in columns.
        targets: as for ``retrieval``: the picture of each text. Several texts may share one;
            going back the best-ranked counts, and a picture without text is left out.
        chunk: as for ``retrieval``.

    Returns:
        ``text_to_item`` and ``item_to_text``, each as ``retrieval`` returns it.
    """
    scores = np.asarray(similarity)
    forth = retrieval(scores, targets, chunk=chunk)
    rows, columns = _pairs(targets, scores.shape)
    described = np.unique(columns)
    texts: list[list[int]] = [rows[columns == item].tolist() for item in described]
    return {"text_to_item": forth, "item_to_text": retrieval(scores.T[described], texts, chunk=chunk)}


def _summary(ranks: NDArray[np.int64]) -> dict[str, float]:
    recalls = {f"R@{k}": float(np.mean(ranks <= k)) for k in (1, 5, 10)}
    return {**recalls, "median_rank": float(np.median(ranks)), "mean_rank": float(np.mean(ranks))}


def _ranks(
    scores: Callable[[slice], NDArray[Any]],
    shape: tuple[int, ...],
    targets: Targets | None,
    chunk: int | None,
) -> NDArray[np.int64]:
    """Return the rank of each query, (Q,), from 1; ``scores`` gives the rows of a slice, (q, N)."""
    count, items = shape
    if count == 0 or items == 0:
        raise ValueError(f"expected at least one query and one item; got {shape}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk must be at least 1; got {chunk}")
    rows, columns = _pairs(targets, shape)
    ranks = np.empty(count, dtype=np.int64)
    for block in _blocks(count, chunk or max(1, BLOCK // items)):
        low, high = np.searchsorted(rows, (block.start, block.stop))
        ranks[block] = _block_ranks(
            scores(block), rows[low:high] - block.start, columns[low:high], block.start
        )
    return ranks


def _blocks(count: int, chunk: int) -> Iterator[slice]:
    return (slice(start, min(start + chunk, count)) for start in range(0, count, chunk))


def _block_ranks(
    scores: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp], first: int
) -> NDArray[np.int64]:
    """Return the ranks of a block of queries, given the pairs (row, column) of right items, by row."""
    broken = np.isnan(scores).any(axis=1)
    if broken.any():
        raise ValueError(
            f"the similarity of query {first + int(broken.argmax())} has a NaN; check the embeddings"
        )
    right = scores[rows, columns]
    starts = np.searchsorted(rows, np.arange(len(scores)))
    best = np.maximum.reduceat(right, starts)
    above = np.count_nonzero(scores >= best[:, None], axis=1)
    themselves = np.add.reduceat((right >= best[rows]).astype(np.int64), starts)
    ranks: NDArray[np.int64] = 1 + above - themselves
    return ranks


def _pairs(targets: Targets | None, shape: tuple[int, ...]) -> Pairs:
    """Return the right (query, item) pairs, sorted by query, each once.

    Raises:
        ValueError: if a target is out of range, or a query has none.
    """
    count, items = shape
    if targets is None and count != items:
        raise ValueError(f"without targets query q wants item q, which needs a square matrix; got {shape}")
    rows, columns = _listed(np.arange(count) if targets is None else targets, shape)
    outside = (columns < 0) | (columns >= items)
    if outside.any():
        wrong = int(outside.argmax())
        raise ValueError(f"query {rows[wrong]} wants item {columns[wrong]}; there are items 0 to {items - 1}")
    answered = np.bincount(rows, minlength=count) > 0
    if not answered.all():
        raise ValueError(f"query {int(answered.argmin())} has no right item; leave it out or name one")
    unique = np.unique(rows * items + columns)
    return unique // items, unique % items


def _listed(targets: Targets, shape: tuple[int, ...]) -> Pairs:
    """Return pairs as they are given: one index a query, booleans, or a list a query."""
    count, _ = shape
    expected = f"expected targets ({count},) of indices, {shape} of booleans, or {count} lists of indices"
    try:
        given = np.asarray(targets)
    except ValueError:  # lists of several lengths
        given = np.empty(0, dtype=object)
    if given.dtype == bool and given.shape == shape:
        rows, columns = np.nonzero(given)
        return rows, columns
    if given.dtype.kind in "iu" and given.shape == (count,):
        return np.arange(count), given.astype(np.intp)
    lists = [np.atleast_1d(np.asarray(row)) for row in targets] if isinstance(targets, Sequence) else []
    if len(lists) != count or any(
        row.ndim != 1 or (row.size and row.dtype.kind not in "iu") for row in lists
    ):
        raise ValueError(f"{expected}; got {given.shape if given.size else 'something else'}")
    rows = np.repeat(np.arange(count), [row.size for row in lists])
    return rows, np.concatenate([row.astype(np.intp) for row in lists])

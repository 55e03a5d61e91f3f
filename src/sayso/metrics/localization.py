"""How well things are found in pictures whose boxes the system never saw.

Pointing
    One point for each class and picture. It is right if it lies inside a box of the class grown
    by 18 pixels on every side. Pictures are ranked by the class's score; a picture without the
    class, or a point beside its boxes, is wrong; P is the number of pictures with the class [1].
CorLoc
    Of the pictures with the class, the fraction in which the one box that was found overlaps a
    true one by at least half [2].

A label 0 takes the picture out of that class. As in VOC's development kit, difficult things are
neither asked for nor wrong: a point or box that meets a difficult one alone leaves the ranking.

Sources
    [1] Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?
    [2] Deselaers, Alexe, Ferrari, IJCV 2012, Weakly supervised localization and learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Bools, Floats
from sayso.core.types import Box
from sayso.metrics.average_precision import Rule, average_precision

TOLERANCE = 18.0  # pixels [1]
OVERLAP = 0.5  # [2]


class Boxed(Protocol):
    """A true box (``sayso.data.tags.TaggedBox`` is one)."""

    @property
    def label(self) -> int:
        """Its class, 0 to C - 1."""

    @property
    def box(self) -> Box:
        """Where it is, in pixels of the original picture."""

    @property
    def difficult(self) -> bool:
        """Whether it does not count."""


def classification(scores: ArrayLike, labels: ArrayLike, *, rule: Rule = "area") -> Floats:
    """Return the average precision of each class over pictures, (C,); NaN where none has it.

    Args:
        scores: (N, C) higher is surer.
        labels: (N, C) +1 there, -1 not there, 0 left out.
        rule: ``11-point`` for VOC 2007, ``area`` for VOC 2012.

    Raises:
        ValueError: if shapes disagree or a label is none of these.
    """
    S, Y = _checked(scores, labels)
    return np.array([_ap(S[:, k], Y[:, k] == 1, Y[:, k] != 0, Y[:, k], rule) for k in range(S.shape[1])])


def pointing(
    scores: ArrayLike,
    points: ArrayLike,
    labels: ArrayLike,
    boxes: Sequence[Sequence[Boxed]],
    *,
    tolerance: float = TOLERANCE,
    rule: Rule = "area",
) -> Floats:
    """Return the average precision of each class's points, (C,); NaN where no picture has the class.

    Args:
        scores: (N, C) higher is surer.
        points: (N, C, 2) x and y in pixels of the original picture.
        labels: (N, C) +1 there, -1 not there, 0 left out.
        boxes: of each of the N pictures.
        tolerance: pixels by which a box is grown on every side.
        rule: as of ``classification``.

    Raises:
        ValueError: if shapes disagree or a label is none of these.
    """
    S, Y = _checked(scores, labels)
    right, void = pointed(points, Y, boxes, tolerance=tolerance)
    kept = (Y != 0) & ~void
    return np.array([_ap(S[:, k], right[:, k], kept[:, k], Y[:, k], rule) for k in range(S.shape[1])])


def pointed(
    points: ArrayLike, labels: ArrayLike, boxes: Sequence[Sequence[Boxed]], *, tolerance: float = TOLERANCE
) -> tuple[Bools, Bools]:
    """Tell of each point whether it is right, and whether only a difficult box makes it so, (N, C) each.

    Args:
        points: (N, C, 2) as of ``pointing``.
        labels: (N, C) as of ``pointing``.
        boxes: of each of the N pictures.
        tolerance: pixels by which a box is grown on every side.

    Raises:
        ValueError: if shapes disagree.
    """
    P, Y = np.asarray(points, dtype=np.float64), np.asarray(labels)
    if P.shape != (*Y.shape, 2) or len(boxes) != len(Y):
        raise ValueError(f"expected points {(*Y.shape, 2)} and {len(Y)} boxes; got {P.shape}, {len(boxes)}")

    def meets(n: int, k: int, edges: Floats) -> bool:
        return bool(within(P[n, k], edges, tolerance).any())

    return _met(Y, boxes, meets)


def corloc(
    found: ArrayLike, labels: ArrayLike, boxes: Sequence[Sequence[Boxed]], *, overlap: float = OVERLAP
) -> Floats:
    """Return for each class the fraction of its pictures whose found box is right, (C,); NaN where none is.

    Args:
        found: (N, C, 4) the best box of each class: x0, y0, x1, y1.
        labels: (N, C) as of ``pointing``.
        boxes: of each of the N pictures.
        overlap: intersection over union that is needed.

    Raises:
        ValueError: if shapes disagree.
    """
    F, Y = np.asarray(found, dtype=np.float64), np.asarray(labels)
    if F.shape != (*Y.shape, 4) or len(boxes) != len(Y):
        raise ValueError(f"expected found {(*Y.shape, 4)} and {len(Y)} boxes; got {F.shape}, {len(boxes)}")

    def meets(n: int, k: int, edges: Floats) -> bool:
        return bool((iou(F[n, k][None], edges) >= overlap).any())

    right, void = _met(Y, boxes, meets)
    counted = (Y == 1) & ~void
    with np.errstate(invalid="ignore"):
        ratio: Floats = right.sum(0) / np.where(counted.any(0), counted.sum(0), np.nan)
    return ratio


def within(point: ArrayLike, edges: ArrayLike, tolerance: float = 0.0) -> Bools:
    """Tell which boxes (M, 4), grown by ``tolerance``, hold a point (2,); edges belong to a box.

    Args:
        point: x and y.
        edges: x0, y0, x1, y1 of each box.
        tolerance: pixels.
    """
    (x, y), E = np.asarray(point, dtype=np.float64), np.asarray(edges, dtype=np.float64).reshape(-1, 4)
    across = (E[:, 0] - tolerance <= x) & (x <= E[:, 2] + tolerance)
    inside: Bools = across & (E[:, 1] - tolerance <= y) & (y <= E[:, 3] + tolerance)
    return inside


def iou(one: ArrayLike, other: ArrayLike) -> Floats:
    """Return intersection over union of boxes (N, 4) and (M, 4), (N, M); 0 where both are empty."""
    A, B = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (one, other))
    low = np.maximum(A[:, None, :2], B[None, :, :2])
    high = np.minimum(A[:, None, 2:], B[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    union = _area(A)[:, None] + _area(B)[None] - shared
    ratio: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


class _Meets(Protocol):
    def __call__(self, n: int, k: int, edges: Floats) -> bool:
        """Tell whether what was found of class k in picture n meets one of the boxes (M, 4)."""


def _met(labels: NDArray[np.int64], boxes: Sequence[Sequence[Boxed]], meets: _Meets) -> tuple[Bools, Bools]:
    """Tell of each picture with a class whether a box that counts is met, or a difficult one alone."""
    right, void = np.zeros(labels.shape, dtype=bool), np.zeros(labels.shape, dtype=bool)
    for n, k in np.argwhere(labels == 1):
        right[n, k] = meets(n, k, _edges(boxes[n], k, difficult=False))
        void[n, k] = not right[n, k] and meets(n, k, _edges(boxes[n], k, difficult=True))
    return right, void


def _edges(boxes: Sequence[Boxed], k: int, *, difficult: bool) -> Floats:
    kept = [
        (b.box.x0, b.box.y0, b.box.x1, b.box.y1) for b in boxes if b.label == k and b.difficult == difficult
    ]
    return np.array(kept, dtype=np.float64).reshape(-1, 4)


def _area(boxes: Floats) -> Floats:
    area: Floats = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    return area


def _ap(scores: Floats, right: Bools, kept: Bools, labels: NDArray[np.int64], rule: Rule) -> float:
    positives = int((labels == 1).sum())
    return average_precision(scores[kept], right[kept], positives=positives, rule=rule)


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    S, Y = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if S.ndim != 2 or Y.shape != S.shape or not np.isin(Y, (-1, 0, 1)).all():
        raise ValueError(f"expected scores (N, C) and labels +1, 0, -1 (N, C); got {S.shape} and {Y.shape}")
    return S, Y.astype(np.int64)

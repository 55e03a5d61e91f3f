"""How well score maps show where a thing is, whatever threshold suits them.

A map is cut at every threshold, so that no method gains by its scale alone; the same cut
serves all pictures [1].

    MaxBoxAccV2: mean over overlaps d in {0.3, 0.5, 0.7} of
        max over thresholds t of the fraction of pictures in which a box around a connected
        region of {map >= t} overlaps a true box by at least d.
    PxAP: sum over thresholds, from the highest, of precision(t) (recall(t) - recall(t before)),
        with precision and recall over the pixels of all pictures together.

Source
    [1] Choe et al., CVPR 2020, Evaluating weakly supervised object localization methods right.
        https://arxiv.org/abs/2001.07437
        The authors' release cuts maps of 8 bits, and counts a box's last row and column twice
        over; here maps stay real numbers and boxes are edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from sayso.core.arrays import Floats
from sayso.metrics.localization import iou
from sayso.metrics.regions import regions

OVERLAPS = (0.3, 0.5, 0.7)
CUTS = 1000  # thresholds 0, 0.001, ..., 0.999


def min_max(scores: ArrayLike) -> Floats:
    """Return a map (H, W) moved and scaled to [0, 1]; a constant one becomes 0."""
    S = np.asarray(scores, dtype=np.float64)
    low, high = S.min(), S.max()
    scaled: Floats = (S - low) / (high - low) if high > low else np.zeros_like(S)
    return scaled


def max_box_accuracy(
    maps: Sequence[ArrayLike],
    boxes: Sequence[ArrayLike],
    *,
    overlaps: Sequence[float] = OVERLAPS,
    cuts: int = CUTS,
) -> dict[str, float]:
    """Return ``MaxBoxAccV2`` and the best accuracy at each overlap (``MaxBoxAcc@0.5``).

    Args:
        maps: N maps (H, W), each scaled to [0, 1] (``min_max``); sizes may differ.
        boxes: of each, the true boxes (M, 4) in the map's own pixels.
        overlaps: intersections over union that are asked for.
        cuts: number of thresholds, evenly from 0, below 1.

    Raises:
        ValueError: if there is no map, lengths differ or a map leaves [0, 1].
    """
    if not len(maps) or len(maps) != len(boxes):
        raise ValueError(f"expected maps and as many sets of boxes; got {len(maps)} and {len(boxes)}")
    best = np.stack([_best_overlaps(_checked(m), b, cuts) for m, b in zip(maps, boxes, strict=True)])
    accuracy = {d: float((best >= d).mean(0).max()) for d in overlaps}
    each = {f"MaxBoxAcc@{d:g}": value for d, value in accuracy.items()}
    return {"MaxBoxAccV2": float(np.mean(list(accuracy.values()))), **each}


def pixel_precision(maps: Iterable[ArrayLike], masks: Iterable[ArrayLike], *, cuts: int = CUTS) -> float:
    """Return the average precision of pixels (PxAP); NaN if no pixel is inside.

    Args:
        maps: N maps (H, W), each scaled to [0, 1] (``min_max``).
        masks: of each, (H, W): 1 inside, 0 outside, -1 left out.
        cuts: number of thresholds, evenly from 0, below 1.

    Raises:
        ValueError: if shapes disagree or a map leaves [0, 1].
    """
    inside, outside = np.zeros(cuts), np.zeros(cuts)
    for scores, truth in zip(maps, masks, strict=True):
        S, M = _checked(scores), np.asarray(truth)
        if S.shape != M.shape:
            raise ValueError(f"a map is {S.shape} and its mask {M.shape}")
        passed = np.searchsorted(thresholds(cuts), S, side="right") - 1  # the last threshold that S reaches
        inside += np.bincount(passed[M == 1], minlength=cuts)
        outside += np.bincount(passed[M == 0], minlength=cuts)
    if not inside.any():
        return float("nan")
    right, wrong = np.cumsum(inside[::-1]), np.cumsum(outside[::-1])
    precision = right / np.maximum(right + wrong, 1)
    return float((precision * inside[::-1]).sum() / right[-1])


def thresholds(cuts: int = CUTS) -> Floats:
    """Return the thresholds, (cuts,)."""
    return np.arange(cuts) / cuts


def _best_overlaps(scores: Floats, boxes: ArrayLike, cuts: int) -> Floats:
    """Return at each threshold how much the best region's box overlaps a true one, (cuts,)."""
    return np.fromiter(_overlaps(scores, boxes, cuts), dtype=np.float64, count=cuts)


def _overlaps(scores: Floats, boxes: ArrayLike, cuts: int) -> Iterator[float]:
    """Yield them; thresholds between the same two values cut the same regions."""
    ordered = np.sort(scores, axis=None)
    size, value = -1, 0.0
    for threshold in thresholds(cuts):
        above = int(np.searchsorted(ordered, threshold, side="left"))
        if above != size:
            size, value = above, float(iou(regions(scores >= threshold)[1], boxes).max(initial=0.0))
        yield value


def _checked(scores: ArrayLike) -> Floats:
    S = np.asarray(scores, dtype=np.float64)
    if S.ndim != 2 or not (S.size and S.min() >= 0 and S.max() <= 1):
        raise ValueError(f"expected a map (H, W) within 0 and 1; got {S.shape}; scale it with min_max()")
    return S

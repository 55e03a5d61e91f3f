"""Average precision of partly rated rankings, against the published calculator written out anew."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from sayso.metrics.segments import mean_of_classes, segment_average_precision


def published(ratings: list[float], positives: int, n: int | None) -> float:
    """The challenge's calculator on a ranking without unrated segments."""
    scored = [(float(len(ratings) - k) / len(ratings), rating) for k, rating in enumerate(ratings)]
    heap: list[tuple[float, float]] = []
    for pair in scored:
        if n is None or len(heap) < n:
            heapq.heappush(heap, pair)
        elif pair[0] > heap[0][0]:
            heapq.heapreplace(heap, pair)
    total, found, hits = min(positives, n) if n else positives, 0.0, 0
    for k, (_, rating) in enumerate(sorted(heap, reverse=True), start=1):
        if rating > 0:
            hits += 1
            found += hits / k / total
    return found


@pytest.mark.parametrize(
    ("ratings", "positives", "depth", "expected"),
    [
        ([1, 0, 1, 0], 2, None, (1 + 2 / 3) / 2),
        ([1, 0, 1, 0], 2, 2, 0.5),
        ([0, 1, 1], 3, None, (1 / 2 + 2 / 3) / 3),
        ([0, 0, 1, 0, 1], 2, None, (1 / 3 + 2 / 5) / 2),
        ([-1, 1, -1, 0, 1], 2, None, (1 + 2 / 3) / 2),
    ],
)
def test_examples(ratings: list[int], positives: int, depth: int | None, expected: float) -> None:
    scores = -np.arange(len(ratings))
    found = segment_average_precision(scores, ratings, positives=positives, depth=depth)
    assert found == pytest.approx(expected, abs=1e-15)


def test_a_thousand_random_lists_are_as_the_published_calculator_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        N = int(rng.integers(1, 40))
        ratings = rng.integers(-1, 2, N)
        scores = rng.permutation(N)
        positives = int((ratings > 0).sum() + rng.integers(0, 4))
        top_n, depth = (int(rng.integers(1, 50)) if rng.random() < 0.5 else None for _ in range(2))
        ranked = [int(ratings[k]) for k in np.argsort(-scores)[:top_n] if ratings[k] >= 0]
        found = segment_average_precision(scores, ratings, positives=positives, top_n=top_n, depth=depth)
        if positives:
            assert found == pytest.approx(published(ranked, positives, depth), abs=1e-12)
        else:
            assert np.isnan(found)


def test_equal_scores_count_in_the_worst_order() -> None:
    assert segment_average_precision([1, 1, 1, 1], [1, 0, -1, 0]) == pytest.approx(1 / 3)
    assert segment_average_precision([1, 1, 1, 1], [1, 0, -1, 0], top_n=3) == 0


def test_the_mean_leaves_out_classes_without_positives() -> None:
    assert mean_of_classes([0.8333, 0.3889, float("nan")]) == pytest.approx(0.6111)
    assert np.isnan(mean_of_classes([float("nan")]))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="expected scores"):
        segment_average_precision([1, float("nan")], [1, 0])
    with pytest.raises(ValueError, match="1 are right of 0; the limits None and None must be from 1"):
        segment_average_precision([1, 2, 3], [1, 0, -1], positives=0)
    for shape in (([1, 2], [1]), ([[1]], [[1]])):
        with pytest.raises(ValueError, match="expected scores"):
            segment_average_precision(*shape)
    with pytest.raises(ValueError, match="must be from 1"):
        segment_average_precision([1], [1], top_n=0)

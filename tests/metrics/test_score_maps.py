"""MaxBoxAccV2 and PxAP equal loops over every threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.metrics.localization import iou
from sayso.metrics.score_maps import max_box_accuracy, min_max, pixel_precision, thresholds

CUTS = 20


def draw_maps(seed, count=4):
    draw = np.random.default_rng(seed)
    maps = [draw.integers(0, 9, draw.integers(1, 8, 2)) / 8 for _ in range(count)]
    boxes = []
    for m in maps:
        y, x = draw.integers(0, m.shape[0]), draw.integers(0, m.shape[1])
        boxes.append([[x, y, draw.integers(x, m.shape[1]) + 1, draw.integers(y, m.shape[0]) + 1]])
    masks = [draw.integers(-1, 2, m.shape) for m in maps]
    return maps, boxes, masks


def boxes_at(scores, threshold):
    """The boxes of the regions, by a flood fill."""
    left = {(int(y), int(x)) for y, x in np.argwhere(scores >= threshold)}
    found = []
    while left:
        waiting, region = [left.pop()], []
        while waiting:
            y, x = waiting.pop()
            region.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            waiting += near
        ys, xs = zip(*region, strict=True)
        found.append([min(xs), min(ys), max(xs) + 1, max(ys) + 1])
    return found


@given(st.integers(0, 10_000))
def test_box_accuracy_equals_loops(seed):
    maps, boxes, _ = draw_maps(seed)
    got = max_box_accuracy(maps, boxes, cuts=CUTS)
    for d in (0.3, 0.5, 0.7):
        best = 0.0
        for t in thresholds(CUTS):
            found = [boxes_at(m, t) for m in maps]
            right = [bool(f) and iou(f, b).max() >= d for f, b in zip(found, boxes, strict=True)]
            best = max(best, sum(right) / len(maps))
        assert got[f"MaxBoxAcc@{d:g}"] == pytest.approx(best)
    assert got["MaxBoxAccV2"] == pytest.approx(np.mean([got[f"MaxBoxAcc@{d}"] for d in (0.3, 0.5, 0.7)]))


@given(st.integers(0, 10_000))
def test_pixel_precision_equals_loops(seed):
    maps, _, masks = draw_maps(seed)
    inside = sum((m == 1).sum() for m in masks)
    got = pixel_precision(maps, masks, cuts=CUTS)
    if not inside:
        assert np.isnan(got)
        return
    total = before = 0.0
    for t in thresholds(CUTS)[::-1]:
        above = sum(((s >= t) & (m == 1)).sum() for s, m in zip(maps, masks, strict=True))
        wrong = sum(((s >= t) & (m == 0)).sum() for s, m in zip(maps, masks, strict=True))
        recall = above / inside
        total += above / max(above + wrong, 1) * (recall - before)
        before = recall
    assert got == pytest.approx(total)


def test_a_perfect_map_scores_one():
    scores = np.zeros((20, 30))
    scores[4:9, 10:25] = 1
    assert max_box_accuracy([scores], [[[10, 4, 25, 9]]])["MaxBoxAccV2"] == 1
    assert pixel_precision([scores], [scores.astype(int)]) == 1
    assert pixel_precision([1 - scores], [scores.astype(int)]) == pytest.approx(scores.mean())


def test_one_threshold_serves_all_pictures():
    """Each map has a perfect cut of its own, at 0.2 and at 0.8; no threshold is right for both."""
    low, high = np.full((10, 10), 0.1), np.full((10, 10), 0.6)
    low[2:5, 2:5], high[2:5, 2:5] = 0.3, 0.9
    found = max_box_accuracy([low, high], [[[2, 2, 5, 5]]] * 2)
    assert found["MaxBoxAcc@0.7"] == 0.5


def test_an_overlap_that_is_asked_for_is_enough():
    scores = np.zeros((4, 4))
    scores[0, :2] = 1
    found = max_box_accuracy([scores], [[[0, 0, 1, 1]]], cuts=CUTS)
    assert (found["MaxBoxAcc@0.5"], found["MaxBoxAcc@0.7"]) == (1, 0)


def test_unit_spans_zero_to_one():
    assert min_max([[2.0, 4.0], [3.0, 6.0]]).tolist() == [[0, 0.5], [0.25, 1]]
    assert not min_max([[7.0, 7.0]]).any()


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="got 0 and 0"):
        max_box_accuracy([], [])
    with pytest.raises(ValueError, match="got 2 and 1"):
        max_box_accuracy([[[1.0]], [[1.0]]], [[]])
    for wrong in ([[-0.1]], [[]], [0.5]):
        with pytest.raises(ValueError, match=r"scale it with min_max\(\)"):
            pixel_precision([wrong], [wrong])
    with pytest.raises(ValueError, match=r"scale it with min_max\(\)"):
        max_box_accuracy([[[2.0]]], [[]])
    with pytest.raises(ValueError, match=r"a map is \(1, 1\) and its mask \(1, 2\)"):
        pixel_precision([[[1.0]]], [[[1, 0]]])

"""Pointing, classification and CorLoc equal plain loops on random pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.types import Box
from sayso.data.tags import TaggedBox
from sayso.metrics.average_precision import average_precision
from sayso.metrics.localization import classification, corloc, iou, pointed, pointing, within

RULES = ["area", "11-point", "steps"]


def scene(seed, N=14, K=3):
    """Random pictures: labels, boxes that agree with them (some difficult), scores, points, found boxes."""
    draw = np.random.default_rng(seed)
    labels, boxes = np.full((N, K), -1), []
    for n in range(N):
        here = []
        for k in range(K):
            for _ in range(draw.integers(0, 3)):
                x0, y0 = draw.uniform(0, 200, 2)
                hard = bool(draw.random() < 0.3)
                box = Box(x0, y0, x0 + draw.uniform(5, 80), y0 + draw.uniform(5, 80))
                here.append(TaggedBox(k, box, hard))
                labels[n, k] = max(labels[n, k], 0 if hard else 1)
        boxes.append(here)
    corner = draw.uniform(0, 200, (N, K, 2))
    found = np.concatenate([corner, corner + draw.uniform(20, 90, (N, K, 2))], axis=2)
    return labels, boxes, draw.integers(0, 6, (N, K)) / 4, draw.uniform(0, 260, (N, K, 2)), found


def inside(point, box, grow):
    box = box.box
    return box.x0 - grow <= point[0] <= box.x1 + grow and box.y0 - grow <= point[1] <= box.y1 + grow


def overlap(a, b):
    """Count it in pixels; edges are whole numbers below 60."""
    ys, xs = np.mgrid[0:60, 0:60] + 0.5
    in_a = (a[0] <= xs) & (xs < a[2]) & (a[1] <= ys) & (ys < a[3])
    in_b = (b[0] <= xs) & (xs < b[2]) & (b[1] <= ys) & (ys < b[3])
    return (in_a & in_b).sum() / max((in_a | in_b).sum(), 1)


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10_000), grow=st.sampled_from([0.0, 18.0]))
def test_pointing_equals_loops(rule, seed, grow):
    labels, boxes, scores, points, _ = scene(seed)
    found = pointing(scores, points, labels, boxes, tolerance=grow, rule=rule)
    for k in range(labels.shape[1]):
        ranked = []
        for n in range(len(labels)):
            mine = [box for box in boxes[n] if box.label == k and inside(points[n, k], box, grow)]
            if labels[n, k] == -1:
                ranked.append((scores[n, k], False))
            elif labels[n, k] == 1 and (not mine or not all(box.difficult for box in mine)):
                ranked.append((scores[n, k], bool(mine)))
        positives = int((labels[:, k] == 1).sum())
        check(found[k], ranked, positives, rule)


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10_000))
def test_classification_equals_loops(rule, seed):
    labels, _, scores, _, _ = scene(seed)
    found = classification(scores, labels, rule=rule)
    for k in range(labels.shape[1]):
        ranked = [(s, y == 1) for s, y in zip(scores[:, k], labels[:, k], strict=True) if y]
        check(found[k], ranked, int((labels[:, k] == 1).sum()), rule)


def check(found, ranked, positives, rule):
    if not positives:
        assert np.isnan(found)
    else:
        scores, right = zip(*ranked, strict=True) if ranked else ((), ())
        assert found == pytest.approx(average_precision(scores, right, positives=positives, rule=rule))


@given(seed=st.integers(0, 10_000))
def test_corloc_equals_loops(seed):
    labels, boxes, _, _, found = scene(seed)
    got = corloc(found, labels, boxes, overlap=0.2)
    for k in range(labels.shape[1]):
        right = counted = 0
        for n in np.flatnonzero(labels[:, k] == 1):
            over = {False: 0.0, True: 0.0}
            for box in boxes[n]:
                if box.label == k:
                    value = iou(
                        [found[n, k]], [[getattr(box.box, side) for side in ("x0", "y0", "x1", "y1")]]
                    )[0, 0]
                    over[box.difficult] = max(over[box.difficult], value)
            right += over[False] >= 0.2
            counted += over[False] >= 0.2 or over[True] < 0.2
        assert np.isnan(got[k]) if not counted else got[k] == pytest.approx(right / counted)


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 4), min_size=2, max_size=6))
def test_overlap_counts_pixels(corners):
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    expected = [[overlap(one, other) for other in boxes] for one in boxes]
    assert iou(boxes, boxes) == pytest.approx(np.array(expected))


def test_a_point_may_miss_by_18_pixels_and_no_more():
    box, labels = [[TaggedBox(0, Box(100, 100, 120, 120))]], [[1]]
    for point, right in [((82, 110), True), ((81.9, 110), False), ((138, 138), True), ((110, 138.1), False),
        ((110, 82), True), ((110, 81.9), False), ((138.1, 110), False)]:  # fmt: skip
        assert pointed([[point]], labels, box)[0][0, 0] == right
    assert within((5, 5), [[0, 0, 5, 5], [6, 6, 9, 9]]).tolist() == [True, False]


def test_half_of_both_is_enough_for_corloc():
    boxes = [[TaggedBox(0, Box(0, 0, 1, 1))]] * 2
    found = [[[0, 0, 2, 1]], [[0, 0, 2.01, 1]]]
    assert corloc(found, [[1], [1]], boxes).tolist() == [0.5]


def test_a_difficult_thing_is_neither_asked_for_nor_wrong():
    boxes = [
        [TaggedBox(0, Box(0, 0, 10, 10)), TaggedBox(0, Box(100, 100, 110, 110), True)],
        [TaggedBox(0, Box(0, 0, 9, 9), True)],
        [],
    ]
    labels, points = [[1], [0], [-1]], [[[105, 105]], [[200, 200]], [[5, 5]]]
    right, void = pointed(points, labels, boxes)
    assert (right.tolist(), void.tolist()) == ([[False]] * 3, [[True], [False], [False]])
    assert pointing([[1], [1], [0]], points, labels, boxes).tolist() == [0.0]


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"got \(2, 1\) and \(1, 1\)"):
        classification([[1], [2]], [[1]])
    with pytest.raises(ValueError, match=r"labels \+1, 0, -1"):
        classification([[1]], [[2]])
    with pytest.raises(ValueError, match=r"expected points \(1, 1, 2\)"):
        pointing([[1]], [[1, 2]], [[1]], [[]])
    for lists in ([], [[], []]):
        with pytest.raises(ValueError, match=f"and 1 boxes; got .*, {len(lists)}"):
            pointing([[1]], [[[1, 2]]], [[1]], lists)
        with pytest.raises(ValueError, match=f"and 1 boxes; got .*, {len(lists)}"):
            corloc([[[1, 2, 3, 4]]], [[1]], lists)
    with pytest.raises(ValueError, match=r"expected found \(1, 1, 4\)"):
        corloc([[1, 2]], [[1]], [[]])

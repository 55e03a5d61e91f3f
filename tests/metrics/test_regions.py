"""Regions equal a flood fill, and scipy's labels where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from sayso.metrics.regions import regions

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12))


def flood(mask):
    numbers, found = np.zeros(mask.shape, dtype=int), 0
    for start in map(tuple, np.argwhere(mask)):
        if numbers[start]:
            continue
        found += 1
        waiting = [start]
        while waiting:
            y, x = waiting.pop()
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not numbers[y, x]:
                numbers[y, x] = found
                waiting += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return numbers


@given(masks)
def test_equals_a_flood_fill(mask):
    numbers, boxes = regions(mask)
    expected = flood(mask)
    assert np.array_equal(numbers, expected)
    assert len(boxes) == expected.max(initial=0)
    for number, box in enumerate(boxes, 1):
        ys, xs = np.nonzero(expected == number)
        assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_a_spiral_and_a_comb_are_one_region():
    comb = np.zeros((40, 41), dtype=bool)
    comb[:, ::2] = True
    assert len(regions(comb)[1]) == 21
    comb[-1] = True
    assert regions(comb)[1].tolist() == [[0, 0, 41, 40]]


@pytest.mark.parametrize("density", [0.2, 0.4, 0.6])
def test_agrees_with_scipy_on_a_large_mask(density):
    ndimage = pytest.importorskip("scipy.ndimage")
    mask = np.random.default_rng(1).random((300, 200)) < density
    expected, count = ndimage.label(mask, structure=np.ones((3, 3)))
    numbers, boxes = regions(mask)
    assert len(boxes) == count
    assert len(np.unique(np.stack([numbers, expected]).reshape(2, -1), axis=1).T) == count + 1


def test_refuses_what_is_no_mask():
    with pytest.raises(ValueError, match=r"got \(3,\)"):
        regions([True, False, True])

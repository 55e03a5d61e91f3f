"""The mixture whose bags hold their class: exact for one bag, and right where classes are far apart."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.evaluation.bag_mixture import _expect, bag_mixture
from sayso.solvers.bag_layers import BagLayers, RowBag


@pytest.mark.parametrize("least", [1, 2])
def test_planted_classes_come_back(least):
    r = np.random.default_rng(0)
    bags = [RowBag(np.arange(10 * k, 10 * k + 10), 1 + k % 2) for k in range(20)]
    truth, may = np.zeros(300, dtype=int), np.zeros((300, 3), dtype=bool)
    may[:, 0] = True
    for one in bags:
        truth[one.rows[:4]] = one.label
        may[one.rows, one.label] = True
    X = 6 * np.eye(5)[truth] + r.normal(size=(300, 5))
    found = bag_mixture(X, BagLayers(bags), may, least)
    np.testing.assert_allclose(found.sum(1), 1)
    assert (found.argmax(1) == truth).mean() > 0.98 and not found[~may].any()


def test_a_bag_holds_at_least_what_it_must():
    layers = BagLayers([RowBag(np.arange(3), 1)])
    p = np.array([0.1, 0.2, 0.3])
    found = _expect(np.log(np.column_stack([1 - p, p])), layers, [np.zeros((1, 3))], 1)
    np.testing.assert_allclose(found[:, 1], p / (1 - np.prod(1 - p)))

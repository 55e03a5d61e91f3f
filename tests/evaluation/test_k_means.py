"""Lloyd's algorithm finds clusters that lie apart, and leaves a centre without rows where it is."""

import numpy as np
import pytest

from sayso.evaluation.k_means import lloyd


def test_clusters_apart_are_found():
    draws = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 20)
    rows = 10.0 * truth[:, None] + draws.normal(0, 0.1, (60, 2))
    owner, centres, left = lloyd(rows, rows[[0, 25, 59]], 5)
    assert owner.tolist() == truth.tolist()
    expected = sum(((rows[truth == k] - rows[truth == k].mean(0)) ** 2).sum() for k in range(3))
    assert left == pytest.approx(expected)
    assert centres == pytest.approx(np.array([rows[truth == k].mean(0) for k in range(3)]))


def test_a_centre_without_rows_stays():
    _, centres, _ = lloyd(np.zeros((3, 1)), np.array([[0.0], [9.0]]), 3)
    assert centres.ravel().tolist() == [0, 9]

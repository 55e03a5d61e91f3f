from __future__ import annotations

import numpy as np

from sayso.solvers.standardize import standardize, standardize_blocks


def test_rows_are_centred_and_of_mean_squared_length_1():
    X = 3 * np.random.default_rng(0).normal(size=(50, 4)) + [1, -2, 3, 0]
    Z, mean, scale = standardize(X)
    np.testing.assert_allclose(Z.sum(0), 0, atol=1e-12)
    assert abs(sum(float(z @ z) for z in Z) / 50 - 1) < 1e-12
    np.testing.assert_allclose((X - mean) * scale, Z, atol=1e-12)


def test_blocks_equal_the_rows_in_one_array():
    X = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32) + 5
    whole, mean, scale = standardize(X)
    blocks, mean_of_blocks, scale_of_blocks = standardize_blocks([X[:7], X[7:7], X[7:]])
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)
    np.testing.assert_allclose(mean_of_blocks, mean)
    assert abs(scale_of_blocks - scale) < 1e-9 and {block.dtype.name for block in blocks} == {"float32"}


def test_rows_that_are_alike_become_zero():
    Z, _, scale = standardize(np.full((4, 2), 7.0))
    assert not Z.any() and np.isfinite(scale)

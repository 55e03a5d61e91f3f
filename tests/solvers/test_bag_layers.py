"""Layers of bags: each bag once, no row twice in a layer, and priors of counts that sum to one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import comb

from sayso.solvers.bag_layers import BagLayers, RowBag


@pytest.fixture
def layers():
    r = np.random.default_rng(0)
    bags = [
        RowBag(np.sort(r.choice(40, r.integers(1, 9), replace=False)) + 60 * (k % 2), 1 + k % 3)
        for k in range(14)
    ]
    return BagLayers([*bags, RowBag(np.array([200, 201]), 2)])


def test_each_bag_lies_in_one_layer_with_its_rows(layers):
    seen = np.concatenate([layer.bags for layer in layers.layers])
    assert sorted(seen) == list(range(15))
    for layer in layers.layers:
        rows = layer.rows[layer.real]
        assert len(np.unique(rows)) == len(rows) and (np.diff(layer.sizes) <= 0).all()
        for g, b in enumerate(layer.bags):
            own, slots = layer.rows[g, : layer.sizes[g]], layer.slots[g, : layer.sizes[g]]
            np.testing.assert_array_equal(layers.rows[own], layers.bags[b].rows)
            assert (layers.labels[own, slots] == layers.bags[b].label).all()
    assert (layers.labels >= 0).sum() == sum(len(one.rows) for one in layers.bags)


def test_groups_are_the_bags_that_hang_together(layers):
    shares = np.array([[bool(np.intersect1d(a.rows, b.rows).size) for b in layers.bags] for a in layers.bags])
    together = np.linalg.matrix_power(shares.astype(float), 15) > 0
    np.testing.assert_array_equal(layers.groups[:, None] == layers.groups, together)


@pytest.mark.parametrize("share", [0.0, 0.5, None])
def test_priors_of_counts_sum_to_one_over_sets(layers, share):
    for layer, log_phi in zip(layers.layers, layers.count_prior(share), strict=True):
        counts = np.arange(log_phi.shape[1])
        for n, own in zip(layer.sizes, log_phi, strict=True):
            assert np.exp(own[: n + 1]) @ comb(n, counts[: n + 1]) == pytest.approx(1)
            assert np.isneginf(own[n + 1 :]).all()
            if share is None:
                assert (
                    np.isneginf(own[0]) and np.ptp(own[1 : n + 1] + np.log(comb(n, counts[1 : n + 1]))) < 1e-9
                )


def test_a_share_is_of_the_rows_that_are_meant_and_never_less_than_the_text_says():
    weights = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])
    bags = [RowBag(np.arange(8), 1, 3), RowBag(np.arange(8), 1, 1, weights)]
    (first,), (second,) = (BagLayers([one]).count_prior(0.5) for one in bags)
    likeliest = [int((log_phi[0] + np.log(comb(8, np.arange(9)))).argmax()) for log_phi in (first, second)]
    assert likeliest == [4, 2]
    assert int((BagLayers(bags[:1]).count_prior(0.0)[0][0] + np.log(comb(8, np.arange(9)))).argmax()) == 3

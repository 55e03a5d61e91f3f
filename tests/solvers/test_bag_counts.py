"""Counts of bags, against all subsets: normaliser, marginals and draws, however far apart the odds are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sayso.solvers.bag_counts import BagPosterior

SIZES = np.array([7, 6, 6, 4, 2, 1])


def bags(scale, seed=0):
    """Return odds and priors of counts, a few of which cannot be, in three chains."""
    r = np.random.default_rng(seed)
    shape = (len(SIZES), 3, SIZES.max())
    log_phi = r.normal(size=(*shape[:2], shape[2] + 1)) * 3
    log_phi[r.random(log_phi.shape) < 0.4] = -np.inf
    log_phi[..., 1] = 0
    log_phi[np.broadcast_to(np.arange(shape[2] + 1) > SIZES[:, None, None], log_phi.shape)] = -np.inf
    return r.normal(size=shape) * scale, log_phi


@pytest.mark.parametrize("scale", [1.0, 10.0, 300.0])
def test_equals_the_sum_over_all_subsets(scale):
    odds, log_phi = bags(scale)
    found = BagPosterior(odds, log_phi, SIZES)
    marginals, draws = found.marginals(), [found.draw(np.random.default_rng(k)) for k in range(1500)]
    for g, k in np.ndindex(len(SIZES), 3):
        n = SIZES[g]
        sets = np.array(list(itertools.product([False, True], repeat=int(n))))
        logs = log_phi[g, k][sets.sum(1)] + sets @ odds[g, k, :n]
        total = np.logaddexp.reduce(logs)
        expected = np.exp(logs - total) @ sets
        assert found.log_normalizer[g, k] == pytest.approx(total)
        np.testing.assert_allclose(marginals[g, k, :n], expected, atol=1e-9)
        drawn = np.array([one[g, k] for one in draws])
        assert not marginals[g, k, n:].any() and not drawn[:, n:].any()
        np.testing.assert_allclose(drawn[:, :n].mean(0), expected, atol=0.06)
        assert np.isfinite(log_phi[g, k][drawn.sum(1)]).all()


def test_the_order_of_rows_does_not_matter():
    odds, log_phi = bags(5.0)
    order = np.random.default_rng(1).permutation(7)
    plain = BagPosterior(odds[:1], log_phi[:1], SIZES[:1])
    turned = BagPosterior(odds[:1][..., order], log_phi[:1], SIZES[:1])
    np.testing.assert_allclose(turned.log_normalizer, plain.log_normalizer)
    np.testing.assert_allclose(turned.marginals(), plain.marginals()[..., order])


@pytest.mark.parametrize("forced", [0, 2, 200])
def test_a_count_that_all_odds_speak_against_does_not_underflow(forced):
    odds = np.random.default_rng(0).normal(size=(1, 1, 200)) * 40 + (60 if forced < 100 else -60)
    log_phi = np.full((1, 1, 201), -np.inf)
    log_phi[..., forced] = 0
    found = BagPosterior(odds, log_phi, np.array([200]))
    assert np.isfinite(found.log_normalizer).all()
    assert found.marginals().sum() == pytest.approx(forced)
    assert found.draw(np.random.default_rng(0)).sum() == forced

"""Sampled bags: with means held, as enumeration says; with means drawn, planted classes come back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sayso.solvers.bag_layers import BagLayers, RowBag
from sayso.solvers.bag_sampling import BagSampler


def overlapping():
    """Return three bags of two classes that share rows, and a sampler whose ratios are as given."""
    layers = BagLayers(
        [RowBag(np.arange(4), 1), RowBag(np.array([2, 3, 4]), 2), RowBag(np.array([3, 4, 5]), 1)]
    )
    log_phi, r = layers.count_prior(0.5), np.random.default_rng(3)
    ratios = r.normal(size=(6, 3))
    ratios[:, 0] = 0
    odds = np.take_along_axis(ratios, np.maximum(layers.labels, 0), 1)
    X = np.zeros((6, 2))
    return (
        layers,
        ratios,
        BagSampler(X, np.zeros(2), 10.0, layers, log_phi, odds, 400, np.random.default_rng(0)),
    )


def enumerated(layers, ratios):
    """Return probabilities of classes and the log likelihood ratio of all bags, over all they could take."""
    phi = {
        b: p
        for layer, one in zip(layers.layers, layers.count_prior(0.5), strict=True)
        for b, p in zip(layer.bags, one, strict=True)
    }
    total, found = 0.0, np.zeros((6, 3))
    choices = [list(itertools.product([0, 1], repeat=len(bag.rows))) for bag in layers.bags]
    for taken in itertools.product(*choices):
        weight, takes = 1.0, np.zeros((6, 3))
        for b, (bag, own) in enumerate(zip(layers.bags, taken, strict=True)):
            weight *= np.exp(phi[b][sum(own)])
            takes[bag.rows, bag.label] += own
        takes[takes.sum(1) == 0, 0] = 1
        like = takes * np.exp(ratios)
        each = like.sum(1) / takes.sum(1)
        total += weight * each.prod()
        found += weight * each.prod() * like / like.sum(1, keepdims=True)
    return found / total, np.log(total)


def test_with_means_held_the_bags_are_drawn_as_enumeration_says():
    layers, ratios, sampler = overlapping()
    expected, total = enumerated(layers, ratios)
    for _ in range(20):
        sampler._draw_bags(keep=False)
    drawn = []
    for _ in range(60):
        sampler._draw_bags(keep=True)
        drawn.append(np.eye(3)[sampler._draw_labels()].mean(0))
    found = sampler.probabilities(3)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(found, expected, atol=0.01)
    np.testing.assert_allclose(np.mean(drawn, 0), expected, atol=0.02)
    before = sampler.taken
    logs = np.concatenate([sampler.log_likelihoods() for _ in range(10)])
    assert logs.shape[1] == 1 and np.log(np.exp(logs).mean()) == pytest.approx(total, abs=0.02)
    assert sampler.taken is before


def test_what_is_kept_aside_teaches_nothing():
    layers = BagLayers([RowBag(np.arange(4), 1), RowBag(np.arange(4, 8), 1)])
    X = np.random.default_rng(0).normal(size=(8, 3))

    def means(X):
        aside = np.array([[False, True]])
        sampler = BagSampler(
            X,
            np.zeros(3),
            50.0,
            layers,
            layers.count_prior(0.5),
            np.zeros((8, 1)),
            1,
            np.random.default_rng(0),
            aside,
        )
        sampler.run(1, keep=True)
        return sampler.seen[0][0]

    other = X.copy()
    other[4:] += 100
    np.testing.assert_array_equal(means(X), means(other))
    other[:4] += 100
    assert not np.allclose(means(X), means(other))

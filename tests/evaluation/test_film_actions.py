"""Planted actions of small films: the truth is planted as said, and clear features give it back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.data.datasets.movies66 import read_films
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.film_actions import FilmActions, bagged, planted_classes


@pytest.fixture
def folder(tmp_path):
    for movie in range(2):
        bags = [
            {"action": 2 + k % 3, "person": 0, "frames": [0, 9], "tracks": list(range(9 * k, 9 * k + 8))}
            for k in range(6)
        ]
        content = {"movie": movie, "tracks": [[n, n + 1] for n in range(60)], "bags": bags}
        (tmp_path / f"movie{movie}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(("share", "each"), [(0, 2), (0.5, 4), (0.75, 6)])
def test_as_many_of_each_bag_hold_its_action(folder, share, each):
    films = read_films(folder)
    truth = np.split(planted_classes(films, share, np.random.default_rng(0)), 2)
    for film, labels in zip(films, truth, strict=True):
        assert all((labels[bag.tracks] == bag.action).sum() == each for bag in film.bags)
        assert not labels[film.outside()].any()
    assert bagged(films).sum() == 2 * 6 * 8


@pytest.mark.slow
def test_clear_features_give_the_actions_back(folder):
    evaluator = FilmActions(distances=(1, 12), dimensions=20)
    found = evaluator(None, folder, EvaluationOptions(seeds=(0,)))
    assert found.counts == {"tracks in bags": Count(96, 120)}
    for planted in ("two of each bag", "half of each bag"):
        for way in ("sampled", "calibrated twice", "mixture"):
            row = found.rows[f"{planted}, 12: {way}"]
            assert row["accuracy"] > 0.95 and row["AP"] > 0.95, way
        assert found.rows[f"{planted}, 12: background always"]["accuracy"] in (0.75, 0.5)
    assert found.primary.value == found.rows["half of each bag, 12: sampled"]["AP"]

"""Planted actions of small films: the truth is planted as said, and clear features give it back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.data.datasets.movies66 import read_films
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.film_actions import RIVALS, FilmActions, _summary, bagged, planted_classes


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


def test_the_lead_is_over_the_best_rival_of_each_number():
    def scores(**given):
        ways = dict.fromkeys((*RIVALS, "sampled", "true labels"), (0.1, 0.1, 0.1)) | given
        return {way: dict(zip(("accuracy", "AP", "mAP"), row, strict=True)) for way, row in ways.items()}

    seeds = [
        scores(sampled=(0.5, 0.5, 0.5), scores=(0.4, 0.1, 0.1), mixture=(0.3, 0.6, 0.1)),
        scores(sampled=(0.7, 0.5, 0.5), scores=(0.4, 0.1, 0.1), mixture=(0.5, 0.6, 0.1)),
    ]
    found = _summary(seeds)
    assert found["sampled"]["accuracy"] == pytest.approx(0.6)
    assert found["sampled leads by"] == pytest.approx({"accuracy": 0.2, "AP": -0.1, "mAP": 0.4})
    assert found["standard error of it"] == pytest.approx({"accuracy": 0.1, "AP": 0, "mAP": 0})
    assert "standard error of it" not in _summary(seeds[:1])


def test_progress_counts_the_seeds_of_each_cell(folder):
    told = []

    class Told:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total))

    evaluator = FilmActions(distances=(12,), dimensions=5, shares=(0.75,))
    found = evaluator(None, folder, EvaluationOptions(seeds=(0, 1)), Told())
    assert told == [(1, 2), (2, 2)]
    assert found.rows["0.75 of each bag, 12: background always"]["accuracy"] == 0.25


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

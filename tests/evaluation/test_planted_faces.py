"""Drawn descriptors have the distances that are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.data.datasets.tvperson import read_episodes
from sayso.evaluation.planted_faces import equal_error_rate, planted_descriptors


def test_distances_are_as_asked(shared_data):
    episode = read_episodes(shared_data / "tvperson")[0]
    X = planted_descriptors(episode.tracks, episode.names, 0.5, 0.75, seed=1)
    who = np.array(episode.names)
    squares = (X**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * X @ X.T, 0))
    same = (who[:, None] == who) & ~np.eye(len(who), dtype=bool)
    assert distance[same].mean() == pytest.approx(0.5, abs=0.06)
    assert distance[who[:, None] != who].mean() == pytest.approx(0.75, abs=0.09)


def test_the_equal_error_rate_of_points_on_a_line():
    apart = np.array([[0.0], [0.1], [5.0], [5.1]])
    assert equal_error_rate(apart, ["a", "a", "b", "b"]) == pytest.approx(0, abs=0.01)
    mixed = np.array([[0.0], [5.0], [0.1], [5.1]])
    assert equal_error_rate(mixed, ["a", "a", "b", "b"]) > 0.4

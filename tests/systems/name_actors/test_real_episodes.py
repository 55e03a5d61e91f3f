"""Real tracks, lips and subtitles: names beside the speaking-face rule and the most frequent speaker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sayso.alignment import align_script
from sayso.data.datasets.tvperson import read_episodes
from sayso.metrics.naming import naming_scores, reliability
from sayso.systems.name_actors import cast_of, name_actors, speaking_faces


@pytest.fixture(scope="module")
def episodes(shared_data):
    found = []
    for episode in read_episodes(shared_data / "tvperson"):
        lines = align_script(episode.script, episode.captions).lines
        names = cast_of(lines)
        truth = np.array([names.index(name) if name in names else len(names) for name in episode.names])
        found.append((episode.tracks, lines, names, truth))
    return found


def test_without_descriptors_better_than_the_rule_and_the_majority(episodes):
    for tracks, lines, names, truth in episodes:
        rule = naming_scores(speaking_faces(tracks, lines, names).probabilities, truth)
        ours = name_actors(tracks, lines, names=names)
        score = naming_scores(ours.probabilities, truth)
        assert score["accuracy"] > 1.4 * np.bincount(truth).max() / len(truth)
        assert score["accuracy"] > rule["accuracy"] + 0.15 and score["AP"] > rule["AP"] + 0.1
        assert reliability(ours.probabilities, truth)["error"] < 0.06


@pytest.mark.slow
def test_with_descriptors_nearly_all(episodes):
    for tracks, lines, names, truth in episodes:
        r = np.random.default_rng(0)
        centres = r.standard_normal((len(names) + 1, 32)) * 0.55 / 8
        looks = centres[truth] + r.standard_normal((len(truth), 32)) * 0.45 / 8
        described = [replace(track, descriptor=x) for track, x in zip(tracks, looks, strict=True)]
        score = naming_scores(name_actors(described, lines, names=names).probabilities, truth)
        assert score["accuracy"] > 0.85

"""Speakers of lines: counted by hand on a small episode, and as published on real ones."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from evaluation.episodes import LINES, write_episode
from sayso.alignment import align_script
from sayso.data.datasets.tvperson import read_episode, read_episodes
from sayso.evaluation.evaluator import Count
from sayso.evaluation.script_alignment import SCRIPT_ALIGNMENT, spoilt


def test_one_wrong_name_in_the_transcript_is_one_wrong_line(tmp_path):
    found = SCRIPT_ALIGNMENT(None, write_episode(tmp_path, wrong_speaker=7))
    whole = found.rows["tiny, whole"]
    assert whole["accuracy"] == whole["published"] == pytest.approx(1 - 1 / LINES)
    assert whole["wrong above 0.9"] == 1
    assert found.primary.value == whole["accuracy"]
    assert found.counts == {"episodes": Count(1, 1), "lines": Count(LINES, LINES)}


def test_a_broken_episode_is_told_and_the_others_are_measured(tmp_path):
    write_episode(write_episode(tmp_path), "torn")
    (tmp_path / "torn.tracks.json").write_text("{")
    found = SCRIPT_ALIGNMENT(None, tmp_path)
    assert found.counts["episodes"] == Count(1, 2) and found.rows["tiny, whole"]["accuracy"] == 1
    assert len(found.lost) == 1 and "the episode torn" in found.lost[0]


def test_what_is_spoilt_is_what_is_said(tmp_path):
    elements = read_episode(write_episode(tmp_path), "tiny").script.elements
    texts = [element.text for element in elements]
    rng = lambda: random.Random(0)  # noqa: E731
    assert [e.text for e in spoilt(elements, "whole", rng())] == texts
    fifth = LINES // 6
    swapped = [e.text for e in spoilt(elements, "swapped", rng())]
    assert swapped[fifth : 2 * fifth] == texts[3 * fifth : 4 * fifth] and sorted(swapped) == sorted(texts)
    dropped = [e.text for e in spoilt(elements, "15 % dropped", rng())]
    assert 0.6 * LINES < len(dropped) < LINES and set(dropped) <= set(texts)
    garbled = [e.text.split() for e in spoilt(elements, "10 % garbled", rng())]
    pairs = zip(chain(*garbled), " ".join(texts).split(), strict=True)
    changed = sum(a != b for a, b in pairs)
    assert 5 < changed < 40 and [len(words) for words in garbled] == [6] * LINES


@pytest.mark.slow
def test_real_episodes(shared_data):
    """Each line is counted anew; better than the published alignment of the same data on each episode."""
    found = SCRIPT_ALIGNMENT(None, shared_data / "tvperson")
    for episode in read_episodes(shared_data / "tvperson"):
        row = found.rows[f"{episode.name}, whole"]
        lines = align_script(episode.script, episode.captions).lines
        right = sum(line.speaker == who for line, who in zip(lines, episode.speakers, strict=True))
        assert row["accuracy"] == right / len(episode.speakers) > row["published"]
        assert row["wrong above 0.9"] <= 0.02 * row["above 0.9"]

"""Full transcripts: the rule beside ours counted by hand, and real episodes beside difflib and rapidfuzz."""

from __future__ import annotations

import pytest

from evaluation.episodes import LINES, write_episode
from sayso.core.types import Caption, Span
from sayso.data.datasets.tvperson import read_episode
from sayso.evaluation.full_transcripts import FULL_TRANSCRIPTS, carried_on, full_transcript
from sayso.text.screenplay.elements import Element


def test_votes_decide_and_a_line_without_carries_on():
    elements = [
        Element("dialogue", "red green blue", 1, "a"),
        Element("dialogue", "one two three", 2, "b"),
    ]
    captions = [
        Caption(Span(k, k + 1), text) for k, text in enumerate(("Zebra", "Red, one!", "Hm?", "three"))
    ]

    def pair(script, spoken):
        assert (list(script), list(spoken)) == (
            ["red", "green", "blue", "one", "two", "three"], ["zebra", "red", "one", "hm", "three"]
        )  # fmt: skip
        return iter([(0, 1), (1, 1), (3, 2), (5, 4)])

    assert carried_on(elements, captions, pair) == [None, "a", "a", "b"]


def test_every_speech_has_its_true_speaker(tmp_path):
    episode = read_episode(write_episode(tmp_path, wrong_speaker=7), "tiny")
    speeches = full_transcript(episode)
    assert [one.speaker for one in speeches] == episode.speakers
    found = FULL_TRANSCRIPTS(None, tmp_path).rows["tiny, whole"]
    assert found["ours"] == found["difflib"] == 1 and found["least lead"] == 0
    assert len(episode.speakers) == LINES


@pytest.mark.slow
def test_real_episodes_are_won_in_every_cell(shared_data):
    pytest.importorskip("rapidfuzz")
    found = FULL_TRANSCRIPTS(None, shared_data / "tvperson")
    assert len(found.rows) == 5 * (found.counts["episodes"].used + 1)
    assert all(row["ours"] > max(row["difflib"], row["rapidfuzz"]) for row in found.rows.values())
    assert found.rows["mean, whole"]["ours"] > 0.99 and found.rows["mean, all three"]["ours"] > 0.85

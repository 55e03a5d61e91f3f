from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.core.types import Box, Span
from sayso.data.datasets.tvperson import read_episode, read_episodes


def write(folder, name="x"):
    lines = [
        {"start": 1.0, "end": 2.0, "text": "- Hi.\n- Ho.", "true_speaker": ["a", "b"],
         "transcript_text": ["hi", "ho"], "transcript_speaker": ["a", None]},
        {"start": 3.0, "end": 4.0, "text": "So?", "true_speaker": "a",
         "transcript_text": "so", "transcript_speaker": "b"},
        {"start": 5.0, "end": 6.0, "text": "No.", "true_speaker": "b",
         "transcript_text": "no", "transcript_speaker": "IGNORE"},
    ]  # fmt: skip
    faces = [
        {"track": 0, "start": 1.0, "end": 2.0, "box": [1, 2, 3, 4], "lip_motion": [None, 0.5], "name": "a"}
    ]
    (folder / f"{name}.subtitles.json").write_text(json.dumps(lines))
    (folder / f"{name}.tracks.json").write_text(json.dumps(faces))
    (folder / f"{name}.videvents").write_text("HEAD\n25 1.0 CUT\n30 1.2 FADE 40 1.6\n75 3.0 CUT\n")


def test_what_is_known_and_what_is_true_are_apart(tmp_path):
    write(tmp_path)
    (episode,) = read_episodes(tmp_path)
    assert [element.speaker for element in episode.script.elements] == ["a", None, "b", None]
    assert episode.speakers == ["a", "b", "a", "b"] and episode.published == ["a", None, "b", None]
    assert [caption.speaker for caption in episode.captions] == [None, None, None]
    (track,) = episode.tracks
    assert track.box == Box(1, 2, 4, 6) and track.span == Span(1, 2) and np.isnan(track.lips[0])
    assert episode.names == ["a"] and episode.cuts == [1.0, 3.0]


def test_what_is_missing_or_wrong_is_said(tmp_path):
    with pytest.raises(SaysoError, match=r"no .*subtitles\.json"):
        read_episodes(tmp_path)
    write(tmp_path)
    (tmp_path / "x.tracks.json").write_text('[{"start": 1}]')
    with pytest.raises(SaysoError, match="the episode x"):
        read_episode(tmp_path, "x")


def test_the_real_episodes(shared_data):
    episodes = read_episodes(shared_data / "tvperson")
    assert sum(len(episode.speakers) for episode in episodes) >= 1800
    for episode in episodes:
        assert len(episode.names) == len(episode.tracks) > 500 and episode.cuts == sorted(episode.cuts)

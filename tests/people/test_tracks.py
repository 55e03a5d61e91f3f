from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.core.types import Box, Span
from sayso.people import Track, read_tracks, write_tracks

seconds = st.floats(0, 5000).map(lambda x: round(x, 3))


@st.composite
def some_tracks(draw):
    size = draw(st.sampled_from([0, 3]))
    number = st.floats(-5, 5, width=16).map(lambda x: round(x, 4))
    tracks = []
    for _ in range(draw(st.integers(0, 4))):
        start, more = draw(seconds), draw(seconds)
        box = Box(1, 2, 3.5, 4) if draw(st.booleans()) else None
        lips = np.array(draw(st.lists(number | st.just(float("nan")), max_size=5)))
        looks = np.array(draw(st.lists(number, min_size=size, max_size=size)))
        boxes = np.array(draw(st.lists(st.tuples(*[st.integers(0, 99)] * 4), max_size=3))).reshape(-1, 4)
        tracks.append(Track(Span(start, start + more), box, lips, looks, boxes))
    return tracks


@settings(max_examples=40, deadline=None)
@given(some_tracks())
def test_tracks_come_back_as_they_were(tmp_path, tracks):
    write_tracks(tmp_path / "t.json", tracks)
    for back, track in zip(read_tracks(tmp_path / "t.json"), tracks, strict=True):
        assert back.span.start == pytest.approx(track.span.start, abs=6e-4) and back.box == track.box
        assert back.lips == pytest.approx(track.lips, abs=1e-5, nan_ok=True)
        assert back.descriptor == pytest.approx(track.descriptor, abs=1e-5)
        np.testing.assert_array_equal(back.boxes, track.boxes)


def test_where_a_face_is_at_a_time():
    track = Track(Span(10, 12), boxes=np.array([[0, 0, 1, 1], [5, 0, 6, 1]]))
    assert [track.at(s).x0 for s in (9, 10, 10.9, 11, 11.9, 12, 99)] == [0, 0, 0, 5, 5, 5, 5]
    assert Track(Span(0, 1), Box(1, 2, 3, 4)).at(0.5) == Box(1, 2, 3, 4) and Track(Span(0, 1)).at(0) is None
    assert Track(Span(1, 1), boxes=np.ones((2, 4))).at(1) == Box(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no file of tracks"),
        ("{}", "JSON list"),
        ('[{"start_s": 1}]', "entry 0 is no track"),
        ('[{"start": 1, "end": 2}]', "it lacks 'start_s', but has 'start': rename it"),
        ('[{"start_s": 2, "end_s": 1}]', "entry 0"),
        ('[{"start_s": 0, "end_s": NaN}]', "entry 0"),
        ("[3]", "entry 0"),
        ('[{"start_s": 0, "end_s": 1, "box": [1, 2]}]', "entry 0"),
        ('[{"start_s": 0, "end_s": 1, "boxes": [[1, 2, 3]]}]', "four numbers"),
        ('[{"start_s": 0, "end_s": 1, "descriptor": [1]}, {"start_s": 0, "end_s": 1}]', r"\[0, 1\] numbers"),
    ],
)
def test_what_is_no_file_of_tracks_is_said_in_a_sentence(tmp_path, text, said):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(SaysoError, match=said):
        read_tracks(tmp_path / "t.json")


def test_fields_of_others_are_let_be_and_a_place_that_cannot_be_written_is_said(tmp_path):
    row = {"start_s": 0, "end_s": 1, "colour": "red", "lip_motion": [None, 0.5]}
    (tmp_path / "t.json").write_text(json.dumps([row]))
    assert np.isnan(read_tracks(tmp_path / "t.json")[0].lips[0])
    with pytest.raises(SaysoError, match="cannot be written"):
        write_tracks(tmp_path / "t.json" / "t.json", [])

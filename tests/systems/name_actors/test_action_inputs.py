"""What descriptions and the film tell of actions, before the clustering of ``name_actions``."""

from __future__ import annotations

import numpy as np
import pytest

import toy
from sayso.core.errors import MediaError
from sayso.core.types import Box, Span
from sayso.people import Track
from sayso.people.crops import person_clip
from sayso.systems.name_actors import Description, action_bags, motion_features

NAMES = ["Ilsa Lund", "Rick", "Viktor Lund"]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Rick hands Ilsa a glass.", 1),
        ("Ilsa takes it from RICK.", 0),
        ("Viktor Lund sits down.", 2),
        ("Lund sits down.", None),
        ("Somebody sits down.", None),
    ],
)
def test_a_description_tells_of_whoever_is_named_first(text, person):
    (one,) = action_bags([Track(Span(0, 3))], [Description(Span(0, 2), text, 0.9, (4,))], NAMES)
    assert (one.tracks.tolist(), one.action, one.person) == ([0], 4, person)


def test_bags_hold_the_tracks_on_screen_of_every_action_if_the_time_is_sure():
    tracks = [Track(Span(0, 3)), Track(Span(2, 5)), Track(Span(4.9, 9))]
    bags = action_bags(
        tracks,
        [
            Description(Span(1, 5), "He sits down and waves.", 0.9, (0, 2)),
            Description(Span(0, 9), "Nobody knows when.", 0.2, (1,)),
            Description(Span(20, 30), "Nobody is on screen.", 0.9, (1,)),
            Description(Span(0, 9), "It rains.", 0.9),
        ],
        NAMES,
    )
    assert [(one.tracks.tolist(), one.action) for one in bags] == [([0, 1], 0), ([0, 1], 2)]


def test_motion_is_what_the_encoder_sees_of_the_person_over_the_track(tmp_path):
    film = toy.make_video(tmp_path / "film.mp4", ["red", "blue"])
    tracks = [Track(Span(0.2, 3.8), Box(20, 10, 30, 20)), Track(Span(4.2, 7.8)), Track(Span(2, 6))]
    X, failures = motion_features(film, tracks, toy.ColourEncoder())
    red, blue = (toy.direction(toy.COLOURS[name]) for name in ("red", "blue"))
    assert not failures and X[0] @ red > 0.99 and X[1] @ blue > 0.99 and abs(X[2] @ red - X[2] @ blue) < 0.1


def test_people_are_cut_out_square_at_the_pictures_own_scale(tmp_path):
    film = toy.make_video(tmp_path / "film.mp4", ["green"])
    clip = person_clip(film, Track(Span(0, 2), Box(20, 10, 30, 20)), 3, height=96)  # 64 x 48, twice as large
    assert clip.shape == (3, 70, 70, 3)  # three and a half faces of 20
    assert person_clip(film, Track(Span(0, 2)), 2, height=96).shape == (2, 96, 128, 3)


def test_people_are_followed(tmp_path):
    film = toy.make_video(tmp_path / "film.mp4", ["red"])
    boxes = np.array([[20, 10, 24, 14], [30, 20, 36, 26]])
    clip = person_clip(film, Track(Span(0, 2), Box(20, 10, 24, 14), boxes=boxes), 2, height=48)
    assert clip.shape == (2, 21, 21, 3) and (abs(clip - np.array(toy.COLOURS["red"])) < 12).all()


def test_a_track_that_cannot_be_read_gets_the_mean(tmp_path):
    film = toy.make_video(tmp_path / "film.mp4", ["red"])
    with pytest.raises(MediaError, match=r"no\.mp4"):
        motion_features(tmp_path / "no.mp4", [Track(Span(0, 1))], toy.ColourEncoder())

    class Blind(toy.ColourEncoder):
        def encode_video(self, frames):
            if not calls:
                calls.append(1)
                raise MediaError("unreadable")
            return super().encode_video(frames)

    calls = []
    X, failures = motion_features(film, [Track(Span(0, 1)), Track(Span(1, 2))], Blind())
    assert [failure.stage for failure in failures] == ["track 0"]
    np.testing.assert_array_equal(X[0], X[1])

from __future__ import annotations

import itertools
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import films
from sayso.core.errors import MissingExtra, Unavailable
from sayso.core.types import Box, Span
from sayso.people import face_models, find_shots, track_faces
from sayso.people.crops import face_pictures, square_crop
from sayso.people.faces import box_iou, head_and_shoulders, mouth_motion

needs_models = pytest.mark.skipif(
    not (find_spec("dlib") and find_spec("face_recognition_models")),
    reason="the extra 'faces' is not installed",
)
whole = st.integers(0, 12)
boxes = st.tuples(whole, whole, st.integers(1, 9), st.integers(1, 9)).map(
    lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_overlap_is_that_of_the_pixels(a, b):
    def pixels(box):
        return set(itertools.product(range(box.x0, box.x1), range(box.y0, box.y1)))

    both, either = pixels(a) & pixels(b), pixels(a) | pixels(b)
    assert box_iou(a, b) == pytest.approx(len(both) / len(either))


def test_a_mouth_that_is_only_shifted_does_not_move_and_one_that_opens_does():
    rng = np.random.default_rng(0)
    mouth = rng.uniform(50, 200, (30, 44)).astype(np.float32)
    assert mouth_motion(mouth, np.roll(mouth, (2, -1), (0, 1))) == pytest.approx(0)
    opened = mouth.copy()
    opened[12:20, 10:34] = 10
    moved = mouth_motion(mouth, opened)
    core = mouth[2:28, 2:42]
    plain = min(
        np.abs(core - opened[2 + y : 28 + y, 2 + x : 42 + x]).mean()
        for y in range(-2, 3)
        for x in range(-2, 3)
    )
    assert moved == pytest.approx(plain / (core.mean() + 8), rel=1e-4) and moved > 0.1


@given(boxes)
def test_crops_and_shoulders_stay_in_the_picture(box):
    x0, y0, x1, y1 = square_crop(box, 20, 15)
    assert 0 <= x0 < x1 <= 20 and 0 <= y0 < y1 <= 15 and abs((x1 - x0) - (y1 - y0)) <= 1
    body = head_and_shoulders(Box(4, 4, 8, 8), 40, 40)
    assert body == Box(0, 2, 12, 16)


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    face_models.face_weights.cache_clear()
    monkeypatch.setattr(face_models, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install .*\[faces\]'"):
        face_models.face_weights(face_models.LANDMARKS)


@needs_models
def test_other_weights_are_refused(monkeypatch):
    face_models.face_weights.cache_clear()
    monkeypatch.setitem(face_models.SHA256, face_models.LANDMARKS, "0" * 64)
    with pytest.raises(Unavailable, match="not the file that was tested"):
        face_models.face_weights(face_models.LANDMARKS)
    face_models.face_weights.cache_clear()


@needs_models
@pytest.mark.slow
def test_real_faces_are_followed_described_and_shown(shared_data):
    """In real films some faces are found; a face found again in the same video is near to itself."""
    found = {}
    for path in sorted((shared_data / "videos").glob("*wave*")):
        tracks = track_faces(path, find_shots(path).spans).tracks
        found[path] = tracks
        for track in tracks:
            assert track.descriptor.shape == (128,) and len(track.lips) >= 2
            assert np.isnan(track.lips[0]) and (track.lips[1:] >= 0).all()
    path, tracks = max(found.items(), key=lambda item: len(item[1]))
    assert len(tracks) >= 3
    pictures = face_pictures(path, dict(enumerate(tracks)))
    assert pictures.keys() == set(range(len(tracks)))
    looks = np.array([track.descriptor for track in tracks])
    apart = np.linalg.norm(looks[:, None] - looks, axis=2)
    together = [
        apart[a, b]
        for a, b in itertools.combinations(range(len(tracks)), 2)
        if tracks[a].span.overlap(tracks[b].span) > 0.2
    ]
    assert min(together) > 0.45  # faces on screen at once are two people


@needs_models
def test_a_video_without_faces_has_no_tracks(tmp_path):
    path = tmp_path / "a.mp4"
    films.make(path, 30)
    done = []
    kept = {"shot_done": lambda k, tracks: done.append((k, tracks))}
    assert track_faces(path, [Span(0, 0.5), Span(0.5, 1)], **kept).tracks == ()
    assert done == [(0, []), (1, [])]
    assert track_faces(path, [Span(0, 1)], first_shot=1).tracks == ()

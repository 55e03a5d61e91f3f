"""Tracks are kept shot by shot: an interrupted run goes on, and nothing is done twice."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.core.errors import MediaError, SaysoError
from sayso.core.ownership import writing
from sayso.core.types import Span
from sayso.people import FilmTracks, Shots, Track, track_store
from sayso.people.track_store import film_tracks

SHOTS = [Span(k, k + 1) for k in range(5)]
PROBLEMS = (MediaError("damaged"),)


def track(shot):
    return Track(Span(shot + 0.25, shot + 0.75), None, np.array([0.5]), np.array([shot, 1.0]))


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A film whose tracking is played; ``film.stop`` is the shot at which it is interrupted."""

    class Film:
        path, store, stop, done = tmp_path / "film.mp4", tmp_path / "kept.jsonl", 99, []

    def play(path, shots, *, first_shot=0, shot_done=lambda *_: None, **_):
        for shot in range(first_shot, len(shots)):
            if shot == Film.stop:
                raise KeyboardInterrupt
            Film.done.append(shot)
            shot_done(shot, [track(shot)])
        return FilmTracks(tuple(track(shot) for shot in range(first_shot, len(shots))), PROBLEMS)

    Film.done = []
    Film.path.write_bytes(b"film")
    monkeypatch.setattr(track_store, "find_shots", lambda path, **_: Shots(tuple(SHOTS), PROBLEMS))
    monkeypatch.setattr(track_store, "track_faces", play)
    return Film


def starts(found):
    return [one.span.start for one in found.tracks]


def test_an_interrupted_run_goes_on_where_it_stopped(film):
    film.stop = 3
    with pytest.raises(KeyboardInterrupt):
        film_tracks(film.path, film.store)
    film.stop = 99
    with film.store.open("a") as file:
        file.write('{"shot": 3, "tra')  # killed while writing
    assert starts(film_tracks(film.path, film.store)) == [k + 0.25 for k in range(5)]
    assert film.done == [0, 1, 2, 3, 4]
    again = film_tracks(film.path, film.store)
    assert film.done == [0, 1, 2, 3, 4] and again.tracks[4].descriptor.tolist() == [4, 1]


def test_another_film_another_rate_and_a_strange_file_are_begun_anew(film):
    film_tracks(film.path, film.store)
    film.path.write_bytes(b"another film")
    film_tracks(film.path, film.store)
    film_tracks(film.path, film.store, fps=5)
    film.store.write_text("[]\nnonsense\n")
    with pytest.raises(SaysoError, match="not as sayso wrote it"):
        film_tracks(film.path, film.store, fps=5)
    with writing("python", overwrite=True):
        film_tracks(film.path, film.store, fps=5)
    assert film.done == [*range(5)] * 4
    assert [json.loads(line)["shot"] for line in film.store.read_text().splitlines()[1:]] == [*range(5)]


def test_a_film_that_is_not_there_and_a_place_that_cannot_be_written_are_said(film, tmp_path):
    with pytest.raises(MediaError, match="there is nothing at"):
        film_tracks(tmp_path / "none.mp4", film.store)
    with pytest.raises(SaysoError, match="cannot be written"):
        film_tracks(film.path, film.path / "kept.jsonl")


def test_without_a_store_all_is_found_and_damage_is_in_the_result(film):
    found = film_tracks(film.path, None)
    assert starts(found) == [k + 0.25 for k in range(5)] and found.problems == PROBLEMS * 2
    assert not film.store.exists()

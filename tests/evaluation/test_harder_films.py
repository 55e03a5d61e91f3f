"""Harder films: who is taken off the cast, what is left, and each figure counted anew."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.episodes import LINES, write_episode
from sayso.data.datasets.tvperson import read_episode
from sayso.evaluation.harder_films import HarderFilms, harder_film, scores_of, taken_off


def test_people_are_taken_off_until_the_share_is_nobodys():
    people = ["a"] * 50 + ["b"] * 30 + ["c"] * 15 + ["d"] * 3 + ["extra"] * 2
    for seed in range(8):
        rng = np.random.default_rng(seed)
        gone = taken_off([*"abcd"], people, 0.15, rng)
        share = sum(who in gone or who == "extra" for who in people) / len(people)
        assert abs(share - 0.15) <= 0.13 and gone
    assert not taken_off([*"abcd"], people, 0.0, np.random.default_rng(0))


def test_two_episodes_are_one_film_in_which_times_do_not_meet(tmp_path):
    parts = [read_episode(write_episode(tmp_path, name), name) for name in ("one", "two")]
    film = harder_film(parts, 0.0, seed=0)
    assert len(film.tracks) == len(film.lines) == 2 * LINES and sorted(film.names) == ["anna", "bela", "cleo"]
    assert film.tracks[LINES].span.start > film.tracks[LINES - 1].span.end + 500
    assert [film.names[k] for k in film.truth] == parts[0].names * 2
    assert [line.speaker for line in film.lines] == parts[0].speakers * 2


def test_strangers_have_no_lines_and_are_found_by_their_looks(tmp_path):
    episode = read_episode(write_episode(tmp_path), "tiny")
    film = harder_film([episode], 0.3, seed=0)
    assert len(film.names) == 2 and {line.speaker for line in film.lines} == {None, *film.names}
    scores = scores_of(film, "none", 0)
    assert scores["strangers"] == pytest.approx(1 / 3) and scores["filled rule"] <= 2 / 3


@pytest.mark.slow
def test_real_episodes_among_strangers(shared_data):
    found = HarderFilms(shares=(0.15,), levels=("close",))(None, shared_data / "tvperson")
    close = [row for name, row in found.rows.items() if name.endswith("strangers, close")]
    assert len(close) == found.counts["episodes"].used
    assert all(row["strangers F1"] > 0.5 and row["accuracy"] > 0.75 for row in close)

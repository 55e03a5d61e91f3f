from __future__ import annotations

import json

import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.movies66 import read_films


def test_a_film_is_read_with_classes_from_zero(tmp_path):
    bags = [{"action": 3, "person": 0, "frames": [1, 9], "tracks": [1, 2]}]
    bags.append({"action": 2, "person": 7, "frames": [1, 9], "tracks": [2]})
    film = {"movie": 5, "tracks": [[0, 1], [2, 3], [4, 5], [6, 7]], "bags": bags}
    (tmp_path / "movie05.json").write_text(json.dumps(film))
    (read,) = read_films(tmp_path)
    assert read.number == 5 and read.frames.shape == (4, 2)
    assert [(b.action, b.person) for b in read.bags] == [(2, None), (1, 7)]
    assert read.outside().tolist() == [0, 3]


@pytest.mark.parametrize("text", ["{", '{"movie": 1, "tracks": [], "bags": [{}]}'])
def test_a_broken_file_is_said(tmp_path, text):
    (tmp_path / "movie1.json").write_text(text)
    with pytest.raises(SaysoError, match=r"movie1\.json"):
        read_films(tmp_path)


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(SaysoError, match="no movie"):
        read_films(tmp_path)


def test_the_published_films_are_read(shared_data):
    films = read_films(shared_data / "movies66")
    assert len(films) == 6 and sum(len(f.frames) for f in films) > 20_000

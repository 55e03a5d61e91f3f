"""Who is on screen: counted, offered with a face, and searched for by a click."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

import toy
from sayso import Index
from sayso.serve.people import FACE_SIDE, MOST, Named, count_people, face_in


def test_those_in_most_clips_come_first_and_are_shown_alone():
    clips = [("a", ["Rick", "Ilsa"]), ("b", ["Ilsa"]), ("c", ["Sam", "Ilsa", "Rick"])]
    assert count_people(clips) == (Named("Ilsa", 3, "b"), Named("Rick", 2, "a"), Named("Sam", 1, "c"))
    assert len(count_people((str(k), [str(k)]) for k in range(100))) == MOST


@pytest.fixture(scope="module")
def named(tmp_path_factory, movie, serving):
    """A site with a film in which Ilsa Lund and Rick are on screen."""
    folder = tmp_path_factory.mktemp("film")
    movie(folder / "film.mp4", ["red", "blue", "green"])
    who = ["Ilsa Lund, Rick", "Rick", ""]
    rows = [
        {"path": "film.mp4", "start_s": 4 * k, "end_s": 4 * k + 4, "who": name} for k, name in enumerate(who)
    ]
    (folder / "who.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    index = Index.open(tmp_path_factory.mktemp("index") / "x.index", toy.ColourEncoder())
    assert not index.add(folder / "who.jsonl").failures
    with serving(index, folder) as site:
        yield site


def test_the_people_of_an_index_have_faces(named, site):
    people = named.client.get("/api/index").json()["people"]
    assert [(one["name"], one["clips"]) for one in people] == [("Rick", 2), ("Ilsa Lund", 1)]
    moments = named.index.moments(named.id_of("film.mp4"))
    assert [one["face"] for one in people] == [f"face/{moments[1].id}", f"face/{moments[0].id}"]
    answer = named.client.get(people[0]["face"])
    assert answer.content == named.index.thumbnail(moments[1].id), "where there is no face, the frame"
    assert named.client.get("/face/nobody").status_code == 404
    assert site.client.get("/api/index").json()["people"] == []


def test_a_face_is_cut_out_where_there_is_one(named, monkeypatch):
    monkeypatch.setattr("sayso.serve.media.face_in", lambda path, second: f"{path} {second}".encode())
    moment = named.index.moments(named.id_of("film.mp4"))[1]
    assert named.client.get(f"/face/{moment.id}").text == f"{moment.path} 6.0"


def test_a_real_face_is_found_upright(shared_data):
    pytest.importorskip("dlib")
    pytest.importorskip("face_recognition_models")
    film = next((shared_data / "videos").glob("RATRACE_wave*"))
    with Image.open(io.BytesIO(face_in(str(film), 0.3))) as face:
        assert face.size == (FACE_SIDE, FACE_SIDE)
    assert face_in(str(film), 900.0) is None, "there is no such second"

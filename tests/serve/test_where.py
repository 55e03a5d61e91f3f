"""The route that says where: JSON for pictures, one sentence for everything else."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

import toy
from sayso import Index


class PointingEncoder(toy.ColourEncoder):
    """Looks at the mean colour of each of 4 x 6 blocks."""

    def where(self, image, query):
        vector = self.encode_text([query])[0] if isinstance(query, str) else query
        small = np.asarray(image.resize((6, 4), Image.Resampling.BOX))
        return (toy.direction(small) @ vector).astype(np.float32)


def flag(path):
    """Red, with a blue square in the lower right corner: blocks 4 and 5 of the last row."""
    image = Image.new("RGB", (180, 120), toy.COLOURS["red"])
    image.paste(toy.COLOURS["blue"], (120, 90, 180, 120))
    image.save(path)


@pytest.fixture(scope="module")
def pointing(tmp_path_factory, movie, serving):
    """A site whose model can point."""
    folder = tmp_path_factory.mktemp("pointing")
    flag(folder / "flag.png")
    Image.new("RGB", (90, 60), toy.COLOURS["red"]).save(folder / "even.png")
    movie(folder / "film.mp4", ["red"])
    index = Index.open(tmp_path_factory.mktemp("index") / "x.index", PointingEncoder())
    assert not index.add(folder).failures
    with serving(index, folder) as site:
        yield site


def ask(site, name, words):
    return site.client.get(f"/api/where/{site.id_of(name)}", params={"q": words})


def test_the_hottest_place_is_where_the_colour_is(pointing):
    answer = ask(pointing, "flag.png", "blue").json()
    assert answer.keys() == {"query", "heat", "x", "y"}
    heat = np.array(answer["heat"])
    assert heat.shape == (4, 6)
    assert (heat.min(), heat.max()) == (0, 1)
    assert np.argwhere(heat == 1).tolist() == [[3, 4], [3, 5]]
    assert (answer["x"], answer["y"]) == (0.75, 0.875)
    assert ask(pointing, "flag.png", "red").json()["y"] < 0.75


def test_sums_of_words_are_understood_and_files_are_not_named(pointing):
    plain, less = (np.array(ask(pointing, "flag.png", q).json()["heat"]) for q in ("blue", "2:blue - red"))
    assert np.array_equal(plain == 1, less == 1)
    assert ask(pointing, "flag.png", "blue + /etc/passwd").status_code == 200


def test_an_even_picture_is_cold_everywhere(pointing):
    assert not np.any(ask(pointing, "even.png", "blue").json()["heat"])


def test_what_cannot_be_answered_is_said_in_one_sentence(pointing, site):
    for name, words, status, said in [
        ("film.mp4", "red", 400, "film is a video; places are told of pictures only"),
        ("flag.png", "", 400, "q: "),
        ("flag.png", "blue + ", 400, "has an empty term"),
        ("flag.png", "blue - blue", 400, "cancel each other out"),
    ]:
        answer = ask(pointing, name, words)
        assert (answer.status_code, answer.json().keys()) == (status, {"error"})
        assert said in answer.json()["error"]
    assert pointing.client.get("/api/where/nothing?q=red").status_code == 404
    other = ask(site, "sea.png", "red")
    assert other.status_code == 400
    assert other.json()["error"] == "the model colour tells what a picture shows, but not where in it"


def test_a_picture_that_is_gone_says_so(pointing):
    path = pointing.folder / "flag.png"
    path.rename(path.with_suffix(".away"))
    try:
        answer = ask(pointing, "flag.png", "blue")
        assert answer.status_code == 404
        assert "flag.png" in answer.json()["error"]
    finally:
        path.with_suffix(".away").rename(path)


def test_searching_goes_on_while_a_map_is_made(pointing, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    plain = PointingEncoder.where

    def slow(self, image, query):
        begun.set()
        assert go_on.wait(20)
        return plain(self, image, query)

    monkeypatch.setattr(PointingEncoder, "where", slow)
    found = []
    asking = threading.Thread(target=lambda: found.append(ask(pointing, "flag.png", "blue")))
    asking.start()
    try:
        assert begun.wait(20)
        assert pointing.client.get("/api/search", params={"q": "red"}).status_code == 200
        assert not found
    finally:
        go_on.set()
        asking.join()
    assert found[0].status_code == 200

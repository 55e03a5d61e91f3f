"""Classifying by names: rows as a plain computation gives them, mistakes told, files written whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.systems.zero_shot import ZeroShotOptions, run

COLOURS = ["red", "green", "blue", "white"]


class Scaled(toy.ColourEncoder):
    log_scale, bias = 1.5, None

    def encode_text(self, texts):
        return super().encode_text([text.replace(".", " ") for text in texts])


@pytest.fixture
def pictures(tmp_path):
    for colour in COLOURS:
        (tmp_path / "in" / colour).mkdir(parents=True)
        toy.make_picture(tmp_path / "in" / colour / "1.png", colour)
    return tmp_path / "in"


def test_each_picture_gets_its_colour_with_the_probability_by_hand(pictures):
    encoder = Scaled()
    result = run([pictures], COLOURS, ZeroShotOptions(top=None), encoder=encoder)
    assert [row["path"].split("/")[-2] for row in result.pictures] == sorted(COLOURS)
    names = toy.direction([toy.COLOURS[colour] for colour in COLOURS])
    for row in result.pictures:
        colour = row["path"].split("/")[-2]
        cosines = names @ toy.direction(toy.COLOURS[colour])
        odds = np.exp(np.exp(1.5) * cosines)
        expected = sorted(zip(odds / odds.sum(), COLOURS, strict=True), reverse=True)
        assert [one["name"] for one in row["names"]] == [name for _, name in expected]
        found = [one["probability"] for one in row["names"]]
        assert found == pytest.approx([p for p, _ in expected], abs=1e-5)
        assert row["names"][0]["name"] == colour
        assert row["names"][0]["score"] == pytest.approx(1, abs=1e-4)
    assert result.exclusive
    assert result.equal == ()
    assert len(run([pictures], COLOURS, ZeroShotOptions(top=2), encoder=encoder).pictures[0]["names"]) == 2


def test_a_sigmoid_judges_each_name_by_itself(pictures):
    class Sigmoid(Scaled):
        bias = -2.0

    result = run([pictures / "red" / "1.png"], COLOURS, ZeroShotOptions(top=None), encoder=Sigmoid())
    (row,) = result.pictures
    assert not result.exclusive
    for one in row["names"]:
        logit = np.exp(1.5) * one["score"] - 2
        assert one["probability"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)


def test_names_and_templates_of_files_and_names_that_are_one(pictures, tmp_path):
    (tmp_path / "names.json").write_text(json.dumps(["red", ["blue", "green"], "a red"]))
    (tmp_path / "t.txt").write_text("a photo of {c} things\n{c}\n")
    options = ZeroShotOptions(templates=tmp_path / "t.txt")
    result = run([pictures / "red"], tmp_path / "names.json", options, encoder=Scaled())
    assert result.names == ("red", "blue", "a red")
    assert result.equal == (("red", "a red"),)
    assert [one["name"] for one in result.pictures[0]["names"]] == ["red", "a red", "blue"]
    assert result.to_dict()["equal"] == [["red", "a red"]]


def test_what_cannot_be_read_is_listed_and_batches_do_not_matter(pictures, monkeypatch, tmp_path):
    whole = run([pictures], COLOURS, encoder=Scaled())
    (pictures / "green" / "0.jpg").write_bytes(b"no picture")
    monkeypatch.setattr("sayso.systems.zero_shot.BATCH", 2)
    told = []

    class Progress:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total))

    result = run([pictures], COLOURS, encoder=Scaled(), progress=Progress())
    assert result.pictures == whole.pictures
    assert [failure.path.rpartition("/")[2] for failure in result.failures] == ["0.jpg"]
    assert told == [(2, 5), (4, 5), (5, 5)]
    (path,) = result.write(tmp_path / "out" / "classes.jsonl")
    assert [json.loads(line) for line in path.read_text().splitlines()] == list(result.pictures)
    assert result.table()[0].startswith("0.")
    with pytest.raises(SaysoError, match=r"there is nothing at .*; name pictures"):
        run([tmp_path / "nowhere"], COLOURS, encoder=Scaled())

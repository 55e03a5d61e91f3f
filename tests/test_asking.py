"""Asking in Python: what is shown, choices, examples, moments of an index; the model's answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import sayso
from generators.bright import Bright
from sayso.asking import best_moments, nearest_shots
from sayso.core.errors import SaysoError
from sayso.generators.media_part import MediaPart
from sayso.generators.shots import read_shots


@pytest.fixture
def grey(tmp_path: Path):
    def write(name: str, shade: int) -> Path:
        path = tmp_path / name
        Image.fromarray(np.full((8, 10, 3), shade, np.uint8)).save(path)
        return path

    return write


def test_an_answer_says_what_made_it(grey):
    path = grey("a.png", 120)
    answer = sayso.ask("How bright?", [str(path)], model=Bright())
    assert answer.answer == "shade 120" and answer.probabilities is None
    assert answer.to_dict() == {
        "question": "How bright?",
        "answer": "shade 120",
        "probabilities": None,
        "shown": [{"path": str(path), "start_s": None, "end_s": None}],
        "model": "bright",
        "sha256": "0" * 64,
        "made_by": "a test",
    }


def test_choices_get_probabilities(grey):
    answer = sayso.ask("Bright?", [str(grey("a.png", 200))], model=Bright(), choices=["no", "yes"])
    assert answer.answer == "yes"
    assert answer.probabilities == pytest.approx({"no": 1 / (1 + np.e**2), "yes": 1 / (1 + np.e**-2)})
    with pytest.raises(SaysoError, match="two or more"):
        sayso.ask("Bright?", [str(grey("a.png", 200))], model=Bright(), choices=["yes", "yes"])


def test_a_moment_is_a_frame_and_a_stretch_is_some(tmp_path):
    path = tmp_path / "steps.mp4"
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        for k in range(40):  # every second is 40 brighter
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 * (k // 10 + 1), np.uint8))
            file.mux(stream.encode(frame))
        file.mux(stream.encode())

    def shades(text: str, **how) -> list[int]:
        pixels = MediaPart.parse(text).read(**how)
        return [round(float(one.mean()) / 40) for one in (pixels if pixels.ndim == 4 else pixels[None])]

    assert shades(f"{path}") == [1, 2, 3, 4]
    assert shades(f"{path}@1-3") == [2, 2, 3, 3] and shades(f"{path}@1-3", frames=2) == [2, 3]
    assert shades(f"{path}@2.5") == [3] and MediaPart.parse(f"{path}@2.5").read().ndim == 3
    with pytest.raises(SaysoError, match=r"ends at 4\.0 s, before second 99"):
        MediaPart(path, 99).read()


@pytest.mark.parametrize("text", ["no.jpg", "no.mp4@3", "no.mp4@3-4"])
def test_a_file_that_is_not_there_is_said(text):
    with pytest.raises(SaysoError, match="there is no file no"):
        MediaPart.parse(text)


def test_a_stretch_must_not_end_before_it_begins(grey):
    with pytest.raises(SaysoError, match="ends before it begins"):
        MediaPart.parse(f"{grey('a.png', 1)}@5-4")


def test_a_picture_has_no_second(grey):
    with pytest.raises(SaysoError, match="is a picture, which has no second 5"):
        MediaPart(grey("a.png", 1), 5.0).read()


def test_a_file_named_like_a_moment_is_that_file(grey):
    path = grey("a.png", 1)
    odd = path.rename(path.with_name("a.png@3"))
    assert MediaPart.parse(str(odd)) == MediaPart(odd)


def test_examples_come_from_json_lines(grey, tmp_path):
    grey("dark.png", 10), grey("light.png", 240)
    rows = [
        {"path": "dark.png", "answer": "night"},
        {"path": "light.png", "answer": "day", "question": "When?"},
    ]
    (tmp_path / "shots.jsonl").write_text("\n".join(map(json.dumps, rows)))
    shots = read_shots(tmp_path / "shots.jsonl", "What time?")
    assert [(one.text, one.answer) for one in shots] == [("What time?", "night"), ("When?", "day")]
    model = Bright(by_examples=True)
    assert sayso.ask("What time?", [str(grey("x.png", 230))], model=model, shots=shots).answer == "day"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 1: no JSON with path and answer"),
        ('{"path": "a.png"}', "line 1: no JSON with path and answer"),
        ('{"path": "no.png", "answer": "x"}', "line 1: there is no file"),
        ("", "holds no examples"),
    ],
)
def test_what_is_wrong_with_examples_is_said(tmp_path, line, why):
    (tmp_path / "shots.jsonl").write_text(line)
    with pytest.raises(SaysoError, match=why):
        read_shots(tmp_path / "shots.jsonl")


class FoundMoments:
    """An index with known hits."""

    def __init__(self, *hits):
        self.hits, self.asked = list(hits), []

    def search(self, query, **options):
        self.asked.append((query, options))
        return self.hits[: options["limit"]]


def hit(
    path: Path, text: str = "", kind: str = "picture", start: float = 0, end: float = 0
) -> sayso.index.hit.Hit:
    from sayso.index import Hit

    return Hit(
        id="1",
        media_id="1",
        start_s=start,
        end_s=end,
        best_s=0,
        score=1,
        path=str(path),
        kind=kind,
        title="",
        text=text,
    )


def test_the_best_moments_of_an_index_are_asked_about(grey):
    index = FoundMoments(hit(grey("a.png", 1)), hit(Path("talk.mp4"), kind="video", start=2, end=5))
    assert best_moments(index, "dog", 2) == [MediaPart(grey("a.png", 1)), MediaPart(Path("talk.mp4"), 2, 5)]
    with pytest.raises(SaysoError, match="nothing in the index fits 'dog'"):
        best_moments(FoundMoments(), "dog")


def test_nearest_examples_have_a_text_are_others_and_the_most_similar_is_last(grey):
    asked = MediaPart(grey("x.png", 100))
    index = FoundMoments(
        hit(asked.path, "itself"), hit(grey("a.png", 99), "near"), hit(grey("b.png", 50), "far")
    )
    shots = nearest_shots(index, asked, "What?", 2)
    assert [one.answer for one in shots] == ["far", "near"]
    ((query, options),) = index.asked
    assert query == "" and options["like"] == str(asked.path) and options["filter"] == "text != ''"

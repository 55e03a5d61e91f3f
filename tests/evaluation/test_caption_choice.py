"""Right against other pictures: a model that sees, one that does not, one that likes a style."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.evaluation.caption_choice import CAPTION_CHOICE, _row, measure_choice
from sayso.evaluation.registry import EVALUATORS

COUNT = 30


class Toy:
    """log p = sharpness x likeness of a grey to the number that the caption says, less a cost of length."""

    name = "toy"

    def __init__(self, sharpness: float) -> None:
        self.sharpness = sharpness

    def log_likelihood(self, prompts, candidates, *, per_token=False):
        shown = [float(prompt.pictures[0].mean()) for prompt in prompts]
        wanted = float(candidates[0].split()[-1])
        found = [[-self.sharpness * abs(grey - wanted) - len(candidates[0])] for grey in shown]
        return np.array(found)


def pictures_and_captions():
    greys = [4 * n + 8 for n in range(COUNT)]
    return [np.full((6, 6, 3), grey, np.uint8) for grey in greys], [f"grey {grey}" for grey in greys]


def test_a_model_that_sees_wins_and_its_controls_do_not():
    rows = measure_choice(Toy(0.5), *pictures_and_captions(), Silent())
    assert rows["pictures"]["two_way"] == 1.0
    assert rows["pictures"]["gain_low"] > 0
    for control in ("blank", "shuffled"):
        assert rows[control]["two_way_low"] <= 0.5 <= rows[control]["two_way_high"]
    assert rows["blank"]["gain"] == pytest.approx(0, abs=1e-12)
    assert rows["shuffled"]["gain"] < 0


def test_a_model_that_is_blind_is_at_chance():
    rows = measure_choice(Toy(0.0), *pictures_and_captions(), Silent())
    assert {row["two_way"] for row in rows.values()} == {0.5}
    assert {row["gain"] for row in rows.values()} == {0.0}


def test_the_numbers_are_their_definitions():
    scores = np.log(np.array([[0.4, 0.1, 0.4], [0.2, 0.3, 0.1]]))
    row = _row(scores)
    assert row["two_way"] == pytest.approx((0.75 + 0.5) / 2)
    assert row["gain"] == pytest.approx((np.log(0.4 / 0.25) + np.log(0.2 / 0.2)) / 2)
    assert row["two_way_low"] <= row["two_way"] <= row["two_way_high"]


def test_it_is_an_evaluator_of_captioned_pictures(tmp_path):
    pictures, captions = pictures_and_captions()
    rows = []
    for n, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{n}.png")
        rows += [{"path": f"{n}.png", "text": caption}]
    rows += [{"path": "0.png", "text": "grey 8"}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert EVALUATORS["caption-choice"] is CAPTION_CHOICE
    result = CAPTION_CHOICE(Toy(0.5), tmp_path / "pairs.jsonl")
    assert result.primary.value == 1.0
    assert list(result.rows) == ["pictures", "blank", "shuffled"]
    assert (result.counts["pictures"].used, result.definition["others"]) == (COUNT, 8)
    (tmp_path / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:2]))
    with pytest.raises(SaysoError, match="3 are needed"):
        CAPTION_CHOICE(Toy(0.5), tmp_path / "few.jsonl")

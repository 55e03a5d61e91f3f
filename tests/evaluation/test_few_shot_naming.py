"""Invented names: a model that copies the name of the likest example, one that ignores examples."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.core.progress import Silent
from sayso.data.picture_pairs import read_picture_pairs
from sayso.evaluation.few_shot_naming import FEW_SHOT_NAMING, measure_episodes
from sayso.evaluation.registry import EVALUATORS


class Nearest:
    """Says what was said of the example whose grey is nearest."""

    name = "nearest"

    def log_likelihood(self, prompts, candidates, *, per_token=False):
        *shots, asked = prompts[0].exchanges
        greys = [abs(float(one.pictures[0].mean()) - float(asked.pictures[0].mean())) for one in shots]
        said = shots[int(np.argmin(greys))].answer if shots else None
        return np.array([[0.0 if said in (None, name) else -1.0 for name in candidates]])


class Deaf:
    name = "deaf"

    def log_likelihood(self, prompts, candidates, *, per_token=False):
        return np.array([[-float(len(name)) - sum(map(ord, name)) / 1000 for name in candidates]])


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("classes"), []
    for n in range(30):
        grey = 40 * (n % 6) + n // 6
        Image.new("L", (8, 8), grey).save(folder / f"{n}.png")
        rows.append({"path": f"{n}.png", "text": f"class {n % 6}"})
    (folder / "classes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "classes.jsonl"


def test_examples_teach_and_controls_are_at_chance(classes):
    result = FEW_SHOT_NAMING(Nearest(), classes)
    assert EVALUATORS["few-shot-naming"] is FEW_SHOT_NAMING
    assert result.rows["4 shots"]["accuracy"] == result.primary.value == 1.0
    assert result.rows["0 shots"]["accuracy"] == 0.5
    assert result.rows["shuffled"]["low"] <= 0.5 <= result.rows["shuffled"]["high"]
    assert result.rows["gain"] == {"accuracy": 0.5, "low": 0.5, "high": 0.5, "n": 100}


def test_who_ignores_examples_is_at_chance(classes):
    rows = measure_episodes(Deaf(), read_picture_pairs(classes), 2, 60, Silent())
    assert all(row["low"] <= 0.5 <= row["high"] for way, row in rows.items() if way != "gain")
    assert rows["gain"] == {"accuracy": 0.0, "low": 0.0, "high": 0.0, "n": 60}
    with pytest.raises(SaysoError, match="need two classes of 7 pictures"):
        measure_episodes(Deaf(), read_picture_pairs(classes), 6, 1, Silent())

"""VQA accuracy against what the official script gave.

``vqa_accuracy.json`` holds answers drawn at random for this test from words and marks that
the normalisation treats in some way, and what the official evaluation made of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sayso.metrics.answers import normalize_answer, vqa_accuracy, vqa_accuracy_each

OFFICIAL = json.loads((Path(__file__).parent / "vqa_accuracy.json").read_text())


def test_answers_are_normalised_as_the_official_script_does():
    wrong = [(text, normal) for text, normal in OFFICIAL["normalized"] if normalize_answer(text) != normal]
    assert wrong == []


@pytest.mark.parametrize("text", ["x/y z/ w", "x/y z /w"])
def test_a_mark_beside_a_blank_is_dropped_wherever_it_stands(text):
    assert normalize_answer(text) == "xy z w"
    assert normalize_answer("x/y z/w") == "x y z w"


def test_accuracy_is_that_of_the_official_script():
    rows = OFFICIAL["accuracy"]
    ours = vqa_accuracy_each([row["answer"] for row in rows], [row["references"] for row in rows])
    assert ours == pytest.approx([row["accuracy"] for row in rows], abs=1e-6)
    assert {0.0, 1.0} < set(ours)


@pytest.mark.parametrize(("agree", "accuracy"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_three_of_the_other_nine_are_enough(agree, accuracy):
    references = ["red"] * agree + [f"other {i}" for i in range(10 - agree)]
    assert vqa_accuracy(["red"], [references]) == pytest.approx(accuracy)


def test_where_all_ten_agree_only_one_variant_normalises():
    references = [["the dog"] * 10]
    assert vqa_accuracy(["dog"], references) == 0
    assert vqa_accuracy(["dog"], references, variant="open_flamingo") == 1


def test_lemmas_are_made_of_the_answer_only():
    references = [["sit"] * 5 + ["stand"] * 5]
    assert vqa_accuracy(["sitting"], references) == 0
    assert vqa_accuracy(["sitting"], references, lemmatize=lambda text: text.removesuffix("ting")) == 1


def test_what_has_no_accuracy_is_said():
    with pytest.raises(ValueError, match="1 answers to the references of 0 questions"):
        vqa_accuracy(["a"], [])
    with pytest.raises(ValueError, match="nobody answered"):
        vqa_accuracy(["a"], [[]])
    with pytest.raises(ValueError, match="nobody answered"):
        vqa_accuracy(["a", "b"], [["a"], []])
    with pytest.raises(ValueError, match="0 answers"):
        vqa_accuracy([], [])

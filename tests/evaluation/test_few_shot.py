"""Few-shot protocols on pictures of one grey each, by a model whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generators.bright import Bright, brightness
from sayso.core.errors import SaysoError
from sayso.evaluation.coco_captions import COCO_CAPTIONS
from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.memes import HATEFUL_MEMES
from sayso.evaluation.vqa import VQAV2, cut_answer

N = 24
SHADES = [10 * k for k in range(N)]


def picture(path: Path, shade: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 10, 3), shade, np.uint8)).save(path)
    return path


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    for k, shade in enumerate(SHADES):
        picture(tmp_path / "images" / f"{k:012d}.png", shade)
    content = {
        "images": [{"id": k, "file_name": f"{k:012d}.png"} for k in range(N)],
        "annotations": [
            {"image_id": k, "caption": f"{word} {shade}"}
            for k, shade in enumerate(SHADES)
            for word in ("shade", "grey of")
        ],
    }
    (tmp_path / "captions.json").write_text(json.dumps(content))
    return tmp_path


def test_a_model_that_looks_beats_its_controls(captions):
    model = Bright()
    result = COCO_CAPTIONS(model, captions, EvaluationOptions(shots=(0, 2), seeds=(1, 2)))
    assert list(result.rows) == ["0 shots", "0 shots, 2 texts", "2 shots"]
    for row in result.rows.values():
        assert row["CIDEr"] > 3 * row["shuffled pictures"] >= 0
        assert row["CIDEr"] > 3 * row["blank pictures"]
    few = result.rows["2 shots"]
    assert few["shuffled answers"] == few["CIDEr"]  # it does not read them
    assert few["sd"] == 0 and result.rows["0 shots"]["sd"] is None
    assert result.primary.value == few["CIDEr"]
    assert result.counts["items"].used == N
    assert result.definition["seeds"] == [1, 2] and result.definition["made_by"] == "a test"


def test_a_model_that_only_reads_its_examples_falls_with_their_answers(captions):
    content = json.loads((captions / "captions.json").read_text())
    for row in content["annotations"]:  # what is alike has the same caption
        row["caption"] = ("black night", "grey dusk", "red dawn", "white noon")[SHADES[row["image_id"]] // 60]
    (captions / "captions.json").write_text(json.dumps(content))
    options = EvaluationOptions(shots=(16,), seeds=(1, 2))
    row = COCO_CAPTIONS(Bright(by_examples=True), captions, options).rows["16 shots"]
    assert row["CIDEr"] > 1.5 * row["shuffled answers"]
    assert row["CIDEr"] > 1.5 * row["shuffled pictures"]


def test_examples_are_other_pictures_and_are_drawn_anew_for_each_item_and_seed(captions):
    drawn = {}
    for seed in (1, 2):
        model = Bright()
        COCO_CAPTIONS(model, captions, EvaluationOptions(shots=(4,), seeds=(seed,)))
        drawn[seed] = [
            tuple(brightness(one.pictures[0]) for one in prompt.exchanges) for prompt in model.prompts[:N]
        ]
        assert all(asked not in shots and len(set(shots)) == 4 for *shots, asked in drawn[seed])
        assert all(
            one.answer == f"shade {brightness(one.pictures[0])}"
            for p in model.prompts[:N]
            for one in p.exchanges[:-1]
        )
        assert len({tuple(shots) for *shots, _ in drawn[seed]}) == N
    assert drawn[1] != drawn[2]


def test_published_zero_shot_has_two_texts_without_pictures(captions):
    model = Bright()
    COCO_CAPTIONS(model, captions, EvaluationOptions(shots=(0,), seeds=(1,)))
    true_zero, with_texts = model.prompts[0], model.prompts[-1]
    assert len(true_zero.exchanges) == 1
    assert [len(one.pictures) for one in with_texts.exchanges] == [0, 0, 1]


class Nearest:
    """Embeds a grey picture as its shade, so that neighbours are known."""

    name, sha256, dim = "nearest", "1" * 64, 2

    def encode_images(self, images):
        angles = [np.asarray(image).mean() / 255 for image in images]
        return np.array([(np.cos(a), np.sin(a)) for a in angles], np.float32)


def test_rices_takes_the_most_similar_and_puts_the_best_last(captions, monkeypatch):
    monkeypatch.setattr("sayso.hub.load", lambda name: Nearest())
    model = Bright()
    result = COCO_CAPTIONS(model, captions, EvaluationOptions(shots=(3,), rices=True))
    assert list(result.rows) == ["3 shots, RICES"] and result.definition["rices_encoder"] == "nearest"
    for prompt in model.prompts[:N]:
        *shots, asked = (brightness(one.pictures[0]) for one in prompt.exchanges)
        gaps = [abs(shade - asked) for shade in shots]
        assert gaps == sorted(gaps, reverse=True)
        assert sorted(gaps) == sorted(abs(shade - asked) for shade in SHADES)[1:4]


def test_answers_are_written_as_the_server_takes_them(captions, tmp_path):
    out = tmp_path / "answers"
    COCO_CAPTIONS(Bright(), captions, EvaluationOptions(shots=(1,), seeds=(5,), predictions=out))
    rows = json.loads((out / "1-shot_seed-5.json").read_text())
    assert rows[3] == {"image_id": 3, "caption": "shade 30"} and len(rows) == N


def test_a_missing_and_a_broken_picture_are_listed_and_the_rest_is_measured(captions):
    (captions / "images" / f"{0:012d}.png").unlink()
    (captions / "images" / f"{1:012d}.png").write_bytes(b"no picture")
    result = COCO_CAPTIONS(Bright(), captions, EvaluationOptions(shots=(1,), seeds=(1,)))
    assert (result.counts["items"].used, result.counts["items"].listed) == (N - 2, N)
    assert len(result.missing) == len(result.unreadable) == 1


def test_more_shots_than_examples_are_refused(captions):
    with pytest.raises(SaysoError, match="24 shots need more than the 24 examples"):
        COCO_CAPTIONS(Bright(), captions, EvaluationOptions(shots=(24,)))


def test_karpathys_splits_are_not_mixed(captions):
    images = [
        {
            "filename": f"{k:012d}.png",
            "split": "test" if k % 2 else "train",
            "sentences": [{"raw": f"shade {shade}"}],
        }
        for k, shade in enumerate(SHADES)
    ]
    (captions / "dataset_coco.json").write_text(json.dumps({"images": images, "dataset": "coco"}))
    model = Bright()
    result = COCO_CAPTIONS(model, captions, EvaluationOptions(shots=(2,), seeds=(1,)))
    assert result.counts["items"].used == N // 2
    for prompt in model.prompts[: N // 2]:
        *shots, asked = (brightness(one.pictures[0]) // 10 for one in prompt.exchanges)
        assert asked % 2 and not any(k % 2 for k in shots)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    for split, first in (("train", 0), ("val", 100)):
        rows = [
            {"question_id": first + k, "image_id": k, "question": f"How bright is {k}?"} for k in range(12)
        ]
        answers = [
            {
                "question_id": first + k,
                "answers": [{"answer": f"the shade {20 * k}."}] * 4 + [{"answer": "dark"}] * 6,
            }
            for k in range(12)
        ]
        named = tmp_path / f"v2_OpenEnded_mscoco_{split}2014_questions.json"
        named.write_text(json.dumps({"questions": rows}))
        (tmp_path / f"v2_mscoco_{split}2014_annotations.json").write_text(
            json.dumps({"annotations": answers})
        )
        for k in range(12):
            picture(tmp_path / f"{split}2014" / f"COCO_{split}2014_{k:012d}.jpg", 20 * k)
    return tmp_path


def test_questions_are_answered_and_scored_as_officially(questions, tmp_path):
    model = Bright()
    out = tmp_path / "out"
    result = VQAV2(model, questions, EvaluationOptions(shots=(0, 2), seeds=(1,), predictions=out))
    assert result.rows["2 shots"]["accuracy"] == pytest.approx(100)
    assert result.rows["2 shots"]["blank pictures"] == 0
    assert result.counts["items"].used == 12 and result.definition["examples"] == "train"
    assert {"question_id": 103, "answer": "shade 60"} in json.loads((out / "2-shots_seed-1.json").read_text())
    assert model.prompts[0].kind == "vqa"


def test_what_a_model_adds_to_an_answer_is_cut():
    assert cut_answer(" a cat, a dog Question: what") == "a cat"
    assert cut_answer("red Short answer: x") == "red"


def memes(folder: Path) -> Path:
    for name, count in (("train", 10), ("dev_seen", 12)):
        rows = []
        for k in range(count):
            picture(folder / "img" / f"{name}{k}.png", 20 * k)
            rows.append(
                {"id": k, "img": f"img/{name}{k}.png", "text": f"words {k}", "label": int(k >= count // 2)}
            )
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nno JSON\n")
    return folder


def test_memes_are_ranked_by_the_likelihood_of_yes(tmp_path):
    model = Bright()
    out = tmp_path / "out"
    options = EvaluationOptions(shots=(3,), seeds=(1,), permutations=6, predictions=out)
    result = HATEFUL_MEMES(model, memes(tmp_path), options)
    row = result.rows["3 shots"]
    assert row["ROC AUC"] == 100 and row["blank pictures"] == 50 and row["shuffled pictures"] < 100
    assert len(result.unreadable) == 2  # a line of each file is no JSON
    orders = {
        tuple(one.text for one in prompt.exchanges[:-1])
        for prompt in model.prompts[: 6 * 12]
        if "words 0" in prompt.exchanges[-1].text
    }
    assert len(orders) == 6 and len({frozenset(order) for order in orders}) == 1
    assert (out / "3-shots_seed-1.csv").read_text().startswith("id,proba,label\n0,0.500000,0\n")
    assert "written on it. Is it hateful? Answer:" in model.prompts[0].exchanges[-1].text

"""A classifier of words equals a plain loop; its probabilities are those that the encoder was trained for."""

from __future__ import annotations

import json
import logging
import string

import hubs
import numpy as np
import pytest
from PIL import Image

import sayso
import toy
from sayso.core.errors import SaysoError
from sayso.encoders import Scaled
from sayso.encoders.classifier import canonical, class_weights, classifier

TEMPLATES = ["a photo of the {c} .", "the {c} on a car", "two {} and a cat"]


class Counting(toy.ColourEncoder):
    """Notes what it is asked, and gives random vectors of any length."""

    similarity = "cosine"

    def __init__(self):
        self.asked: list[str] = []

    def encode_text(self, texts):
        self.asked += texts
        rows = [np.random.default_rng(sum(map(ord, text))).normal(size=6) for text in texts]
        return np.array(rows, np.float32).reshape(-1, 6)


def by_hand(encoder, names, templates):
    weights = []
    for name in names:
        total = np.zeros(6)
        for template in templates:
            v = encoder.encode_text([template.replace("{c}", name).replace("{}", name)])[0].astype(float)
            total += v / np.linalg.norm(v)
        weights.append(total / np.linalg.norm(total))
    return np.array(weights)


def test_weights_equal_a_plain_loop_and_each_sentence_is_embedded_once():
    encoder = Counting()
    names = ["cat", "dog", "red ball", "cat"]
    weights = class_weights(encoder, names, TEMPLATES)
    assert len(encoder.asked) == len(set(encoder.asked)) == 9
    assert weights == pytest.approx(by_hand(Counting(), names, TEMPLATES), abs=1e-6)
    assert np.array_equal(weights[0], weights[3])


def test_weights_equal_clip_benchmarks():
    reference = pytest.importorskip("clip_benchmark.metrics.zeroshot_classification")
    torch = pytest.importorskip("torch")

    class Model:
        def encode_text(self, texts):
            return torch.tensor(Counting().encode_text(list(texts)))

    class Texts(list):
        def to(self, device):
            return self

    names, templates = ["cat", "dog", "red ball"], [text.replace("{}", "{c}") for text in TEMPLATES]
    theirs = reference.zero_shot_classifier(Model(), Texts, names, templates, "cpu", amp=False)
    assert class_weights(Counting(), names, templates) == pytest.approx(theirs.numpy().T, abs=1e-6)


def test_several_names_of_a_class_and_sentences_of_each_name():
    encoder = Counting()
    both = class_weights(encoder, [["dog", "hound"], "cat"], ["a {c}"])
    expected = np.mean([by_hand(encoder, [name], ["a {c}"])[0] for name in ("dog", "hound")], 0)
    assert both[0] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    own = {"dog": ["a furry thing", "it barks"], "cat": ["it purrs"], "cow": ["it moos"]}
    found = class_weights(encoder, [["dog", "hound"], "cat"], own)
    assert found[1] == pytest.approx(by_hand(encoder, [""], ["it purrs"])[0], abs=1e-6)
    with pytest.raises(SaysoError, match="none for 'frog'"):
        classifier(encoder, ["dog", "frog"], own)


def test_names_that_cannot_be_told_apart_are_told(caplog):
    with caplog.at_level(logging.WARNING, logger="sayso"):
        made = classifier(Counting(), ["cat", "dog", "cat"])
    assert made.equal == ((0, 2),)
    assert "'cat' (name 1) and 'cat' (name 3) have the same vector" in caplog.text
    assert "was not trained to give probabilities" in caplog.text
    scores = made.scores(np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32))
    assert np.array_equal(scores[:, 0], scores[:, 2])


@pytest.mark.parametrize("kind", hubs.KINDS)
def test_probabilities_are_those_of_the_model(tiny, kind):
    """transformers' own scores of pictures and texts, in float64; softmax for CLIP, sigmoid for SigLIP."""
    import torch
    import transformers

    encoder = sayso.load(str(tiny[kind]), device="cpu")
    assert isinstance(encoder, Scaled)
    model = transformers.AutoModel.from_pretrained(tiny[kind], dtype=torch.float64).requires_grad_(False)
    assert np.exp(encoder.log_scale) == pytest.approx(model.logit_scale.exp().item())
    names, pictures = ["cat", "red ball", "two"], [hubs_picture(seed) for seed in range(3)]
    made = sayso.classifier(encoder, names, ["{c}"])
    cosine = encoder.encode_images(pictures).astype(float) @ encoder.encode_text(names).astype(float).T
    logits = torch.tensor(cosine) * model.logit_scale.exp()
    expected = logits.softmax(1) if kind == "clip" else torch.sigmoid(logits + model.logit_bias)
    assert made.exclusive == (kind == "clip")
    assert made(pictures) == pytest.approx(expected.numpy(), rel=1e-4)


def hubs_picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (hubs.SIDE, hubs.SIDE, 3), dtype=np.uint8)


def test_siglip_reads_canonical_text():
    assert canonical("A  photo of_a Dog's kennel!") == "a photo of a dogs kennel"
    assert canonical(string.punctuation) == ""
    assert canonical("Crème brûlée, 2") == "crème brûlée 2"


def test_vectors_that_are_compared_by_product_keep_their_length():
    class Dot(Counting):
        similarity = "dot"

    encoder = Dot()
    weights = class_weights(encoder, ["cat", "dog"], ["a {c}", "the {c}"])
    plain = [encoder.encode_text([f"a {name}", f"the {name}"]).mean(0) for name in ("cat", "dog")]
    assert weights == pytest.approx(np.array(plain))
    scores = np.array([[1.0, 2.0, 0, 0, 0, 0]], np.float32) @ weights.T
    odds = np.exp(scores - scores.max())
    probabilities = classifier(encoder, ["cat", "dog"], ["a {c}", "the {c}"]).probabilities
    assert probabilities(np.array([[1.0, 2, 0, 0, 0, 0]], np.float32)) == pytest.approx(odds / odds.sum())


@pytest.mark.parametrize(
    ("names", "templates", "told"),
    [
        ("cat", ["{c}"], "a list of names; got 'cat'"),
        (["cat"], ["{c}"], "two names or more"),
        (["cat", " "], ["{c}"], "name 2 of 2 is empty"),
        (["cat", []], ["{c}"], "name 2 of 2 is empty"),
        (["cat", "dog"], [], "there is no template"),
        (["cat", "dog"], ["a photo"], r"'a photo' has no \{c\}"),
        (["cat", "dog"], "a {c}", "must be a list of str"),
        (["cat", 3], ["{c}"], "int"),
    ],
)
def test_what_cannot_be_a_classifier_is_told(names, templates, told):
    with pytest.raises((SaysoError, TypeError), match=told):
        classifier(Counting(), names, templates)


def test_stated_probabilities_of_the_offline_encoder_hold_for_things_in_photographs(shared_data):
    """Things cut out of given photographs, named among 80: stated and true shares hardly differ."""
    content = json.loads((shared_data / "coco_more" / "instances.json").read_text())
    names = {row["id"]: row["name"] for row in content["categories"]}
    files = {row["id"]: row["file_name"] for row in content["images"]}
    crops, labels = [], []
    for row in content["annotations"]:
        x, y, w, h = row["bbox"]
        if min(w, h) >= 64 and not row["iscrowd"] and len(crops) < 120:
            picture = Image.open(shared_data / "coco_more" / "images" / files[row["image_id"]]).convert("RGB")
            crops.append(picture.crop((int(x), int(y), int(x + w), int(y + h))))
            labels.append(list(names).index(row["category_id"]))
    made = sayso.classifier(sayso.load("offline"), list(names.values()))
    p = made(crops)
    right = p.argmax(1) == np.array(labels)
    assert right.mean() > 10 / 80
    bins = np.minimum((p.max(1) * 10).astype(int), 9)
    gaps = [abs(p.max(1)[bins == k].mean() - right[bins == k].mean()) * (bins == k).mean() for k in set(bins)]
    assert sum(gaps) < 0.15


def test_weights_are_kept_group_by_group(monkeypatch):
    """In groups of a few sentences the weights are the same, and nothing is made twice."""
    whole = class_weights(Counting(), ["cat", "dog", "cow", "cat"], TEMPLATES)
    monkeypatch.setattr("sayso.encoders.classifier.TEXTS", 4)
    kept, told = {}, []

    class Progress:
        def update(self, done, total=None, note="", amount=None):
            told.append((done, total))

    def keep(some, make):
        if tuple(some) not in kept:
            kept[tuple(some)] = make()
        return kept[tuple(some)]

    for encoder in (Counting(), Counting()):
        found = class_weights(
            encoder, ["cat", "dog", "cow", "cat"], TEMPLATES, keep=keep, progress=Progress()
        )
        assert np.array_equal(found, whole)
    assert len(kept) == 2
    assert encoder.asked == []
    assert told == [(6, 9), (9, 9)] * 2

"""A module that is a dual encoder embeds, saves and loads by what its two networks say alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sayso.core.errors import SaysoError
from sayso.encoders import ClipSpec, DualEncoderModule, Encoder

WORDS = ["red", "green", "blue"]


class Means(DualEncoderModule):
    """A picture is a linear map of its mean colour, a text the sum of its words' vectors."""

    kind = "means"

    def __init__(self, words, dim, scale=1.0):
        super().__init__(words, dim, ClipSpec(2, 1.0, 8, "squash"), {"dim": dim, "scale": scale})
        self.colour, self.word = nn.Linear(3, dim), nn.Embedding(len(words) + 1, dim)

    def embed_pictures(self, pixels):
        return self.options["scale"] * self.colour(pixels.float().mean((1, 2)) / 255)

    def embed_words(self, words):
        return self.word(words).sum(1)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Means(WORDS, 5, scale=3.0)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_embeds_what_its_networks_say(model):
    assert isinstance(model, Encoder)
    vectors = model.word.weight.detach().numpy()
    blank = vectors[0] * (model.tokenizer(["Blue red"]).shape[1] - 2)
    found = model.encode_text(["Blue red"])
    np.testing.assert_allclose(found[0], unit(vectors[3] + vectors[1] + blank), atol=1e-6)
    pictures = [np.full((9, 6, 3), colour, np.uint8) for colour in ((200, 10, 60), (0, 90, 255))]
    weight, bias = (p.detach().numpy() for p in (model.colour.weight, model.colour.bias))
    colours = np.array([(200, 10, 60), (0, 90, 255)]) / 255
    expected = unit(colours @ weight.T + bias)
    np.testing.assert_allclose(model.encode_images(pictures), expected, atol=1e-6)
    clip = np.stack([picture[:8, :6] for picture in pictures])[None]
    np.testing.assert_allclose(model.encode_video(clip)[0], unit(expected.mean(0)), atol=1e-6)
    seen, said = model(torch.from_numpy(clip[0]), model.tokenizer(["Blue red"]))
    np.testing.assert_allclose(seen.detach(), expected, atol=1e-6)
    np.testing.assert_allclose(said.detach()[0], found[0], atol=1e-6)


def test_is_the_same_after_saving(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    again = Means.from_pretrained(tmp_path / "model", device="cpu")
    assert (again.sha256, again.clip, again.options) == (model.sha256, model.clip, model.options)
    np.testing.assert_array_equal(again.encode_text(["green"]), model.encode_text(["green"]))


def test_a_folder_that_does_not_fit_is_told(model, tmp_path):
    model.options["dim"] = 6
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(SaysoError, match=r"does not fit its config\.json"):
        Means.from_pretrained(tmp_path / "model", device="cpu")

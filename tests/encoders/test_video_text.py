"""Encoders of trained networks: saved and loaded, clips of any length, folders that were tampered with."""

from __future__ import annotations

import json
import sys
import types

import hubs
import numpy as np
import pytest
import torch
from published_files import plain_s3d
from safetensors.torch import load_file, save_file

import sayso
from sayso.core.errors import SaysoError
from sayso.encoders import ClipSpec, Encoder
from sayso.encoders.feature_text import HowTo100MEncoder
from sayso.encoders.video_text import TextVideoEncoder
from sayso.models import S3D, HowTo100MNet, SentenceNet, TextVideoNet, WordTokenizer

WORDS = ["red", "ball", "jumps"]


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    net = TextVideoNet(S3D(12, width=0.125), SentenceNet(torch.randn(4, 6), 12, hidden=20))
    plain_s3d.settle(net.video, torch.rand(4, 3, 8, 64, 64))
    return TextVideoEncoder(net, WordTokenizer(WORDS, 5, lower=True), ClipSpec(4, 5.0, 32), device="cpu")


@pytest.fixture
def folder(encoder, tmp_path):
    encoder.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def clips(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_a_saved_model_loads_and_is_the_same(encoder, folder):
    loaded = sayso.load(str(folder), device="cpu")
    assert isinstance(loaded, Encoder)
    assert loaded.name == str(folder)
    assert (loaded.sha256, loaded.dim, loaded.clip) == (encoder.sha256, 12, encoder.clip)
    frames = clips(3, 4, 40, 48, 3)
    np.testing.assert_allclose(loaded.encode_video(frames), encoder.encode_video(frames), rtol=1e-5)
    np.testing.assert_allclose(
        loaded.encode_text(["A red ball"]), encoder.encode_text(["red ball"]), rtol=1e-5
    )


def test_embeddings_that_are_compared_by_cosine_have_unit_norm(encoder, tmp_path):
    parts = (encoder.net, encoder.tokenizer, encoder.clip)
    unit = TextVideoEncoder(*parts, similarity="cosine", device="cpu")
    frames = clips(3, 4, 40, 48, 3)
    for found, plain in (
        (unit.encode_video(frames), encoder.encode_video(frames)),
        (unit.encode_text(["red ball", "jumps"]), encoder.encode_text(["red ball", "jumps"])),
    ):
        np.testing.assert_allclose(
            found, plain / np.linalg.norm(plain, axis=1, keepdims=True), rtol=1e-5, atol=1e-6
        )
    unit.save_pretrained(tmp_path / "unit")
    loaded = sayso.load(str(tmp_path / "unit"), device="cpu")
    assert (loaded.similarity, encoder.similarity) == ("cosine", "dot")
    assert loaded.sha256 == unit.sha256 != encoder.sha256
    np.testing.assert_allclose(loaded.encode_video(frames), unit.encode_video(frames), rtol=1e-5)


def test_identity_follows_what_decides(encoder):
    def other(**parts):
        whole = {"net": encoder.net, "tokenizer": encoder.tokenizer, "clip": encoder.clip, **parts}
        return TextVideoEncoder(**whole, device="cpu").sha256

    assert other() == encoder.sha256
    assert other(clip=ClipSpec(4, 10.0, 32)) != encoder.sha256
    assert other(tokenizer=WordTokenizer(WORDS, 6, lower=True)) != encoder.sha256
    assert other(tokenizer=WordTokenizer(["red", "ball", "falls"], 5, lower=True)) != encoder.sha256


def test_a_clip_is_the_network_of_its_pixels(encoder):
    frames = clips(2, 4, 32, 32, 3)
    with torch.no_grad():
        exact = encoder.net.video(torch.from_numpy(frames).permute(0, 4, 1, 2, 3) / 255).numpy()
    found = encoder.encode_video(frames)
    assert found.dtype == np.float32
    cosine = (found * exact).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(exact, axis=1)
    assert cosine.min() >= 0.999


def test_frozen_features_are_those_of_the_network(encoder):
    frames = clips(2, 4, 32, 32, 3)
    with torch.inference_mode():
        expected = encoder.net.video.features(torch.from_numpy(frames).permute(0, 4, 1, 2, 3).float() / 255)
    found = encoder.video_features(frames)
    assert found.shape == (2, encoder.net.video.feature_dim)
    cosine = torch.cosine_similarity(torch.from_numpy(found), expected)
    assert cosine.min() > 0.99  # bfloat16, where the embedding is as good as float32's


def test_short_clips_stand_still_at_their_end(encoder):
    frames = clips(1, 3, 32, 32, 3)
    still = np.concatenate([frames, frames[:, -1:]], 1)
    np.testing.assert_array_equal(encoder.encode_video(frames), encoder.encode_video(still))
    picture = frames[0, 0]
    np.testing.assert_array_equal(
        encoder.encode_images([picture]), encoder.encode_video(np.stack([picture] * 4)[None])
    )


def test_long_clips_are_seen_whole(encoder):
    frames = clips(1, 7, 32, 32, 3)
    assert encoder.encode_video(frames).shape == (1, 12)
    changed = frames.copy()
    changed[:, -1] = 255 - changed[:, -1]
    assert not np.allclose(encoder.encode_video(frames), encoder.encode_video(changed), rtol=1e-4)


def test_nothing_gives_nothing(encoder):
    assert encoder.encode_text([]).shape == encoder.encode_images([]).shape == (0, 12)
    assert encoder.encode_video(clips(0, 4, 32, 32, 3)).shape == (0, 12)


@pytest.mark.parametrize("frames", [clips(2, 32, 32, 3), clips(1, 0, 32, 32, 3), np.zeros((1, 4, 8, 8, 3))])
def test_says_what_a_clip_is(encoder, frames):
    with pytest.raises(SaysoError, match=r"\(B, T, H, W, 3\) uint8"):
        encoder.encode_video(frames)


def test_changed_weights_are_noticed(folder):
    weights = load_file(folder / "model.safetensors")
    weights["text.fc2.weight"] = -weights["text.fc2.weight"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(
        SaysoError, match=r"does not give its reference outputs \(of_text of reference\.json\)"
    ):
        sayso.load(str(folder), device="cpu")


@pytest.mark.parametrize("name", ["vocabulary.json", "transform.json", "reference.json", "model.safetensors"])
def test_broken_files_are_one_sentence(folder, name):
    (folder / name).write_bytes(b"{")
    with pytest.raises(SaysoError, match="cannot be read"):
        sayso.load(str(folder), device="cpu")
    (folder / name).unlink()
    with pytest.raises(SaysoError, match="cannot be read"):
        sayso.load(str(folder), device="cpu")


def test_configuration_and_vocabulary_must_fit_the_weights(folder):
    words = json.loads((folder / "vocabulary.json").read_text())
    (folder / "vocabulary.json").write_text(json.dumps(words[:-1]))
    with pytest.raises(SaysoError, match="vectors for 3 words, and the vocabulary 2"):
        sayso.load(str(folder), device="cpu")
    (folder / "vocabulary.json").write_text(json.dumps(words))
    config = json.loads((folder / "config.json").read_text())
    config["options"]["width"] = 0.25
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(SaysoError, match="does not fit its config"):
        sayso.load(str(folder), device="cpu")
    config["sayso"] = 99
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(SaysoError, match="has format 99"):
        sayso.load(str(folder), device="cpu")


def test_the_card_tells_what_the_model_is(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: sayso\n")
    assert "frames 4, fps 5.0, size 32, crop center" in card
    assert "Vocabulary: 3 words" in card
    assert "| width | 0.125 |" in card


@pytest.mark.parametrize("pixels", [True, False])
def test_pushing_sends_a_whole_folder(encoder, pixels, monkeypatch):
    pushed = encoder if pixels else from_features()
    sent = {}

    class Api:
        def create_repo(self, name, *, private, exist_ok):
            sent.update(name=name, private=private)

        def upload_folder(self, *, repo_id, folder_path):
            sent["model"] = type(pushed).from_pretrained(folder_path, device="cpu")
            return f"hub/{repo_id}"

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(HfApi=Api))
    assert pushed.push_to_hub("me/model", private=True) == "hub/me/model"
    assert (sent["name"], sent["private"], sent["model"].sha256) == ("me/model", True, pushed.sha256)


def from_features():
    net = HowTo100MNet(torch.randn(4, 6), 10, 12)
    return HowTo100MEncoder(net, WordTokenizer(WORDS, 5, lower=True), device="cpu")


def test_a_model_of_the_hub_loads_by_its_name(encoder, folder, cache, no_sockets, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    hubs.into_cache(folder, cache, "me/model")
    loaded = sayso.load("me/model", device="cpu")
    assert (loaded.name, loaded.sha256) == ("me/model", encoder.sha256)

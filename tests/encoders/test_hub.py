"""Hub encoders equal the transformers library used by hand, one item at a time, in double precision."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import hubs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sayso import load
from sayso.core.errors import SaysoError
from sayso.encoders import Encoder
from sayso.hub.hub_folder import dimension, identity

TEXTS = ["a red ball .", "the small dog and the cat on a car", "two", "", "a photo of a blue car"]


@pytest.fixture(scope="module", params=hubs.KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def encoder(tiny, kind) -> Encoder:
    return load(str(tiny[kind]), device="cpu")


@pytest.fixture(scope="module")
def by_hand(tiny, kind):
    """Return functions that embed one text, one picture, with transformers alone, in float64."""
    import transformers

    model = transformers.AutoModel.from_pretrained(tiny[kind], dtype=torch.float64).eval()
    words = transformers.AutoTokenizer.from_pretrained(tiny[kind])
    pictures = transformers.AutoImageProcessor.from_pretrained(tiny[kind], backend="pil")

    def unit(features):
        vector = features.pooler_output[0].detach().numpy()
        return vector / np.linalg.norm(vector)

    def text(sentence):
        ids = words(sentence, truncation=True, max_length=12)["input_ids"]
        if kind != "clip":
            ids = ids + [0] * (12 - len(ids))
        return unit(model.get_text_features(input_ids=torch.tensor([ids])))

    def picture(image):
        inputs = pictures(images=Image.fromarray(image), return_tensors="pt")
        inputs["pixel_values"] = inputs["pixel_values"].double()
        return unit(model.get_image_features(**inputs))

    return text, picture


def test_is_an_encoder_that_says_what_it_is(encoder, tiny, kind):
    assert isinstance(encoder, Encoder)
    assert encoder.name == str(tiny[kind])
    assert encoder.dim == {"clip": 24, "siglip": 32, "siglip2": 32}[kind]
    assert encoder.similarity == "cosine"
    assert encoder.clip.size == 32
    assert encoder.clip.crop == {"clip": "center", "siglip": "squash", "siglip2": "center"}[kind]


def test_texts_equal_transformers_one_by_one(encoder, by_hand):
    embeddings = encoder.encode_text(TEXTS)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, [by_hand[0](text) for text in TEXTS], atol=2e-6)


def test_pictures_equal_transformers_one_by_one(encoder, by_hand, pictures, monkeypatch):
    monkeypatch.setattr(encoder, "_precision", torch.float32)
    expected = [by_hand[1](picture) for picture in pictures]
    np.testing.assert_allclose(encoder.encode_images(pictures), expected, atol=2e-6)
    as_pil = [Image.fromarray(picture) for picture in pictures]
    np.testing.assert_allclose(encoder.encode_images(as_pil), expected, atol=2e-6)


def test_faster_arithmetic_stays_faithful(encoder, by_hand, pictures, monkeypatch):
    monkeypatch.setattr(encoder, "_precision", None)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    cosine = np.sum(encoder.encode_images(pictures) * [by_hand[1](p) for p in pictures], axis=1)
    assert cosine.min() > 0.999


def test_float32_is_kept_where_bfloat16_is_not_native_or_not_faithful(encoder, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert encoder._choose_precision() is torch.float32
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    monkeypatch.setattr("sayso.encoders.precision.FAITHFUL", 1.1)
    assert encoder._choose_precision() is torch.float32


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(9, 70), st.integers(9, 70), st.integers(0, 99))
def test_a_clip_is_the_mean_of_its_frames(encoder, B, T, H, W, seed):
    frames = np.random.default_rng(seed).integers(0, 256, (B, T, H, W, 3), dtype=np.uint8)
    embeddings = encoder.encode_video(frames)
    assert embeddings.shape == (B, encoder.dim)
    assert embeddings.dtype == np.float32
    for clip, embedding in zip(frames, embeddings, strict=True):
        mean = np.mean([encoder.encode_images([frame])[0].astype(np.float64) for frame in clip], axis=0)
        cosine = float(embedding @ mean / np.linalg.norm(mean))
        assert cosine > 0.9999  # not 1: a batch of another size may round otherwise
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_frames_of_the_right_size_are_not_scaled(encoder, by_hand, monkeypatch):
    frame = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    expected = by_hand[1](frame)
    monkeypatch.setattr(encoder, "_precision", torch.float32)
    if encoder.clip.crop == "squash" or encoder.dim == 24:
        monkeypatch.setattr(type(encoder._pictures), "resize", None)  # calling it would fail
    np.testing.assert_allclose(encoder.encode_images([frame])[0], expected, atol=2e-6)


def test_nothing_in_nothing_out(encoder):
    assert encoder.encode_text([]).shape == (0, encoder.dim)
    assert encoder.encode_images([]).shape == (0, encoder.dim)
    assert encoder.encode_video(np.empty((0, 2, 8, 8, 3), np.uint8)).shape == (0, encoder.dim)


def test_order_is_kept_across_batches(encoder):
    texts = [TEXTS[i % 3] for i in np.random.default_rng(0).permutation(40)]
    singly = {text: encoder.encode_text([text])[0] for text in TEXTS[:3]}
    np.testing.assert_allclose(encoder.encode_text(texts), [singly[text] for text in texts], atol=2e-6)


def test_threads_do_not_disturb_each_other(encoder, pictures):
    texts, images = encoder.encode_text(TEXTS), encoder.encode_images(pictures)
    with ThreadPoolExecutor(8) as pool:
        many = [pool.submit(encoder.encode_text, [TEXTS[i % 5]]) for i in range(40)]
        seen = [pool.submit(encoder.encode_images, [pictures[i % 5]]) for i in range(20)]
        for i, job in enumerate(many):
            np.testing.assert_allclose(job.result()[0], texts[i % 5], atol=2e-6)
        for i, job in enumerate(seen):
            assert float(job.result()[0] @ images[i % 5]) > 0.9999


def test_siglip_2_reads_lower_case_as_it_was_trained(encoder, kind):
    same = np.allclose(encoder.encode_text(["A Red Ball ."]), encoder.encode_text(["a red ball ."]))
    assert same == (kind == "siglip2")


def test_a_gemma_tokeniser_is_given_lower_case(tiny):
    encoder = load(str(tiny["siglip"]), device="cpu")
    encoder._tokenizer.__class__ = type("GemmaTokenizer", (type(encoder._tokenizer),), {})
    np.testing.assert_allclose(encoder.encode_text(["A RED ball ."]), encoder.encode_text(["a red ball ."]))


def test_identity_follows_every_file_that_decides(tiny, tmp_path):
    copy = shutil.copytree(tiny["clip"], tmp_path / "copy")
    first = identity(tiny["clip"])
    (copy / "README.md").write_text("a card")
    assert identity(copy) == first
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json", "model.safetensors"):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b" ")
        assert identity(copy) != first, name
        (copy / name).write_bytes(before)


def test_loading_says_nothing(tiny, kind, capfd):
    load(str(tiny[kind]), device="cpu").encode_text(["a cat"])
    assert capfd.readouterr() == ("", "")


def test_pickled_weights_are_refused(tiny, tmp_path):
    folder = shutil.copytree(tiny["clip"], tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SaysoError, match=r"only pickled weights \(.bin\), which can run code"):
        load(str(folder))


def test_what_is_no_model_is_told_in_one_sentence(tiny, tmp_path):
    with pytest.raises(SaysoError, match=r"no model folder: it has no \*.safetensors"):
        load(str(tmp_path))
    folder = shutil.copytree(tiny["clip"], tmp_path / "broken")
    (folder / "config.json").unlink()
    with pytest.raises(SaysoError, match="cannot be loaded"):
        load(str(folder), device="cpu")
    (folder / "model.safetensors").write_bytes(b"\x10" + 20 * b"\0")
    with pytest.raises(SaysoError, match="are damaged"):
        load(str(folder))


def test_a_model_of_another_kind_is_told(tmp_path):
    from safetensors.numpy import save_file

    save_file({"bert.weight": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(SaysoError, match="holds no dual encoder"):
        dimension(tmp_path)


def test_lacking_weights_are_told_not_invented(tiny, tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(tiny["clip"], tmp_path / "lacking")
    weights = load_file(folder / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SaysoError, match=r"lacks 1 of its weights, such as visual_projection.weight"):
        load(str(folder), device="cpu")


def test_the_crop_of_the_folder_is_used(tiny, tmp_path):
    """A processor that scales the short side to 40 and cuts 32 out wants frames of 40."""
    folder = shutil.copytree(tiny["clip"], tmp_path / "crop")
    config = json.loads((folder / "preprocessor_config.json").read_text())
    config["size"] = {"shortest_edge": 40}
    (folder / "preprocessor_config.json").write_text(json.dumps(config))
    encoder = load(str(folder), device="cpu")
    assert (encoder.clip.size, encoder.clip.crop) == (40, "center")
    frame = np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    cut = load(str(tiny["clip"]), device="cpu").encode_images([frame[4:36, 4:36]])
    assert float(encoder.encode_images([frame])[0] @ cut[0]) > 0.9999

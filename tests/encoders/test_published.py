"""Published files become encoders that compute what the files say; others are refused with their keys."""

from __future__ import annotations

import numpy as np
import published_files as files
import pytest
import torch

import sayso
from sayso.core.errors import SaysoError
from sayso.encoders import Encoder
from sayso.encoders.interface import ClipSpec
from sayso.encoders.published import convert_published, read_words
from sayso.text.language.vocabulary import read_vectors


def sentence(w, numbers):
    """Return the published text network's embedding of the numbers of 16 words."""
    x = w["text_module.word_embd.weight"][numbers]
    x = torch.relu(x @ w["text_module.fc1.weight"].T + w["text_module.fc1.bias"]).amax(0)
    return (w["text_module.fc2.weight"] @ x + w["text_module.fc2.bias"]).numpy()


@pytest.mark.parametrize(
    ("save", "depth", "clip"),
    [(files.save_s3d, True, (32, 10, 224)), (files.save_epoch, False, (16, 5, 224))],
)
def test_s3d_computes_what_its_file_says(save, depth, clip, tmp_path):
    weights = files.s3d_weights(depth)
    model = convert_published(save(tmp_path), files.save_words(tmp_path), size=64)
    assert isinstance(model, Encoder)
    assert (model.dim, model.similarity, model.clip.frames, model.clip.fps) == (512, "dot", *clip[:2])
    assert convert_published(save(tmp_path), tmp_path / "s3d_dict.npy").clip == ClipSpec(*clip)

    cased = [3] if depth else [7]  # released: "stir", which is no word, and "onion"; else "Stir" alone
    expected = [
        sentence(weights, [1, 2, 3] + [0] * 13),
        sentence(weights, cased + [0] * 15),
        sentence(weights, [0] * 16),
    ]
    found = model.encode_text(["cut, the sliced onion", "Stir Onion", "nothing known"])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert model.to_folder().options["lower"] is depth

    frames = np.kron(
        np.random.default_rng(0).integers(0, 256, (1, 32, 4, 4, 3), np.uint8),
        np.ones((1, 1, 16, 16, 1), np.uint8),
    )
    video = torch.from_numpy(frames).permute(0, 4, 1, 2, 3) / 255
    with torch.no_grad():
        exact = files.plain_s3d.s3d(weights, video)[0].numpy()
    found = model.encode_video(frames)[0]
    longer = model.adapted(ClipSpec(32, 10, 64), max_words=30)
    assert longer.encode_text([" ".join(["cut"] * 16 + ["onion"])]) == pytest.approx(
        sentence(weights, [1, 3, 0])[None], rel=1e-3, abs=1e-4
    )
    assert found @ exact / np.linalg.norm(found) / np.linalg.norm(exact) >= 0.999


CASED = ("cut", "the", "onion", "Onion", "someone", "SOMEONE")


@pytest.mark.parametrize(
    ("kind", "text", "known"),
    [
        ("released", "Cut the Onion", "cut the onion"),
        ("released", "SOMEONE cut", "someone cut"),
        ("training code", "Cut the Onion", "the Onion"),
        ("training code", "cut THE onion", "cut onion"),
        ("howto100m", "SOMEONE cut the Onion", "SOMEONE cut the Onion"),
        ("howto100m", "someone CUT the onion", "someone the onion"),
    ],
)
def test_texts_are_read_as_the_public_code_of_each_kind_does(kind, text, known, tmp_path):
    """``known`` are the words that the public code passes on, by hand; the rest is plain numpy."""
    words = files.save_words(tmp_path, CASED)
    numbers = [CASED.index(word) + 1 for word in known.split()]
    if kind == "howto100m":
        vectors = files.save_vectors(tmp_path, CASED)
        model = convert_published(files.save_howto100m(tmp_path), words, vectors=vectors)
        w = {key: value.double().numpy() for key, value in files.howto100m_weights().items()}
        table = np.stack([np.zeros(300), *read_vectors(vectors, CASED).values()])[[*numbers, 0]]
        pooled = np.maximum(table @ w["text_pooling.fc.weight"].T + w["text_pooling.fc.bias"], 0).max(0)
        y = w["GU_text.fc.weight"] @ pooled + w["GU_text.fc.bias"]
        z = y / (1 + np.exp(-(w["GU_text.cg.fc.weight"] @ y + w["GU_text.cg.fc.bias"])))
        expected = z / np.linalg.norm(z)
    else:
        save = {"released": files.save_s3d, "training code": files.save_epoch}[kind]
        model = convert_published(save(tmp_path, CASED), words)
        weights = files.s3d_weights(kind == "released", CASED)
        expected = sentence(weights, numbers + [0] * (16 - len(numbers)))
    np.testing.assert_allclose(model.encode_text([text])[0], expected, rtol=1e-3, atol=1e-4)
    model.save_pretrained(tmp_path / "model")
    loaded = sayso.load(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(loaded.encode_text([text])[0], expected, rtol=1e-3, atol=1e-4)


def test_a_word_in_capitals_has_its_own_vector(tmp_path):
    file = files.save_howto100m(tmp_path)
    (tmp_path / "words.txt").write_text("someone\npour\n")
    vectors = files.save_vectors(tmp_path, ("someone", "pour", "SOMEONE", "Pour", "else"))
    model = convert_published(file, tmp_path / "words.txt", vectors=vectors)
    assert model.tokenizer.words == ["someone", "SOMEONE", "pour", "Pour"]
    lower, upper, unknown = model.encode_text(["someone", "SOMEONE", "Someone"])
    assert lower @ upper < 0.99
    np.testing.assert_allclose(unknown, model.encode_text([""])[0], atol=1e-6)


def test_howto100m_computes_what_its_file_says(tmp_path):
    file, words, vectors = (
        files.save_howto100m(tmp_path),
        files.save_words(tmp_path),
        files.save_vectors(tmp_path),
    )
    model = convert_published(file, words, vectors=vectors)
    w = {key: value.double().numpy() for key, value in files.howto100m_weights().items()}
    table = read_vectors(vectors, files.WORDS)

    def unit(x, name):
        y = w[f"{name}.fc.weight"] @ x + w[f"{name}.fc.bias"]
        z = y / (1 + np.exp(-(w[f"{name}.cg.fc.weight"] @ y + w[f"{name}.cg.fc.bias"])))
        return z / np.linalg.norm(z)

    pooled = [np.maximum(w["text_pooling.fc.weight"] @ v + w["text_pooling.fc.bias"], 0)
              for v in (table["pour"], table["water"], np.zeros(300))]  # fmt: skip
    np.testing.assert_allclose(
        model.encode_text(["pour some water"])[0], unit(np.max(pooled, 0), "GU_text"), rtol=1e-3, atol=1e-5
    )
    features = np.random.default_rng(1).normal(size=(2, 40)).astype(np.float32)
    expected = [unit(row, "GU_video") for row in features]
    np.testing.assert_allclose(model.encode_features(features), expected, rtol=1e-3, atol=1e-5)

    model.save_pretrained(tmp_path / "model")
    loaded = sayso.load(str(tmp_path / "model"), device="cpu")
    assert loaded.sha256 == model.sha256
    np.testing.assert_allclose(loaded.encode_features(features), expected, rtol=1e-3, atol=1e-5)
    with pytest.raises(SaysoError, match="takes features of clips, not pixels"):
        loaded.encode_video(np.zeros((1, 2, 8, 8, 3), np.uint8))
    with pytest.raises(SaysoError, match=r"features must be \(B, 40\); got \(2, 7\)"):
        loaded.encode_features(features[:, :7])


def test_howto100m_needs_word_vectors_that_fit(tmp_path):
    file, words = files.save_howto100m(tmp_path), files.save_words(tmp_path)
    with pytest.raises(SaysoError, match="--vectors"):
        convert_published(file, words)
    with pytest.raises(SaysoError, match="no vectors of 300 numbers"):
        convert_published(file, words, vectors=files.save_vectors(tmp_path, ("else",)))


def spoilt(change):
    weights = files.s3d_weights()
    change(weights)
    return weights


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda w: w.pop("mixed_4d.conv_b1_b.conv2.weight"),
            "1 keys missing: video.mixed_4d.conv_b1_b.conv2.weight",
        ),
        (lambda w: w.pop("text_module.fc1.weight"), "missing: text_module.fc1.weight"),
        (lambda w: w.update(more=torch.zeros(1)), "1 keys not known: video.more"),
        (
            lambda w: w.update({"gating.fc.bias": torch.zeros(5)}),
            r"of another shape: video.gating.fc.bias \(5,\) instead of \(192,\)",
        ),
        (lambda w: [w.pop(k) for k in list(w) if "mixed_5" in k], r"keys missing: video.mixed_5b.*, \.\.\.$"),
        (lambda w: w.pop("conv1.conv1.weight"), "none of the published checkpoints"),
    ],
)
def test_partial_and_wrong_files_are_refused_with_their_keys(change, said, tmp_path):
    torch.save(spoilt(change), tmp_path / "bad.pth")
    with pytest.raises(SaysoError, match=said):
        convert_published(tmp_path / "bad.pth", files.save_words(tmp_path))


def test_counters_of_batch_norms_may_be_missing(tmp_path):
    weights = {k: v for k, v in files.s3d_weights().items() if not k.endswith("num_batches_tracked")}
    torch.save(weights, tmp_path / "old.pth")
    assert convert_published(tmp_path / "old.pth", files.save_words(tmp_path)).dim == 512


class Bomb:
    def __reduce__(self):
        return (print, ("code ran",))


def test_pickled_code_never_runs(tmp_path, capsys):
    torch.save({"state_dict": {"conv1": Bomb()}}, tmp_path / "bomb.pth")
    with pytest.raises(SaysoError, match="cannot be read"):
        convert_published(tmp_path / "bomb.pth", files.save_words(tmp_path))
    assert "code ran" not in capsys.readouterr().out


def test_files_that_are_no_checkpoints(tmp_path):
    words = files.save_words(tmp_path)
    (tmp_path / "text.pth").write_text("hello")
    torch.save([1, 2], tmp_path / "list.pth")
    cut = files.save_s3d(tmp_path).read_bytes()[:100_000]
    (tmp_path / "cut.pth").write_bytes(cut)
    for name in ("text", "list", "cut", "absent"):
        with pytest.raises(SaysoError, match=f"{name}.pth"):
            convert_published(tmp_path / f"{name}.pth", words)


def test_the_vocabulary_must_be_the_models(tmp_path):
    file = files.save_s3d(tmp_path)
    (tmp_path / "words.txt").write_text("cut\nthe\n")
    assert read_words(tmp_path / "words.txt") == ["cut", "the"]
    with pytest.raises(SaysoError, match="7 words, and the vocabulary has 2"):
        convert_published(file, tmp_path / "words.txt")
    np.save(tmp_path / "numbers.npy", np.arange(3))
    np.save(tmp_path / "pickled.npy", np.array(["a", 1], object))
    for name in ("numbers.npy", "pickled.npy", "absent.npy"):
        with pytest.raises(SaysoError, match=name):
            read_words(tmp_path / name)

"""The head for drawings: the formula, what it leaves alone, and what the shipped weights find."""

from __future__ import annotations

import io
import os
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from sayso import load
from sayso.core.errors import SaysoError
from sayso.encoders import conse, drawings
from sayso.encoders.preprocess import as_square
from sayso.media import read_image
from sayso.models import efficientnet_lite, minilm


@pytest.fixture(scope="module")
def encoder():
    return load("offline", device="cpu")


@pytest.fixture(scope="module")
def tower(encoder):
    """The picture tower that the encoder chose: in bfloat16 where the processor computes in it."""
    return encoder._tower()[0]


def sign(colour="red"):
    """A disc, a bar and a corner on white: nobody takes it for a photograph."""
    picture = Image.new("RGB", (300, 200), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 10, 240, 190), fill=colour, outline="black", width=6)
    draw.rectangle((90, 80, 210, 120), fill="white")
    return picture


def photograph():
    """A landscape that scikit-learn ships."""
    place = find_spec("sklearn")
    if place is None:
        pytest.skip("scikit-learn, which ships a photograph, is not installed")
    return read_image(Path(place.origin).parent / "datasets/images/china.jpg")


def by_conse(tower, pictures):
    squares = np.stack([as_square(picture, 224, "center") for picture in pictures])
    return conse.embed_logits(tower(squares)).numpy()


def test_the_formula_picture_by_picture():
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(384, 1280)) / 30, rng.normal(size=384) / 9
    w[drawings.SPARE] = b[drawings.SPARE] = 0
    v, a = rng.normal(size=(1, 1360)) / 20, np.array([1.0])
    features, early = rng.random((40, 1280)), rng.random((40, 40, 5, 5))
    c = rng.normal(size=(40, 384))
    c[:, drawings.SPARE] = 0
    c /= np.linalg.norm(c, axis=1, keepdims=True)
    head = drawings.DrawingHead(
        torch.device("cpu"),
        {"head_weight": w, "head_bias": b, "detector_weight": v, "detector_bias": a},
    )
    tensors = [torch.tensor(array, dtype=torch.float32) for array in (c, features, early)]
    found = head(*tensors).numpy()
    kinds = set()
    for n in range(40):
        f = features[n] / np.sqrt(np.mean(features[n] ** 2))
        d = v[0] @ np.concatenate([f, early[n].mean((1, 2)), early[n].std((1, 2))]) + 1
        sure = min(1, max(0, (d - 1) / 2))
        h = w @ f + b
        mixed = (1 - 0.8 * sure) * c[n] + 0.8 * sure * h / np.linalg.norm(h)
        expected = (1 - 0.1 * sure) * mixed / np.linalg.norm(mixed)
        expected[127] = np.sqrt(1 - (1 - 0.1 * sure) ** 2)
        np.testing.assert_allclose(found[n], expected, atol=2e-4)
        kinds.add("none" if sure == 0 else "all" if sure == 1 else "some")
        if sure == 0:
            assert np.array_equal(found[n], tensors[0][n].numpy())
    assert kinds == {"none", "some", "all"}


def test_texts_are_0_where_drawings_keep_what_is_left_of_their_norm(encoder):
    texts = ["a cat", "", "naïve café № 5 日本語", "word " * 400, "a drawing of a red sign"]
    assert np.abs(minilm.MiniLM()(texts)[:, drawings.SPARE]).max() < 1e-12
    assert np.abs(encoder.encode_text(texts)[:, drawings.SPARE]).max() < 1e-12
    assert np.abs(conse.class_embeddings()[:, drawings.SPARE]).max() == 0


def test_what_is_shipped_is_small_half_precision_and_one_kind_of_array():
    with zipfile.ZipFile(drawings.WEIGHTS_NPZ) as archive:
        assert not any("pickle" in name for name in archive.namelist())
    with np.load(drawings.WEIGHTS_NPZ, allow_pickle=False) as weights:
        assert {name: weights[name].shape for name in weights} == {
            "head_weight": (384, 1280), "head_bias": (384,), "detector_weight": (1, 1360),
            "detector_bias": (1,),
        }  # fmt: skip
        assert weights["head_weight"].dtype == np.float16
        assert not weights["head_weight"][drawings.SPARE].any()
        assert weights["head_bias"][drawings.SPARE] == 0
    assert drawings.WEIGHTS_NPZ.stat().st_size < 1.5e6


def test_photographs_are_where_conse_puts_them_bit_for_bit(encoder, tower):
    """Whole, in part, grey, small and coarse; a drawing beside them in the batch is moved."""
    whole = photograph()
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=30)
    pictures = [whole, whole.crop((100, 50, 400, 350)), whole.convert("L"), whole.resize((96, 64)), sign()]
    pictures.append(Image.open(file).convert("RGB"))
    found, expected = encoder.encode_images(pictures), by_conse(tower, pictures)
    same = [np.array_equal(one, other) for one, other in zip(found, expected, strict=True)]
    assert same == [True, True, True, True, False, True]
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert found[4, drawings.SPARE] == pytest.approx((1 - drawings.WEIGHT**2) ** 0.5, abs=1e-6)


def test_photographs_of_coco_and_real_videos_are_left_alone(encoder, tower, shared_data):
    """None of 80 photographs, and no frame of the filmed videos, is taken for a drawing at all.

    In bfloat16, if that is what the encoder computes in, all keep a cosine of 0.999 to float32.
    """
    import av

    pictures = [read_image(path) for path in sorted((shared_data / "coco_more" / "images").glob("*.jpg"))]
    for name in ("flipping_a_pancake.mkv", "v_SoccerJuggling_g23_c01.avi", "nasa_13013.mp4"):
        with av.open(str(shared_data / "videos" / name)) as container:
            frames = container.decode(video=0)
            pictures += [frame.to_image() for n, frame in enumerate(frames) if n % 60 == 0]
    found = encoder.encode_images(pictures)
    for start in range(0, len(pictures), 32):
        expected = by_conse(tower, pictures[start : start + 32])
        assert np.array_equal(found[start : start + 32], expected)
    exact = by_conse(efficientnet_lite.Lite0(torch.device("cpu")), pictures)
    assert (found * exact).sum(1).min() >= 0.999


def test_the_identity_of_the_encoder_changes_with_the_head(encoder, monkeypatch):
    before = encoder.sha256
    monkeypatch.setattr(drawings, "head_sha256", lambda: "0" * 64)
    assert encoder.sha256 != before
    monkeypatch.undo()
    monkeypatch.setattr(drawings, "RECIPE", "another")
    assert encoder.sha256 != before


def test_an_index_of_the_encoder_without_the_head_is_told_and_not_searched(tmp_path, monkeypatch):
    from sayso.index import Index

    sign().save(tmp_path / "sign.png")
    with monkeypatch.context() as older:
        older.setattr(drawings, "RECIPE", "none")
        Index.open(tmp_path / "index", "offline", device="cpu").add(tmp_path / "sign.png")
    for index in (Index.open(tmp_path / "index"), Index.open(tmp_path / "index", "offline")):
        with pytest.raises(
            SaysoError, match=r"made by another version of the model offline, .* embed it anew"
        ):
            index.search("a sign")
    sign("blue").save(tmp_path / "more.png")
    with pytest.raises(SaysoError, match="made by another version of the model offline"):
        Index.open(tmp_path / "index").add(tmp_path / "more.png")


def test_held_out_drawings_are_found_by_name(encoder):
    """Must show 5 of issue 14, on a part of what the head never saw; SAYSO_DRAWINGS: a node_modules."""
    from sayso.data.datasets.named_drawings import read_emoji

    if not os.environ.get("SAYSO_DRAWINGS"):
        pytest.skip("SAYSO_DRAWINGS names no node_modules with emoji-datasource-google and -twitter")
    found = [one for one in read_emoji(Path(os.environ["SAYSO_DRAWINGS"])) if one.held_out][:150]
    pictures = encoder.encode_images([read_image(one.path) for one in found])
    scores = encoder.encode_text([one.names[0] for one in found]) @ pictures.T
    rank = (scores > np.diag(scores)[:, None]).sum(1)
    assert (rank < 10).mean() > 0.6

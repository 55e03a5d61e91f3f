"""Every kind of encoder on an accelerator: pictures, clips, features and texts embed as on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
from published_files import save_epoch, save_howto100m, save_s3d, save_vectors, save_words

from sayso import load
from sayso.encoders import convert_published

TEXTS = ["cut the onion", "pour water", "Stir", ""]


def alike(here, there, least):
    """Compare rows (N, D) by their cosine, and by their length where both have one."""
    lengths = [np.linalg.norm(rows, axis=1) for rows in (here, there)]
    assert here.shape == there.shape and np.isfinite(there).all()
    np.testing.assert_allclose(lengths[0], lengths[1], rtol=5e-2, atol=1e-6)
    cosines = (here * there).sum(1) / np.maximum(1e-9, lengths[0] * lengths[1])
    assert cosines[lengths[0] > 1e-6].min() > least


def numbers(*shape):
    """Return (shape) uint8: smooth pictures, all different."""
    waves = np.sin(np.arange(np.prod(shape), dtype=np.float64).reshape(shape) * 0.011)
    return (127 * (waves + 1)).astype(np.uint8)


@pytest.mark.device
@pytest.mark.parametrize("save", [save_s3d, save_epoch])
def test_s3d_embeds_clips_and_texts_as_on_the_cpu(save, tmp_path, accelerator):
    converted = convert_published(save(tmp_path), save_words(tmp_path), size=64)
    converted.save_pretrained(tmp_path / "model")
    both = [load(str(tmp_path / "model"), device=device) for device in ("cpu", accelerator.type)]
    clips = numbers(2, 16, 64, 64, 3)
    alike(*(encoder.encode_text(TEXTS) for encoder in both), 0.9999)
    alike(*(encoder.encode_video(clips) for encoder in both), 0.999)
    alike(*(encoder.video_features(clips) for encoder in both), 0.999)


@pytest.mark.device
def test_a_joint_embedding_of_features_is_that_of_the_cpu(tmp_path, accelerator):
    words = tmp_path / "words.txt"
    words.write_text("cut the onion don't pour water Stir")
    converted = convert_published(save_howto100m(tmp_path), words, vectors=save_vectors(tmp_path))
    converted.save_pretrained(tmp_path / "model")
    both = [load(str(tmp_path / "model"), device=device) for device in ("cpu", accelerator.type)]
    features = np.sin(np.arange(200, dtype=np.float32)).reshape(5, 40)
    alike(*(encoder.encode_text(TEXTS) for encoder in both), 0.9999)
    alike(*(encoder.encode_features(features) for encoder in both), 0.9999)


@pytest.mark.device
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_hub_models_embed_as_on_the_cpu(kind, tiny, accelerator):
    both = [load(str(tiny[kind]), device=device) for device in ("cpu", accelerator.type)]
    pictures = list(numbers(3, 40, 60, 3))
    alike(*(encoder.encode_text(TEXTS) for encoder in both), 0.999)
    alike(*(encoder.encode_images(pictures) for encoder in both), 0.999)


@pytest.mark.device
def test_the_offline_encoder_embeds_as_on_the_cpu(accelerator):
    both = [load("offline", device=device) for device in ("cpu", accelerator.type)]
    pictures = list(numbers(3, 240, 320, 3))
    alike(*(encoder.encode_text(TEXTS) for encoder in both), 0.9999)
    alike(*(encoder.encode_images(pictures) for encoder in both), 0.999)

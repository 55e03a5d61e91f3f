"""Files with the keys and shapes of the published checkpoints, and lively numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import plain_s3d

WORDS = ["cut", "the", "onion", "don't", "pour", "water", "Stir"]


def save_words(folder: Path, words=WORDS) -> Path:
    np.save(folder / "s3d_dict.npy", np.array(words))
    return folder / "s3d_dict.npy"


def s3d_weights(depth: bool = True, words=WORDS) -> dict[str, torch.Tensor]:
    return plain_s3d.weights(plain_s3d.shapes(depth=depth) | plain_s3d.text_shapes(len(words)))


def save_s3d(folder: Path, words=WORDS) -> Path:
    torch.save(s3d_weights(words=words), folder / "s3d_howto100m.pth")
    return folder / "s3d_howto100m.pth"


def save_epoch(folder: Path, words=WORDS) -> Path:
    wrapped = {f"module.{key}": value for key, value in s3d_weights(depth=False, words=words).items()}
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
    torch.save({"epoch": 7, "state_dict": wrapped, "optimizer": optimizer}, folder / "epoch0007.pth.tar")
    return folder / "epoch0007.pth.tar"


def howto100m_weights(features=40, sentence=24, dim=16) -> dict[str, torch.Tensor]:
    shapes = plain_s3d.linear_shapes("text_pooling.fc", 300, sentence)
    for unit, inputs in (("GU_text", sentence), ("GU_video", features)):
        shapes |= plain_s3d.linear_shapes(f"{unit}.fc", inputs, dim)
        shapes |= plain_s3d.linear_shapes(f"{unit}.cg.fc", dim, dim)
        norm = f"{unit}.cg.batch_norm"
        shapes |= {f"{norm}.{part}": (dim,) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{norm}.num_batches_tracked"] = ()
    return plain_s3d.weights(shapes)


def save_howto100m(folder: Path, **sizes: int) -> Path:
    torch.save(howto100m_weights(**sizes), folder / "howto100m_pt_model.pth")
    return folder / "howto100m_pt_model.pth"


def save_vectors(folder: Path, words=tuple(WORDS)) -> Path:
    """Write word2vec's binary format."""
    rng = np.random.default_rng(0)
    rows = [word.encode() + b" " + rng.normal(size=300).astype("<f4").tobytes() + b"\n" for word in words]
    (folder / "vectors.bin").write_bytes(f"{len(words)} 300\n".encode() + b"".join(rows))
    return folder / "vectors.bin"

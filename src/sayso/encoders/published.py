"""Published checkpoints become encoders: MIL-NCE's S3D, its open training code's, and HowTo100M's.

Files are recognised by their keys. How captions are read goes with the kind, and is kept with the model:
[1] lower-cases them (since its commit 79b8f24, 2020-02-25), the code of [2] does not, nor does [3], as
GoogleNews' vectors know case ("SOMEONE" is a word of its own). Only tensors are read, never pickled
code; a file that lacks a key, has one more or has one of another shape is refused, with those keys.

Sources
    [1] s3d_howto100m.pth and s3d_dict.npy. https://github.com/antoine77340/S3D_HowTo100M
    [2] epochNNNN.pth.tar. https://github.com/antoine77340/MIL-NCE_HowTo100M
    [3] howto100m_pt_model.pth. https://github.com/antoine77340/howto100m
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.arrays import read_array
from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.encoders.feature_text import HowTo100MEncoder
from sayso.encoders.interface import ClipSpec
from sayso.encoders.video_text import TextVideoEncoder
from sayso.hub.restricted_pickle import read_tensors
from sayso.text.language.vocabulary import read_vectors

if TYPE_CHECKING:
    from torch import Tensor, nn

TEXT = "text_module."
COUNTER = "num_batches_tracked"  # files of early torch lack it, and inference does not use it
SHOWN = 4  # keys of a kind that a message names


def convert_published(
    file: Path, words: Path, *, vectors: Path | None = None, size: int | None = None
) -> TextVideoEncoder | HowTo100MEncoder:
    """Return the encoder of a published checkpoint.

    Args:
        file: the checkpoint.
        words: the vocabulary: ``s3d_dict.npy``, or a text file with a word a line. HowTo100M's network also
            knows them capitalised and in capitals, where there are such vectors.
        vectors: word vectors for HowTo100M's network, whose file has none (GoogleNews word2vec).
        size: side of the square that clips are scaled to; None: 224.

    Raises:
        SaysoError: if a file is missing, not one of these, or does not fit the others.
        MissingExtra: if torch is not installed.
    """
    weights, wrapped = _read_weights(file)
    vocabulary = read_words(words)
    if "conv1.conv1.weight" in weights:
        return _s3d(file, weights, vocabulary, size, lower=not wrapped)
    if "GU_video.fc.weight" in weights:
        return _feature_text(file, weights, vocabulary, vectors)
    raise SaysoError(
        f"{file} is none of the published checkpoints: it has neither conv1.conv1.weight (S3D) nor"
        f" GU_video.fc.weight (HowTo100M), but {_some(sorted(weights))}"
    )


def read_words(path: Path) -> list[str]:
    """Return the words of a vocabulary file, ``.npy`` or a word a line, in their order.

    Raises:
        SaysoError: if it cannot be read, or holds something else.
    """
    try:
        if path.suffix != ".npy":
            return path.read_text(encoding="utf-8").split()
        words = read_array(path, "the vocabulary")
    except (OSError, ValueError) as error:
        raise SaysoError(f"the vocabulary {path} cannot be read: {error}") from error
    if words.ndim != 1 or words.dtype.kind != "U":
        raise SaysoError(f"the vocabulary {path} must be a list of words; got {words.dtype} {words.shape}")
    return [str(word) for word in words]


def differences(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Say which keys are missing, too many or of another shape; nothing where all fit."""
    missing = sorted(key for key in expected.keys() - found.keys() if not key.endswith(COUNTER))
    extra = sorted(found.keys() - expected.keys())
    other = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in sorted(found.keys() & expected.keys())
        if found[key].shape != expected[key].shape
    ]
    named = (("missing", missing), ("not known", extra), ("of another shape", other))
    return "; ".join(f"{len(keys)} keys {what}: {_some(keys)}" for what, keys in named if keys)


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")


def _read_weights(file: Path) -> tuple[dict[str, Tensor], bool]:
    """Return the state dict of a file, and whether the open training code wrapped it."""
    need("torch", "train")
    import torch

    content = read_tensors(file, "the checkpoint")
    wrapped = isinstance(content, dict) and isinstance(content.get("state_dict"), dict)
    if wrapped:
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise SaysoError(f"the checkpoint {file} holds no weights by name")
    wrapped = wrapped or any(str(key).startswith("module.") for key in content)
    return {str(key).removeprefix("module."): value for key, value in content.items()}, wrapped


def _fill(net: nn.Module, weights: Mapping[str, Tensor], file: Path) -> None:
    """Give a network its weights.

    Raises:
        SaysoError: if they are not those of the network.
    """
    wrong = differences(weights, net.state_dict())
    if wrong:
        raise SaysoError(f"{file} is damaged, or no published checkpoint: {wrong}")
    net.load_state_dict(dict(weights), strict=False)  # but for counters, all keys were compared


def _shape(weights: Mapping[str, Tensor], key: str, axes: int, file: Path) -> tuple[int, ...]:
    """Return the shape of a weight that tells the size of the network."""
    if key not in weights or weights[key].ndim != axes:
        raise SaysoError(f"{file} is damaged, or no published checkpoint: 1 keys missing: {key}")
    return tuple(weights[key].shape)


def _s3d(
    file: Path, weights: Mapping[str, Tensor], words: list[str], size: int | None, *, lower: bool
) -> TextVideoEncoder:
    import torch

    from sayso.models import S3D, SentenceNet, TextVideoNet, WordTokenizer

    depth = _shape(weights, "conv1.conv1.weight", 5, file)[1] == 24
    lower = lower and depth  # only the released file has this stem
    dim, _ = _shape(weights, "fc.weight", 2, file)
    rows, width = _shape(weights, f"{TEXT}word_embd.weight", 2, file)
    hidden, _ = _shape(weights, f"{TEXT}fc1.weight", 2, file)
    _fits(file, rows, words)
    net = TextVideoNet(
        S3D(dim, space_to_depth=depth), SentenceNet(torch.empty(rows, width), dim, hidden=hidden)
    )
    named = {
        f"text.{key.removeprefix(TEXT)}" if key.startswith(TEXT) else f"video.{key}": value
        for key, value in weights.items()
    }
    _fill(net, named, file)
    frames, fps = (32, 10.0) if depth else (16, 5.0)  # what each was trained with; both last 3.2 s
    clip = ClipSpec(frames=frames, fps=fps, size=size or 224)
    card = f"S3D and a sentence network trained on HowTo100M with MIL-NCE; converted from {file.name}."
    return TextVideoEncoder(net, WordTokenizer(words, lower=lower), clip, device="cpu", card=card)


def _fits(file: Path, rows: int, words: list[str]) -> None:
    if rows != len(words) + 1:
        raise SaysoError(
            f"{file} has vectors for {rows - 1} words, and the vocabulary has {len(words)}; give the"
            " vocabulary that it was published with (--words s3d_dict.npy)"
        )


def _feature_text(
    file: Path, weights: Mapping[str, Tensor], words: list[str], vectors: Path | None
) -> HowTo100MEncoder:
    import torch

    from sayso.models import HowTo100MNet, WordTokenizer

    if vectors is None:
        raise SaysoError(f"{file} has no word vectors; give those it was trained with (--vectors FILE)")
    sentence, width = _shape(weights, "text_pooling.fc.weight", 2, file)
    dim, features = _shape(weights, "GU_video.fc.weight", 2, file)
    spelled = dict.fromkeys(form for word in words for form in (word, word.capitalize(), word.upper()))
    table = read_vectors(vectors, spelled)
    known = [word for word in spelled if word in table]
    if not known or len(table[known[0]]) != width:
        raise SaysoError(f"{vectors} has no vectors of {width} numbers for the words, which {file} needs")
    rows = np.stack([np.zeros(width, np.float32), *(table[word] for word in known)])
    net = HowTo100MNet(torch.from_numpy(rows), features, dim, sentence=sentence)
    _fill(net, {**weights, "word_vectors.weight": torch.from_numpy(rows)}, file)
    card = f"The joint embedding of HowTo100M, for features; converted from {file.name}."
    return HowTo100MEncoder(net, WordTokenizer(known, 30), device="cpu", card=card)

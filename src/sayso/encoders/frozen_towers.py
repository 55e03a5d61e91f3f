"""Lite0 and MiniLM as they are, with heads that were learned: an encoder that needs no model hub.

The features of a corpus are made once and kept; the heads then learn from them in seconds.

Source
    Zhai et al. 2022, LiT. https://arxiv.org/abs/2111.07991
"""

from __future__ import annotations

import copy
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, Self, cast

import numpy as np

from sayso.core.arrays import Float32s, Pixels
from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file
from sayso.encoders.batching import as_texts, in_batches, pool_clips
from sayso.encoders.interface import ClipSpec, Embeddings
from sayso.encoders.preprocess import as_square
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.models import efficientnet_lite, minilm

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import nn

    from sayso.core.progress import Progress
    from sayso.data.batch import Example
    from sayso.data.picture_pairs import PicturePairs
    from sayso.models.feature_heads import FeatureHeads

BATCH, TEXTS = 32, 1024
_CLIP = ClipSpec(frames=4, fps=1.0, size=efficientnet_lite.SIZE, crop="center")
log = logging.getLogger(__name__)


class FrozenTowersEncoder(Pretrained):
    """Frozen towers and learned heads as an encoder; see ``sayso.encoders.interface.Encoder``.

    Args:
        heads: learned; they stay on the CPU.
        log_scale: the logarithm of the inverse temperature that goes with them.
        bias: of the sigmoid; None: a softmax.
        name: what ``sayso.load`` takes to get it again.
        device: where pictures go through the frozen tower.
        card: how it was trained.
    """

    kind = "frozen_towers"
    similarity: Literal["cosine"] = "cosine"
    clip = _CLIP

    def __init__(
        self,
        heads: FeatureHeads,
        *,
        log_scale: float,
        bias: float | None = None,
        name: str = "frozen_towers",
        device: str = "auto",
        card: str = "",
    ) -> None:
        self.heads, self.log_scale, self.bias = heads.eval().requires_grad_(False), log_scale, bias
        self.name, self.card, self.dim = name, card, heads.dim
        self.towers = FrozenTowers(device)

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:
        """Return the encoder of a model folder.

        Args:
            saved: what the folder holds.
            name: what to call it.
            device: ``auto``, ``cpu``, ``cuda``, ...

        Raises:
            SaysoError: if the weights are not those of the heads that the configuration describes, or of
                other frozen networks than are installed.
        """
        from sayso.models.feature_heads import FeatureHeads

        options = dict(saved.options)
        log_scale, bias = options.pop("log_scale", 0.0), options.pop("bias", None)
        if options.pop("frozen", "") != frozen_identity():
            raise SaysoError(f"the heads of {name} were learned on other frozen networks; train them again")
        try:
            heads = FeatureHeads(**options)
            heads.load_state_dict(dict(saved.weights))
        except (TypeError, RuntimeError) as error:
            raise SaysoError(f"the model {name} does not fit its configuration: {error}") from error
        return cls(heads, log_scale=log_scale, bias=bias, name=name, device=device, card=saved.card)

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        options = {
            **self.heads.options,
            "log_scale": self.log_scale,
            "bias": self.bias,
            "frozen": frozen_identity(),
        }
        return ModelFolder(self.kind, options, self.heads.state_dict(), card=self.card)

    def reference_outputs(self) -> Reference:
        """Return the embeddings of a text and of a picture that anybody can draw."""
        picture = np.kron(
            np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8),
            np.ones((28, 28, 1), np.uint8),
        )
        text, image = self.encode_text(["a photo of a red car"]), self.encode_images([picture])
        return {"of_text": text[0].tolist(), "of_picture": image[0].tolist()}

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D). A text of more than 256 tokens is cut."""
        return in_batches(
            lambda some: _numbers(self.heads.embed_text(_tensor(self.towers.texts(some)))),
            as_texts(texts),
            TEXTS,
            self.dim,
        )

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D)."""
        return in_batches(
            lambda some: _numbers(self.heads.embed_image(_tensor(self.towers.pictures(some)))),
            images,
            BATCH,
            self.dim,
        )

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D)."""
        return pool_clips(self.encode_images, frames)


class FrozenTowers:
    """Lite0 and MiniLM, each loaded when it is first needed; safe to call from several threads.

    Args:
        device: where pictures are encoded.

    Raises:
        MissingExtra: if a package of the extra ``offline`` is not installed.
    """

    def __init__(self, device: str = "auto") -> None:
        minilm.weights_folder(), efficientnet_lite.lite0_file()
        self.device, self._lock = device, Lock()
        self._text: minilm.MiniLM | None = None
        self._pictures: efficientnet_lite.Lite0 | None = None

    def pictures(self, images: Sequence[Image | Pixels]) -> Float32s:
        """Return the features of B pictures, (B, 1280)."""
        with self._lock:
            self._pictures = self._pictures or efficientnet_lite.Lite0(resolve_device(self.device))
        squares = [as_square(image, _CLIP.size, _CLIP.crop) for image in images]
        return _numbers(self._pictures.features(np.stack(squares)))

    def texts(self, texts: Sequence[str]) -> Float32s:
        """Return the features of B texts, (B, 384)."""
        with self._lock:
            self._text = self._text or minilm.MiniLM()
        return self._text(texts)


class FeaturePairs:
    """Features of captioned pictures, made once and kept in a folder; an example is one of each.

    Args:
        pairs: the pictures and their captions.
        folder: where features are kept; what is there of the same pictures and captions is used.
        device: where pictures go through the frozen tower.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if no picture can be read, or the folder cannot be written.
    """

    group = 1

    def __init__(self, pairs: PicturePairs, folder: Path, device: str, progress: Progress) -> None:
        self.pairs = pairs
        self._first = np.cumsum([0, *(len(pairs.captions(n)) for n in range(len(pairs)))])
        path, towers = folder / f"features_{_identity(pairs)[:16]}.npz", FrozenTowers(device)
        if not path.is_file():
            images, errors = _picture_features(pairs, towers, progress)
            texts = _text_features(pairs, towers)
            with atomic_file(path, guarded=False) as file:
                np.savez(file, image=images, text=texts, errors=np.array(errors))
        with np.load(path, allow_pickle=False) as kept:
            self.image, self.text, self.errors = kept["image"], kept["text"], kept["errors"].tolist()
        if all(self.errors):
            raise SaysoError(f"no picture can be read: {self.errors[0]}")

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pairs)

    def name(self, item: int) -> str:
        """Return what to call a picture in messages."""
        return self.pairs.name(item)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return ``image`` (1280,) float32, a caption, ``text``, and its ``features`` (384,) float32.

        Raises:
            SaysoError: if the picture could not be read.
        """
        if self.errors[item]:
            raise SaysoError(self.errors[item])
        captions = self.pairs.captions(item)
        caption = int(rng.integers(len(captions)))
        features = self.text[self._first[item] + caption].astype(np.float32)
        image = self.image[item].astype(np.float32)
        return [{"image": image, "features": features, "text": captions[caption]}]


def frozen_identity() -> str:
    """Return what decides the features: the weights of the frozen networks."""
    parts = (efficientnet_lite.WEIGHTS_SHA256, minilm.WEIGHTS_SHA256, minilm.TOKENIZER_SHA256)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def heads_of(model: nn.Module) -> FeatureHeads:
    """Return a copy of heads that learn, on the CPU."""
    return cast("FeatureHeads", copy.deepcopy(model).cpu())


def _picture_features(
    pairs: PicturePairs, towers: FrozenTowers, progress: Progress
) -> tuple[np.ndarray, list[str]]:
    """Return (N, 1280) float16, and for each picture why it cannot be read, or nothing."""
    features = np.zeros((len(pairs), efficientnet_lite.FEATURES), np.float16)
    errors = [""] * len(pairs)
    for start in range(0, len(pairs), BATCH):
        read: dict[int, Image] = {}
        for n in range(start, min(start + BATCH, len(pairs))):
            try:
                read[n] = pairs.read(n, efficientnet_lite.SIZE)
            except SaysoError as error:
                errors[n] = str(error)
        if read:
            features[list(read)] = towers.pictures(list(read.values()))
        progress.update(min(start + BATCH, len(pairs)), len(pairs), "features")
    return features, errors


def _text_features(pairs: PicturePairs, towers: FrozenTowers) -> np.ndarray:
    """Return (K, 384) float16 of all captions, those of one picture side by side."""
    texts = [text for n in range(len(pairs)) for text in pairs.captions(n)]
    number = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    found = in_batches(towers.texts, list(number), TEXTS, minilm.DIM).astype(np.float16)
    rows: np.ndarray = found[[number[text] for text in texts]]
    return rows


def _identity(pairs: PicturePairs) -> str:
    """Return a digest of what the features follow from: names of pictures, captions, frozen weights."""
    digest = hashlib.sha256(frozen_identity().encode())
    for n in range(len(pairs)):
        digest.update("\n".join((pairs.name(n), *pairs.captions(n), "")).encode())
    return digest.hexdigest()


def _tensor(array: Float32s) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array))


def _numbers(tensor: torch.Tensor) -> Float32s:
    numbers: Float32s = tensor.float().cpu().numpy()
    return numbers

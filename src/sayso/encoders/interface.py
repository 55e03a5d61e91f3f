"""What a dual encoder is: it maps pictures, clips and texts into one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """How an encoder wants a clip cut and sampled.

    Args:
        frames: frames a clip of the usual length has.
        fps: frames a second of media.
        size: side of the square input, pixels.
        crop: how a frame becomes that square: ``center`` scales the short side
            to ``size`` and cuts the middle out, ``squash`` ignores the aspect.
    """

    frames: int
    fps: float
    size: int
    crop: Literal["center", "squash"] = "center"

    @property
    def duration(self) -> float:
        """Length of a clip, seconds."""
        return self.frames / self.fps


@runtime_checkable
class Encoder(Protocol):
    """A dual encoder. All embeddings are float32, and unit norm when ``similarity`` is cosine.

    Its methods may be called from several threads at once.
    """

    @property
    def name(self) -> str:
        """What ``sayso.load`` takes to get this encoder again."""

    @property
    def sha256(self) -> str:
        """Identity of everything that decides the embeddings: weights, text vocabulary, recipe."""

    @property
    def dim(self) -> int:
        """D, length of an embedding."""

    @property
    def similarity(self) -> Literal["cosine", "dot"]:
        """How embeddings are compared."""

    @property
    def clip(self) -> ClipSpec:
        """How to cut and sample."""

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D)."""

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D)."""

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D)."""


@runtime_checkable
class Scaled(Protocol):
    """What turns similarities into probabilities, where a dual encoder has it: how it was trained to.

    The logit of picture x and text y is ``exp(log_scale) <x, y> + bias``. Without a bias one text of all is
    right (softmax over the texts, CLIP); with one, each is right or wrong by itself (sigmoid, SigLIP).
    """

    @property
    def log_scale(self) -> float:
        """The logarithm of the inverse temperature."""

    @property
    def bias(self) -> float | None:
        """Of the sigmoid; None: a softmax."""


@runtime_checkable
class Adaptable(Protocol):
    """A dual encoder whose clips and captions may be cut otherwise than it was saved with."""

    def adapted(self, clip: ClipSpec, max_words: int | None = None) -> Encoder:
        """Return the same networks with other clips, and so many words of a caption (None: as they are)."""

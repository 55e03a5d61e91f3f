"""The offline encoder: pictures and texts in one space, with no model hub.

The picture tower is a classifier (EfficientNet-Lite0, ImageNet), the text tower
a sentence encoder (MiniLM); ConSE is the bridge, and for drawings a small head that
comes with this package (``sayso.encoders.drawings``). The towers come from PyPI packages.
Each tower is loaded when it is first needed: a search loads no torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from math import log
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.device import resolve_device
from sayso.encoders import conse, drawings
from sayso.encoders.batching import as_texts, in_batches, pool_clips
from sayso.encoders.dense import LONGER_SIDE, SimilarityMap, conse_map, query_embedding, resize_to_stride
from sayso.encoders.interface import ClipSpec, Embeddings
from sayso.encoders.precision import coloured_squares, is_faithful
from sayso.encoders.preprocess import as_square
from sayso.models import efficientnet_lite, minilm
from sayso.models.convolution import computes_bfloat16

if TYPE_CHECKING:
    from PIL.Image import Image

CPU_BATCH, GPU_BATCH = 32, 256
SCALE = (
    9.0  # the likeliest for 470 things cut out of photographs, and for 311 of others: benchmarks/RESULTS.md
)


class OfflineEncoder:
    """EfficientNet-Lite0 and MiniLM, joined by ConSE and by a head for drawings.

    See ``sayso.encoders.interface.Encoder``.

    Args:
        device: where pictures are encoded: ``auto``, ``cpu``, ``cuda``, ... Texts are on the CPU.

    Raises:
        MissingExtra: if a package of the extra ``offline`` is not installed.
    """

    name = "offline"
    dim = minilm.DIM
    similarity: Literal["cosine"] = "cosine"
    log_scale = log(SCALE)
    bias: None = None
    clip = ClipSpec(frames=4, fps=1.0, size=efficientnet_lite.SIZE, crop="center")

    def __init__(self, device: str = "auto") -> None:
        minilm.weights_folder(), efficientnet_lite.lite0_file()
        self.device = device
        self._lock = Lock()
        self._text: minilm.MiniLM | None = None
        self._pictures: tuple[efficientnet_lite.Lite0, drawings.DrawingHead] | None = None

    @property
    def sha256(self) -> str:
        """Identity of weights, vocabulary, class embeddings and recipe; each is checked when loaded."""
        parts = (
            conse.RECIPE,
            conse.classes_sha256(),
            efficientnet_lite.WEIGHTS_SHA256,
            minilm.WEIGHTS_SHA256,
            minilm.TOKENIZER_SHA256,
            drawings.RECIPE,
            drawings.head_sha256(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, 384). A text of more than 256 tokens is cut."""
        return conse.embed_sentences(self._sentences()(as_texts(texts)))

    def pieces(self, word: str) -> int:
        """Return into how many pieces the text tower splits a word; 1 for those of ImageNet's classes too."""
        return 1 if word.lower() in conse.class_words() else self._sentences().pieces(word)

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, 384)."""
        return self._encode(images)

    def _encode(self, images: Sequence[Image | Pixels], at_least: int = 1) -> Embeddings:
        tower, head = self._tower()
        size = CPU_BATCH if tower.device.type == "cpu" else GPU_BATCH

        def encode(batch: Sequence[Image | Pixels]) -> Embeddings:
            squares = [as_square(image, self.clip.size, self.clip.crop) for image in batch]
            features, early = tower.levels(np.stack(squares), at_least)
            by_names = conse.embed_logits(tower.scores(features))
            embeddings: Embeddings = head(by_names, features, early)[: len(batch)].cpu().numpy()
            return embeddings

        return in_batches(encode, images, size, self.dim)

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, 384).

        To the last bit the same whatever else is embedded with them, so that an index is the same everywhere.
        """
        return pool_clips(partial(self._encode, at_least=efficientnet_lite.STEADY), frames)

    def similarity_map(self, image: Image | Pixels, query: str | Embeddings) -> SimilarityMap:
        """Return how much each grid cell of a picture is like a query: (h, w) cosines."""
        vector = query_embedding(self, query)
        picture = resize_to_stride(image, LONGER_SIDE, efficientnet_lite.STRIDE)
        return conse_map(self._tower()[0].logit_map(picture), vector)

    def _sentences(self) -> minilm.MiniLM:
        with self._lock:
            self._text = self._text or minilm.MiniLM()
            return self._text

    def _tower(self) -> tuple[efficientnet_lite.Lite0, drawings.DrawingHead]:
        """Return the picture tower and the head for drawings, loaded when they are first needed."""
        with self._lock:
            if self._pictures is None:
                tower = efficientnet_lite.Lite0(resolve_device(self.device))
                self._pictures = _fastest(tower), drawings.DrawingHead(tower.device)
            return self._pictures


def _fastest(tower: efficientnet_lite.Lite0) -> efficientnet_lite.Lite0:
    """Return a tower in bfloat16 where the CPU computes in it and the embeddings stay, else as it is."""
    if not computes_bfloat16(tower.device):
        return tower
    fast = tower.in_bfloat16()
    probe = np.stack([as_square(one, efficientnet_lite.SIZE, "center") for one in coloured_squares(2)])
    exact = conse.embed_logits(tower(probe))
    try:
        near = conse.embed_logits(fast(probe))
    except RuntimeError:  # oneDNN has no such kernel for this processor
        return tower
    return fast if is_faithful(exact, near) else tower

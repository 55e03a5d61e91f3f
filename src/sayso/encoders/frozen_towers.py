"""Lite0 and MiniLM as they are, with heads that were learned: an encoder that needs no model hub.

Source
    Zhai et al. 2022, LiT. https://arxiv.org/abs/2111.07991
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self, cast

import numpy as np

from sayso.core.arrays import Float32s, Pixels
from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_texts, in_batches, pool_clips
from sayso.encoders.interface import Embeddings
from sayso.encoders.pair_features import BATCH, FROZEN_CLIP, TEXTS, FrozenTowers, frozen_identity
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import nn

    from sayso.models.feature_heads import FeatureHeads

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
    clip = FROZEN_CLIP

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


def heads_of(model: nn.Module) -> FeatureHeads:
    """Return a copy of heads that learn, on the CPU."""
    return cast("FeatureHeads", copy.deepcopy(model).cpu())


def _tensor(array: Float32s) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array))


def _numbers(tensor: torch.Tensor) -> Float32s:
    numbers: Float32s = tensor.float().cpu().numpy()
    return numbers

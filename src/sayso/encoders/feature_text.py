"""The encoder of HowTo100M's joint embedding: texts, and features of clips.

Its video side begins at features, which ``encode_features`` takes: the published 2D and 3D ones, or
embeddings of another encoder, one a second. That one, the backbone, is loaded when pixels come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels
from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_texts, in_batches, unit_norm
from sayso.encoders.interface import ClipSpec, Embeddings, Encoder
from sayso.encoders.named import load_encoder
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.models import HowTo100MNet, WordTokenizer

BATCH = 256
PUBLISHED = ClipSpec(frames=4, fps=1.0, size=224)  # 2D features, one a second


class HowTo100MEncoder(Pretrained):
    """A feature-level network as an encoder; see ``sayso.encoders.interface.Encoder``.

    Args:
        net: the network; it is moved to the device and set to inference.
        tokenizer: the words that it knows, in its order.
        backbone: name of the encoder whose embeddings of frames are the features; None: others are.
        clip: how to cut and sample for the backbone.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...
        card: where it comes from, for the model card.

    Raises:
        SaysoError: if the vocabulary is not that of the network.
    """

    kind = "feature_text"
    similarity: Literal["cosine"] = "cosine"

    def __init__(
        self,
        net: HowTo100MNet,
        tokenizer: WordTokenizer,
        *,
        backbone: str | None = None,
        clip: ClipSpec = PUBLISHED,
        name: str = "feature_text",
        device: str = "auto",
        card: str = "",
    ) -> None:
        rows = net.word_vectors.num_embeddings
        if rows != len(tokenizer.words) + 1:
            raise SaysoError(
                f"the model has vectors for {rows - 1} words, and the vocabulary {len(tokenizer.words)}"
            )
        self.device = resolve_device(device)
        self.net, self.tokenizer = net.eval().to(self.device), tokenizer
        self.name, self.card, self.dim = name, card, net.dim
        self.backbone, self.clip = backbone, clip

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:
        """Return the encoder of a model folder.

        Args:
            saved: what the folder holds.
            name: what to call it.
            device: ``auto``, ``cpu``, ``cuda``, ...

        Raises:
            SaysoError: if the weights are not those of the network that the configuration describes.
        """
        net, tokenizer, clip = _assemble(saved, name)
        backbone = saved.options.get("backbone")
        return cls(net, tokenizer, backbone=backbone, clip=clip, name=name, device=device, card=saved.card)

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        words = self.tokenizer
        read = {"max_words": words.max_words, "lower": words.lower, "backbone": self.backbone}
        return ModelFolder(
            self.kind,
            {**self.net.options, **read},
            self.net.state_dict(),
            transform=asdict(self.clip),
            vocabulary=words.words,
            card=self.card,
        )

    def reference_outputs(self) -> Reference:
        """Return the embeddings of the vocabulary's first words, and of features that are a sine wave."""
        wave = np.sin(np.arange(self.net.feature_dim, dtype=np.float32))[None]
        text = self.encode_text([" ".join(self.tokenizer.words[:3])])
        return {"of_text": text[0].tolist(), "of_features": self.encode_features(wave)[0].tolist()}

    def adapted(self, clip: ClipSpec, max_words: int | None = None) -> HowTo100MEncoder:
        """Return the same network with other clips; see ``sayso.encoders.interface.Adaptable``."""
        known = self.tokenizer
        return HowTo100MEncoder(
            self.net,
            known if max_words is None else known.reading(max_words),
            backbone=self.backbone,
            clip=clip,
            name=self.name,
            device=str(self.device),
            card=self.card,
        )

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D), of unit norm. Unknown words are passed over."""
        import torch

        def encode(some: Sequence[str]) -> Embeddings:
            with torch.inference_mode():
                return np.asarray(
                    self.net.text(self.tokenizer(some).to(self.device)).cpu().numpy(), np.float32
                )

        return in_batches(encode, as_texts(texts), BATCH, self.dim)

    def encode_features(self, features: NDArray[np.float32]) -> Embeddings:
        """Embed B clips, (B, F): 2D, then 3D features, each of unit norm. (B, D), of unit norm.

        Raises:
            SaysoError: if the features are of another length.
        """
        import torch

        if features.ndim != 2 or features.shape[1] != self.net.feature_dim:
            raise SaysoError(f"features must be (B, {self.net.feature_dim}); got {tuple(features.shape)}")
        with torch.inference_mode():
            video = self.net.video(torch.from_numpy(np.asarray(features, np.float32)).to(self.device))
        return np.asarray(video.cpu().numpy(), np.float32)

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D).

        Raises:
            SaysoError: if the features are none that pixels give.
        """
        return self.encode_features(unit_norm(self._pixels.encode_images(images)))

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D).

        Raises:
            SaysoError: if the features are none that pixels give.
        """
        backbone, T = self._pixels, frames.shape[1]
        each = backbone.encode_images(list(frames.reshape(-1, *frames.shape[2:])))
        return self.encode_features(unit_norm(each.reshape(-1, T, backbone.dim).max(1)))

    @cached_property
    def _pixels(self) -> Encoder:
        """The backbone, which embeds pixels.

        Raises:
            SaysoError: if there is none.
        """
        if self.backbone is None:
            raise SaysoError(
                f"the model {self.name} takes features of clips, not pixels; extract them and use"
                " encode_features, or choose a model that takes pixels"
            )
        return load_encoder(self.backbone, device=str(self.device))


def _assemble(saved: ModelFolder, name: str) -> tuple[HowTo100MNet, WordTokenizer, ClipSpec]:
    """Return the parts of an encoder.

    Raises:
        SaysoError: if the weights are not those of the network that the configuration describes.
    """
    import torch

    from sayso.models import HowTo100MNet, WordTokenizer

    options = {key: value for key, value in saved.options.items() if key != "backbone"}
    try:
        max_words, lower = options.pop("max_words"), options.pop("lower")
        net = HowTo100MNet(torch.empty_like(saved.weights["word_vectors.weight"]), **options)
        net.load_state_dict(dict(saved.weights))
        clip = ClipSpec(**(saved.transform or {}))
    except (KeyError, TypeError, RuntimeError) as error:
        raise SaysoError(f"the model {name} does not fit its config.json: {error}") from error
    return net, WordTokenizer(saved.vocabulary or [], max_words, lower=lower), clip

"""A torch module that is a dual encoder: what is trained is what is saved, loaded and used."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sayso.core.arrays import Pixels
from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_texts, in_batches, pool_clips
from sayso.encoders.interface import ClipSpec, Embeddings
from sayso.encoders.preprocess import as_square
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained
from sayso.models.bow_text import WordTokenizer

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES, TEXTS = 32, 1024  # a batch


class DualEncoderModule(Pretrained, nn.Module):
    """Pictures and texts in one space of cosine similarity, by two networks on known words.

    A class of this kind has a ``kind``, a constructor ``(words, **options)`` that calls this one and makes
    its networks, ``embed_pictures`` and ``embed_words``. The rest is here: ``forward`` for training, the
    methods of ``sayso.encoders.Encoder``, the model folder. A clip is the mean of its frames.

    Args:
        words: of the vocabulary; number 1 first, 0 stands for no word.
        dim: D, length of an embedding.
        clip: how pictures and clips are cut and sampled.
        options: what the constructor takes beside the words, as JSON can hold it.
    """

    similarity: ClassVar[Literal["cosine", "dot"]] = "cosine"

    def __init__(self, words: Sequence[str], dim: int, clip: ClipSpec, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.tokenizer = WordTokenizer(words, lower=True)
        self.dim, self.clip, self.options = dim, clip, dict(options)
        self.name, self.card, self.device = self.kind, "", torch.device("cpu")

    @abstractmethod
    def embed_pictures(self, pixels: Tensor) -> Tensor:
        """Embed B pictures, (B, size, size, 3) uint8: (B, D), of any length."""

    @abstractmethod
    def embed_words(self, words: Tensor) -> Tensor:
        """Embed B texts as numbers of words, (B, L) int64: (B, D), of any length."""

    def forward(self, pixels: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings of B pictures and B texts, (B, D) of unit norm each."""
        return normalize(self.embed_pictures(pixels), dim=1), normalize(self.embed_words(words), dim=1)

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D)."""

        def encode(some: Sequence[str]) -> Embeddings:
            return self._unit(self.embed_words, self.tokenizer(some))

        return in_batches(encode, as_texts(texts), TEXTS, self.dim)

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D)."""

        def encode(some: Sequence[Image | Pixels]) -> Embeddings:
            pixels = np.stack([as_square(one, self.clip.size, self.clip.crop) for one in some])
            return self._unit(self.embed_pictures, torch.from_numpy(pixels))

        return in_batches(encode, images, PICTURES, self.dim)

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D)."""
        return pool_clips(self.encode_images, frames)

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        words, weights = self.tokenizer.words, self.state_dict()
        transform = asdict(self.clip)
        return ModelFolder(self.kind, self.options, weights, transform, vocabulary=words, card=self.card)

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
        try:
            made = cls(saved.vocabulary or [], **saved.options)
            made.load_state_dict(dict(saved.weights))
        except (KeyError, TypeError, RuntimeError) as error:
            raise SaysoError(f"the model {name} does not fit its config.json: {error}") from error
        made.name, made.card, made.device = name, saved.card, resolve_device(device)
        return made.eval().to(made.device)

    def reference_outputs(self) -> Reference:
        """Return the embeddings of the vocabulary's first words and of a picture of stripes."""
        S = self.clip.size
        stripes = (np.arange(S * S * 3) % 251).astype(np.uint8).reshape(S, S, 3)
        text = self.encode_text([" ".join(self.tokenizer.words[:3])])
        return {"of_text": text[0].tolist(), "of_picture": self.encode_images([stripes])[0].tolist()}

    @torch.inference_mode()
    def _unit(self, embed: Any, inputs: Tensor) -> Embeddings:
        found: Tensor = normalize(embed(inputs.to(self.device)), dim=1)
        return np.asarray(found.float().cpu().numpy(), np.float32)

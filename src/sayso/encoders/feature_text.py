"""The encoder of HowTo100M's joint embedding: texts, and features of clips.

Its video side begins at features, which ``encode_features`` takes: the published 2D and 3D ones, or
what another encoder sees each second. That one, the backbone, is loaded when pixels come.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_texts, in_batches, unit
from sayso.encoders.interface import ClipSpec, Embeddings, Encoder, Pixels
from sayso.hub import model_folder as saved

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.models import HowTo100MNet, WordTokenizer

KIND = "howto100m"
BATCH = 256
PUBLISHED = ClipSpec(frames=4, fps=1.0, size=224)  # 2D features, one a second


class HowTo100MEncoder:
    """A feature-level network as an encoder; see ``sayso.encoders.interface.Encoder``.

    Args:
        net: the network; it is moved to the device and set to inference.
        tokenizer: the words that it knows, in its order.
        backbone: name of the encoder whose embeddings of frames are the features; None: others are.
        clip: how to cut and sample for the backbone.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...
        about: where it comes from, for the model card.

    Raises:
        SaysoError: if the vocabulary is not that of the network.
    """

    similarity: Literal["cosine"] = "cosine"

    def __init__(
        self,
        net: HowTo100MNet,
        tokenizer: WordTokenizer,
        *,
        backbone: str | None = None,
        clip: ClipSpec = PUBLISHED,
        name: str = KIND,
        device: str = "auto",
        about: str = "",
    ) -> None:
        rows = net.word_vectors.num_embeddings
        if rows != len(tokenizer.words) + 1:
            raise SaysoError(
                f"the model has vectors for {rows - 1} words, and the vocabulary {len(tokenizer.words)}"
            )
        self.device = resolve_device(device)
        self.net, self.tokenizer = net.eval().to(self.device), tokenizer
        self.name, self.about, self.dim = name, about, net.dim
        self.backbone, self.clip = backbone, clip

    @classmethod
    def from_pretrained(cls, folder: Path | str, *, device: str = "auto", name: str = "") -> HowTo100MEncoder:
        """Load what ``save_pretrained`` wrote.

        Raises:
            SaysoError: if the folder is damaged, or its network no longer makes what it made when saved.
        """
        model = saved.read(Path(folder))
        encoder = cls(
            *_assemble(model, folder),
            backbone=model.options.get("backbone"),
            clip=model.clip,
            name=name or str(folder),
            device=device,
        )
        golden = encoder._golden()
        if any(not np.allclose(golden[part], model.golden.get(part, []), atol=1e-3) for part in golden):
            raise SaysoError(
                f"the model {folder} does not make what it made when it was saved; copy it again"
            )
        return encoder

    def save_pretrained(self, folder: Path | str) -> None:
        """Write a model folder, which ``sayso.load`` takes.

        Raises:
            SaysoError: if the folder is in use.
        """
        saved.write(self._saved(), Path(folder))

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Save the model to the model hub; return its address there."""
        return saved.push(self._saved(), repository, private=private)

    @cached_property
    def sha256(self) -> str:
        """Identity of weights, word vectors and vocabulary."""
        return self._saved().sha256()

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
        return self.encode_features(unit(self._eyes.encode_images(images)))

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D).

        Raises:
            SaysoError: if the features are none that pixels give.
        """
        eyes, T = self._eyes, frames.shape[1]
        seen = eyes.encode_images(list(frames.reshape(-1, *frames.shape[2:])))
        return self.encode_features(unit(seen.reshape(-1, T, eyes.dim).max(1)))

    @cached_property
    def _eyes(self) -> Encoder:
        """The backbone.

        Raises:
            SaysoError: if there is none.
        """
        if self.backbone is None:
            raise SaysoError(
                f"the model {self.name} takes features of clips, not pixels; extract them and use"
                " encode_features, or choose a model that takes pixels"
            )
        from sayso.encoders.load_encoder import load

        return load(self.backbone, device=str(self.device))

    def _golden(self) -> dict[str, list[float]]:
        """Return what the network makes of a text and of features."""
        wave = np.sin(np.arange(self.net.feature_dim, dtype=np.float32))[None]
        text = self.encode_text([" ".join(self.tokenizer.words[:3])])
        return {"of_text": text[0].tolist(), "of_features": self.encode_features(wave)[0].tolist()}

    def _saved(self) -> saved.SavedModel:
        words = self.tokenizer
        read = {"max_words": words.max_words, "lower": words.lower, "backbone": self.backbone}
        options = {**self.net.options, **read}
        weights = self.net.state_dict()
        return saved.SavedModel(KIND, options, words.words, self.clip, weights, self._golden(), self.about)


def _assemble(model: saved.SavedModel, folder: Path | str) -> tuple[HowTo100MNet, WordTokenizer]:
    """Return the parts of an encoder.

    Raises:
        SaysoError: if the weights are not those of the network that the configuration describes.
    """
    import torch

    from sayso.models import HowTo100MNet, WordTokenizer

    options = {name: value for name, value in model.options.items() if name != "backbone"}
    try:
        max_words, lower = options.pop("max_words"), options.pop("lower")
        net = HowTo100MNet(torch.empty_like(model.weights["word_vectors.weight"]), **options)
        net.load_state_dict(dict(model.weights))
    except (KeyError, TypeError, RuntimeError) as error:
        raise SaysoError(f"the model {folder} does not fit its config.json: {error}") from error
    return net, WordTokenizer(model.words, max_words, lower=lower)

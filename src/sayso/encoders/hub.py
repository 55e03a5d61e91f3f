"""Dual encoders from the model hub: CLIP, SigLIP, SigLIP 2 and their relatives.

The model, its picture preprocessing and its tokeniser are those of the
transformers library, read from one folder: what travels with the weights is what
is used. Only safetensors are read; pickled weights are refused.

Sources
    [1] Radford et al. 2021, CLIP. https://arxiv.org/abs/2103.00020
    [2] Zhai et al. 2023, SigLIP. https://arxiv.org/abs/2303.15343
    [3] Tschannen et al. 2025, SigLIP 2. https://arxiv.org/abs/2502.14786
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from sayso.core.arrays import Pixels
from sayso.core.device import native_bfloat16, resolve_device
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_folder
from sayso.encoders.batching import as_texts, in_batches, pool_clips, unit_norm
from sayso.encoders.dense import SimilarityMap, query_embedding, token_map
from sayso.encoders.interface import ClipSpec, Embeddings
from sayso.encoders.precision import coloured_squares, is_faithful
from sayso.encoders.preprocess import as_rgb, as_square
from sayso.hub.download import copy_files
from sayso.hub.hub_folder import dimension, identity, load_dual_encoder
from sayso.hub.kinds import HUB_ENCODER
from sayso.hub.model_card import model_card
from sayso.hub.model_folder import CARD, REFERENCE, Reference, check_reference, push_folder, resolve_step
from sayso.hub.pretrained import verifying

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

CPU_BATCH, GPU_BATCH = 16, 64


class HubEncoder:
    """A dual encoder of the hub, loaded from a folder; see ``sayso.encoders.interface.Encoder``.

    Args:
        folder: with ``config.json``, safetensors, a tokeniser and a ``preprocessor_config.json``.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        MissingExtra: if transformers is not installed.
        SaysoError: if the folder holds no dual encoder, or only pickled weights.
    """

    kind = HUB_ENCODER
    similarity: Literal["cosine"] = "cosine"

    def __init__(self, folder: Path, name: str, device: str = "auto") -> None:
        self.folder, self.name, self.dim = folder, name, dimension(folder)
        self.device = resolve_device(device)
        self._use(*load_dual_encoder(folder, self.device))

    def _use(self, model: Any, tokenizer: Any, pictures: Any) -> None:
        """Take model, tokeniser and picture processor."""
        self._model, self._tokenizer, self._pictures = model, tokenizer, pictures
        self._siglip = self._model.config.model_type.startswith("siglip")
        self.clip = _clip_spec(self._pictures)
        self._lock = Lock()
        self._precision: torch.dtype | None = None

    @classmethod
    def from_pretrained(
        cls, folder: Path | str, *, name: str = "", device: str = "auto", verify: bool = True
    ) -> HubEncoder:
        """Load a model folder of the transformers library; where it has reference outputs, check them.

        Args:
            folder: as for the class.
            name: what to call it; the folder, unless given.
            device: ``auto``, ``cpu``, ``cuda``, ...
            verify: whether it must give the reference outputs that ``save_pretrained`` wrote.

        Raises:
            MissingExtra: if transformers is not installed.
            SaysoError: if the folder holds no dual encoder, or does not give its reference outputs.
        """
        path = resolve_step(folder)
        encoder = cls(path, name or str(folder), device)
        if verify and verifying() and (path / REFERENCE).is_file():
            check_reference(encoder.reference_outputs(), _read_reference(path), encoder.name)
        return encoder

    def save_pretrained(self, folder: Path | str) -> None:
        """Write a copy of the model's folder, with reference outputs and a card beside its own files.

        Raises:
            SaysoError: if something other than an empty folder is there already.
        """
        with atomic_folder(Path(folder).expanduser()) as new:
            copy_files(self.folder, new)
            text = json.dumps(self.reference_outputs())
            (new / REFERENCE).write_text(text + "\n", encoding="utf-8")
            if not (new / CARD).exists():
                facts = {
                    "Embeddings": f"{self.dim} numbers",
                    "Inputs": f"{self.clip.size} x {self.clip.size}",
                }
                card = model_card(self.kind, f"A copy of {self.name}.", facts, {})
                (new / CARD).write_text(card, encoding="utf-8")

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Save the model to the model hub; return its address there.

        Raises:
            SaysoError: if the hub refuses.
        """
        with tempfile.TemporaryDirectory() as waiting:
            self.save_pretrained(Path(waiting, "model"))
            return push_folder(Path(waiting, "model"), repository, private=private)

    def reference_outputs(self) -> Reference:
        """Return the embeddings of a text and of a picture that anybody can draw, in float32."""
        import torch

        text = self._encode_texts(["a photo of a red car"])[0]
        picture = self._encode_pictures(coloured_squares(1), torch.float32)[0]
        return {"of_text": text.tolist(), "of_picture": picture.tolist()}

    @cached_property
    def sha256(self) -> str:
        """Identity of weights, configuration, vocabulary and preprocessing: a digest of the files."""
        return identity(self.folder)

    @property
    def log_scale(self) -> float:
        """The logarithm of the inverse temperature that the model learned."""
        return float(self._model.logit_scale.detach())

    @property
    def bias(self) -> float | None:
        """The bias of its sigmoid (SigLIP); None: a softmax (CLIP)."""
        bias = getattr(self._model, "logit_bias", None)
        return None if bias is None else float(bias.detach())

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D). A text longer than the model reads is cut."""
        return in_batches(self._encode_texts, as_texts(texts), self._batch, self.dim)

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D)."""
        with self._lock:
            self._precision = self._precision or self._choose_precision()
        return in_batches(self._encode_pictures, images, self._batch, self.dim)

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D)."""
        return pool_clips(self.encode_images, frames)

    def similarity_map(self, image: Image | Pixels, query: str | Embeddings) -> SimilarityMap:
        """Return how much each grid cell of a picture is like a query: (h, w) cosines.

        The whole picture takes part: where the model wants a square, both sides are scaled to it.
        """
        import torch

        vector = query_embedding(self, query)
        whole = as_rgb(image) if self._any_shape else as_square(image, self.clip.size, "squash")
        with torch.inference_mode():
            return token_map(self._model, self._inputs([whole]), vector)

    @property
    def _any_shape(self) -> bool:
        """Whether pictures keep their shape (SigLIP 2 with native aspect)."""
        return getattr(self._pictures, "size", None) is None

    @property
    def _batch(self) -> int:
        return CPU_BATCH if self.device.type == "cpu" else GPU_BATCH

    def _encode_texts(self, texts: Sequence[str]) -> Embeddings:
        import torch

        if type(self._tokenizer).__name__.startswith("Gemma"):  # SigLIP 2 was trained on lower case [3]
            texts = [text.lower() for text in texts]
        length = self._model.config.text_config.max_position_embeddings
        with self._lock:  # the tokeniser keeps padding and truncation as state
            tokens = self._tokenizer(
                list(texts),
                padding="max_length" if self._siglip else True,  # SigLIP reads the last position [2]
                padding_side="right",
                truncation=True,
                max_length=length,
                return_tensors="pt",
            )
        names = ("input_ids",) if self._siglip else ("input_ids", "attention_mask")
        with torch.inference_mode():
            features = self._model.get_text_features(**{k: tokens[k].to(self.device) for k in names})
        return _unit_features(features)

    def _encode_pictures(
        self, images: Sequence[Image | Pixels], precision: torch.dtype | None = None
    ) -> Embeddings:
        import torch

        inputs = self._inputs([as_rgb(image) for image in images])
        precision = precision or self._precision or torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, dtype=precision, enabled=precision != torch.float32),
        ):
            features = self._model.get_image_features(**inputs)
        return _unit_features(features)

    def _inputs(self, pixels: Sequence[Pixels]) -> Any:
        """Return pictures as the model reads them, on its device."""
        size = (self.clip.size, self.clip.size, 3)
        ready = not self._any_shape and all(picture.shape == size for picture in pixels)
        options = {"do_resize": False} if ready else {}
        made = self._pictures(list(pixels), return_tensors="pt", input_data_format="channels_last", **options)
        return made.to(self.device)

    def _choose_precision(self) -> torch.dtype:
        """Return bfloat16 where the CPU computes in it and this model stays faithful, else float32."""
        import torch

        if self.device.type != "cpu" or not native_bfloat16(self.device):
            return torch.float32
        probe = coloured_squares(4)
        exact = self._encode_pictures(probe, torch.float32)
        fast = self._encode_pictures(probe, torch.bfloat16)
        faithful = is_faithful(torch.from_numpy(exact), torch.from_numpy(fast))
        return torch.bfloat16 if faithful else torch.float32


def _read_reference(folder: Path) -> Reference:
    try:
        return dict(json.loads((folder / REFERENCE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SaysoError(f"{folder / REFERENCE} cannot be read: {error}; copy the model again") from error


def _unit_features(features: Any) -> Embeddings:
    """Return (B, D) unit vectors of what transformers 4 (a tensor) or 5 (an output object) gives."""
    tensor = getattr(features, "pooler_output", features)
    return unit_norm(tensor.float().cpu().numpy())


def _clip_spec(pictures: Any) -> ClipSpec:
    """Say how frames should be cut so that the picture processor finds nothing to scale."""
    size = getattr(pictures, "size", None)
    if size is None:  # SigLIP 2 with native aspect: a grid of patches of any shape
        side = pictures.patch_size * int(pictures.max_num_patches**0.5)
        return ClipSpec(frames=4, fps=1.0, size=side, crop="center")
    if size.shortest_edge:
        return ClipSpec(frames=4, fps=1.0, size=size.shortest_edge, crop="center")
    return ClipSpec(frames=4, fps=1.0, size=size.height, crop="squash")

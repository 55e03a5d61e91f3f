"""Encoders of text-video networks: trained here, or converted from the published MIL-NCE files.

A clip is embedded as a whole: motion counts, not a mean of pictures. A picture is a clip in which
nothing moves. On CPUs that compute in bfloat16, clips do, where the embedding stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.device import native_bfloat16, resolve_device
from sayso.core.errors import SaysoError
from sayso.encoders.batching import as_clips, as_texts, in_batches
from sayso.encoders.interface import ClipSpec, Embeddings
from sayso.encoders.precision import is_faithful
from sayso.encoders.preprocess import as_rgb, as_square
from sayso.hub.model_folder import ModelFolder, Reference
from sayso.hub.pretrained import Pretrained

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from sayso.models import FastS3D, TextVideoNet, WordTokenizer

CPU_CLIPS, GPU_CLIPS, TEXTS = 2, 16, 1024


class TextVideoEncoder(Pretrained):
    """A video network and a sentence network as an encoder; see ``sayso.encoders.interface.Encoder``.

    Args:
        net: the networks; they are moved to the device and set to inference.
        tokenizer: the words that the sentence network knows, in its order.
        clip: how a clip is cut and sampled.
        similarity: what the networks were trained to compare by; ``cosine`` makes unit norms.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...
        card: where it comes from, a sentence or two for the model card.

    Raises:
        SaysoError: if the vocabulary is not that of the network.
    """

    kind = "video_text"

    def __init__(
        self,
        net: TextVideoNet,
        tokenizer: WordTokenizer,
        clip: ClipSpec,
        *,
        similarity: Literal["cosine", "dot"] = "dot",
        name: str = "video_text",
        device: str = "auto",
        card: str = "",
    ) -> None:
        rows = net.text.word_embd.num_embeddings
        if rows != len(tokenizer.words) + 1:
            raise SaysoError(
                f"the model has vectors for {rows - 1} words, and the vocabulary {len(tokenizer.words)}"
            )
        self.device = resolve_device(device)
        self.net, self.tokenizer = net.eval().to(self.device), tokenizer
        self.clip, self.name, self.card, self.dim = clip, name, card, net.dim
        self.similarity = similarity
        self._lock = Lock()
        self._fast: FastS3D | None = None

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
        by: Literal["cosine", "dot"] = saved.options.get("similarity", "dot")
        return cls(*_assemble(saved, name), similarity=by, name=name, device=device, card=saved.card)

    def to_folder(self) -> ModelFolder:
        """Return all that the model folder holds but the reference outputs."""
        text, words = self.net.text, self.tokenizer
        options = {
            **({"similarity": "cosine"} if self.similarity == "cosine" else {}),
            **self.net.video.options,
            "hidden": text.hidden,
            "max_words": words.max_words,
            "lower": words.lower,
        }
        return ModelFolder(
            self.kind,
            options,
            self.net.state_dict(),
            transform=asdict(self.clip),
            vocabulary=words.words,
            card=self.card,
        )

    def reference_outputs(self) -> Reference:
        """Return the embeddings of the vocabulary's first words and of ``moving_waves``, in float32."""
        import torch

        text = " ".join(self.tokenizer.words[:3])
        with torch.inference_mode():
            video = self.net.video(moving_waves().to(self.device))[0].float().cpu()
        return {"of_text": self._encode_texts([text])[0].tolist(), "of_clip": video.tolist()}

    def adapted(self, clip: ClipSpec, max_words: int | None = None) -> TextVideoEncoder:
        """Return the same networks with other clips; see ``sayso.encoders.interface.Adaptable``."""
        known = self.tokenizer
        return TextVideoEncoder(
            self.net,
            known if max_words is None else known.reading(max_words),
            clip,
            similarity=self.similarity,
            name=self.name,
            device=str(self.device),
            card=self.card,
        )

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed B texts: (B, D). Unknown words are passed over, and those after the first L known."""
        return in_batches(self._encode_texts, as_texts(texts), TEXTS, self.dim)

    def encode_images(self, images: Sequence[Image | Pixels]) -> Embeddings:
        """Embed B pictures, each a PIL image or (H, W, 3) uint8 of any size: (B, D)."""
        return in_batches(
            lambda some: self._encode_clips([as_rgb(i)[None] for i in some]), images, self._clips, self.dim
        )

    def encode_video(self, frames: Pixels) -> Embeddings:
        """Embed B clips, (B, T, H, W, 3) uint8 RGB with any H, W and T >= 1: (B, D).

        Clips shorter than ``clip.frames`` repeat their last frame; of longer ones every frame counts.

        Raises:
            SaysoError: if the array is anything else.
        """
        return in_batches(self._encode_clips, list(as_clips(frames)), self._clips, self.dim)

    def video_features(self, frames: Pixels) -> Embeddings:
        """Return what classifiers learn from, (B, F): ``S3D.features`` of clips as for ``encode_video``.

        Raises:
            SaysoError: if the array is anything else.
        """
        width = self.net.video.feature_dim
        return in_batches(self._clip_features, list(as_clips(frames)), self._clips, width)

    @property
    def _clips(self) -> int:
        return CPU_CLIPS if self.device.type == "cpu" else GPU_CLIPS

    def _encode_texts(self, texts: Sequence[str]) -> Embeddings:
        import torch

        with torch.inference_mode():
            return self._compared(self.net.text(self.tokenizer(texts).to(self.device)))

    def _encode_clips(self, clips: Sequence[Pixels]) -> Embeddings:
        return self._compared(self._network()(self._tensor(clips)))

    def _clip_features(self, clips: Sequence[Pixels]) -> Embeddings:
        return np.asarray(self._network().features(self._tensor(clips)).cpu().numpy(), np.float32)

    def _tensor(self, clips: Sequence[Pixels]) -> torch.Tensor:
        import torch

        pixels = np.stack([self._fit(clip) for clip in clips])  # (b, T, S, S, 3)
        return torch.from_numpy(pixels).to(self.device).permute(0, 4, 1, 2, 3).float().div_(255)

    def _network(self) -> FastS3D:
        with self._lock:
            self._fast = self._fast or self._choose()
        return self._fast

    def _compared(self, embeddings: torch.Tensor) -> Embeddings:
        """Return embeddings (b, D) as they are compared: of unit norm if by cosine."""
        import torch.nn.functional as F  # noqa: N812

        scaled = F.normalize(embeddings, dim=1) if self.similarity == "cosine" else embeddings
        return np.asarray(scaled.float().cpu().numpy(), np.float32)

    def _fit(self, clip: Pixels) -> Pixels:
        """Return a clip (T, H, W, 3) as (T', size, size, 3): T' even, and at least ``clip.frames``."""
        T = len(clip)
        moving = [as_square(frame, self.clip.size, self.clip.crop) for frame in clip]
        wanted = max(self.clip.frames, T)
        wanted += wanted % 2
        return np.stack(moving + [moving[-1]] * (wanted - T))

    def _choose(self) -> FastS3D:
        """Return the network for clips: in bfloat16 where it is native and faithful, else float32."""
        import torch

        from sayso.models import FastS3D

        exact = FastS3D(self.net.video)
        if not native_bfloat16(self.device):
            return exact
        fast, probe = FastS3D(self.net.video, torch.bfloat16), moving_waves().to(self.device)
        return fast if is_faithful(exact(probe), fast(probe)) else exact


def moving_waves() -> torch.Tensor:
    """Return a clip that anybody can draw, (1, 3, 8, 64, 64): waves that move."""
    import torch

    t, y, x = torch.meshgrid(torch.arange(8.0), torch.arange(64.0), torch.arange(64.0), indexing="ij")
    waves = [torch.sin(x * a + y * b + t) for a, b in ((0.2, 0.1), (0.05, 0.3), (0.4, 0.02))]
    return (torch.stack(waves)[None] + 1) / 2


def _assemble(saved: ModelFolder, name: str) -> tuple[TextVideoNet, WordTokenizer, ClipSpec]:
    """Return the parts of an encoder.

    Raises:
        SaysoError: if the weights are not those of the network that the configuration describes.
    """
    import torch

    from sayso.models import S3D, SentenceNet, TextVideoNet, WordTokenizer

    options = dict(saved.options)
    options.pop("similarity", None)
    try:
        max_words, lower, hidden = (options.pop(key) for key in ("max_words", "lower", "hidden"))
        vectors = torch.empty_like(saved.weights["text.word_embd.weight"])
        net = TextVideoNet(S3D(**options), SentenceNet(vectors, options["dim"], hidden=hidden))
        net.load_state_dict(dict(saved.weights))
        clip = ClipSpec(**(saved.transform or {}))
    except (KeyError, TypeError, RuntimeError) as error:
        raise SaysoError(f"the model {name} does not fit its config.json: {error}") from error
    return net, WordTokenizer(saved.vocabulary or [], max_words, lower=lower), clip

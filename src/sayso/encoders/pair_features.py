"""Features of captioned pictures by networks that stay as they are, made once and kept in a folder.

Lite0 sees the pictures, MiniLM reads the captions; heads then learn from the features in seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Float32s, Pixels, read_arrays
from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.core.io import atomic_file
from sayso.encoders.batching import in_batches
from sayso.encoders.interface import ClipSpec
from sayso.encoders.preprocess import as_square
from sayso.models import efficientnet_lite, minilm

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.core.progress import Progress
    from sayso.data.batch import Example
    from sayso.data.picture_pairs import PicturePairs

BATCH, TEXTS = 32, 1024
FROZEN_CLIP = ClipSpec(frames=4, fps=1.0, size=efficientnet_lite.SIZE, crop="center")


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
        squares = [as_square(image, FROZEN_CLIP.size, FROZEN_CLIP.crop) for image in images]
        features: Float32s = self._pictures.features(np.stack(squares)).cpu().numpy()
        return features

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
        try:
            kept = read_arrays(path, "the features")
        except SaysoError:  # not there yet, or damaged
            images, errors = _picture_features(pairs, towers, progress)
            texts = _text_features(pairs, towers)
            with atomic_file(path, guarded=False) as file:
                np.savez(file, image=images, text=texts, errors=np.array(errors))
            kept = read_arrays(path, "the features")
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


def _picture_features(
    pairs: PicturePairs, towers: FrozenTowers, progress: Progress
) -> tuple[NDArray[np.float16], list[str]]:
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


def _text_features(pairs: PicturePairs, towers: FrozenTowers) -> NDArray[np.float16]:
    """Return (K, 384) float16 of all captions, those of one picture side by side."""
    texts = [text for n in range(len(pairs)) for text in pairs.captions(n)]
    number = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    found = in_batches(towers.texts, list(number), TEXTS, minilm.DIM).astype(np.float16)
    rows: NDArray[np.float16] = found[[number[text] for text in texts]]
    return rows


def _identity(pairs: PicturePairs) -> str:
    """Return a digest of what the features follow from: names of pictures, captions, frozen weights."""
    digest = hashlib.sha256(frozen_identity().encode())
    for n in range(len(pairs)):
        digest.update("\n".join((pairs.name(n), *pairs.captions(n), "")).encode())
    return digest.hexdigest()

"""What all encoders do alike: go through pictures in batches, and turn frames into clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError
from sayso.encoders.interface import Embeddings

Item = TypeVar("Item")


def unit_norm(x: NDArray[np.float32]) -> Embeddings:
    """Scale the last axis to unit norm; a zero vector stays zero."""
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.maximum(norm, np.float32(1e-12)), np.float32)


def as_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list.

    Raises:
        SaysoError: if it is one text, which would be taken for a list of letters, or no text.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise SaysoError(f"texts must be a list of str; got {texts!r:.60}")
    return list(texts)


def as_clips(frames: Pixels) -> Pixels:
    """Return clips as they are.

    Raises:
        SaysoError: if they are not (B, T, H, W, 3) uint8 with T >= 1.
    """
    if frames.ndim != 5 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or frames.shape[1] < 1:
        raise SaysoError(
            f"clips must be (B, T, H, W, 3) uint8 with T >= 1; got {tuple(frames.shape)} {frames.dtype}"
        )
    return frames


def in_batches(
    encode: Callable[[Sequence[Item]], Embeddings], items: Sequence[Item], size: int, dim: int
) -> Embeddings:
    """Encode items a batch at a time; where memory runs out, go on with half the batch.

    Args:
        encode: (b items) -> (b, D).
        items: B of them, none is fine.
        size: items a batch at first.
        dim: D.

    Returns:
        (B, D), in the order of the items.

    Raises:
        SaysoError: if memory does not suffice for a single item.
    """
    done: list[Embeddings] = [np.empty((0, dim), np.float32)]
    start = 0
    while start < len(items):
        try:
            done.append(encode(items[start : start + size]))
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if size == 1:
                raise SaysoError(
                    "the model does not fit into memory with even one picture or text;"
                    " choose a smaller model or --device cpu"
                ) from error
            size = max(1, min(size, len(items) - start) // 2)
        else:
            start += size
    return np.concatenate(done)


def _out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of torch (or Python) means that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def pool_clips(encode_images: Callable[[Sequence[Pixels]], Embeddings], frames: Pixels) -> Embeddings:
    """Embed clips as the mean of their frames' unit vectors, scaled to unit norm.

    Args:
        encode_images: b pictures (H, W, 3) -> (b, D), unit norm.
        frames: (B, T, H, W, 3) uint8 RGB, T >= 1.

    Returns:
        (B, D) float32.

    Raises:
        SaysoError: if the array is anything else.
    """
    B, T, H, W, _ = as_clips(frames).shape
    each = encode_images(list(frames.reshape(B * T, H, W, 3)))  # (B * T, D)
    return unit_norm(each.reshape(B, T, each.shape[1]).mean(1))

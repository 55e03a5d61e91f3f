"""Inputs that anybody can compute: the golden numbers were made of them, and the tests make them anew.

``numbers`` is sin(0.7 (i^2 mod 100,003) + phase) of the i-th element: no generator's stream is relied on.
"""

from __future__ import annotations

import zlib

import numpy as np

WORDS = ("cut", "the", "onion", "don't", "pour", "water", "Stir")
TEXTS = ("Cut the ONION", "stir, Stir; don't pour", "nothing known", " ".join(["water"] * 20 + ["onion"]))


def numbers(shape: tuple[int, ...], phase: float = 0.0) -> np.ndarray:
    """Return (shape) float64, between -1 and 1."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return np.sin(0.7 * (i * i % 100_003) + phase).reshape(shape)


def weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a weight by its key in the published file, of a size that keeps activations alive."""
    phase = zlib.crc32(key.encode()) % 1000 / 100
    wave = numbers(shape, phase)
    if key.endswith("num_batches_tracked"):
        return np.array(7)
    if key.endswith("running_var") or (".bn" in key and key.endswith("weight")):
        return 1 + 0.4 * wave
    return wave * (4 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.2 * wave


def spans(n: int, phase: float) -> np.ndarray:
    """Return (n, 2) begin and end of captions, seconds, in order, some overlapping, some apart."""
    starts = np.cumsum(2 + 1.9 * numbers((n,), phase))
    return np.stack([starts, starts + 2.5 + 2 * numbers((n,), phase + 1)], 1).round(2)


def costs(T: int, K: int, phase: float) -> np.ndarray:
    """Return (T, K) float32 costs of steps."""
    return numbers((T, K), phase).astype(np.float32)

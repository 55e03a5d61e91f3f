"""How well pictures and texts fit each other, as an encoder says; and the score that a share of them reaches.

Source
    Schuhmann et al., NeurIPS 2022 (LAION-5B): the cosine of CLIP's embeddings. https://arxiv.org/abs/2210.08402
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from PIL.Image import Image

Scores = NDArray[np.float32]
ScoreStream = Callable[[], Iterable[Scores]]
_HALF = 16


class PairEncoder(Protocol):
    """What scores pairs: any dual encoder that ``sayso.load`` gives."""

    @property
    def sha256(self) -> str:
        """Identity of everything that decides the embeddings."""

    @property
    def clip(self) -> Any:
        """``clip.size`` is the side of its input, pixels."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed B texts: (B, D)."""

    def encode_images(self, images: Sequence[Image | NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed B pictures: (B, D)."""


def score_pairs(
    encoder: PairEncoder, pictures: Sequence[Image], texts: Sequence[str], owners: Sequence[int]
) -> Scores:
    """Return the cosine of each text and its picture, (K,) float32.

    Args:
        encoder: what embeds them.
        pictures: N of them.
        texts: K of them.
        owners: for each text, the index of its picture.
    """
    if not texts:
        return np.empty(0, np.float32)
    seen = _unit_norm(encoder.encode_images(pictures))[np.asarray(owners)]
    return np.asarray((seen * _unit_norm(encoder.encode_text(texts))).sum(1), np.float32)


def score_of_share(scores: ScoreStream, share: float) -> float:
    """Return the score that the best share of all reach, exactly, in two passes and half a megabyte.

    Args:
        scores: called twice; gives all scores, in pieces (n,) float32.
        share: above 0, at most 1.

    Raises:
        SaysoError: if there are no scores.
    """
    upper = _histogram(_ordered(piece) >> np.uint32(_HALF) for piece in scores())
    wanted = int(np.ceil(share * int(upper.sum())))
    if wanted < 1:
        raise SaysoError("no pair is left to score; loosen the other rules")
    high, above = _from_above(upper, wanted)
    lower = _histogram(
        ordered[ordered >> np.uint32(_HALF) == high] & np.uint32(0xFFFF)
        for ordered in (_ordered(piece) for piece in scores())
    )
    low, _ = _from_above(lower, wanted - above)
    return _score((high << _HALF) | low)


def _unit_norm(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    return np.asarray(embeddings / length, np.float32)


def _ordered(scores: Scores) -> NDArray[np.uint32]:
    """Return whole numbers in the order of the scores."""
    bits = np.ascontiguousarray(scores, np.float32).view(np.uint32)
    return np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31))


def _score(ordered: int) -> float:
    bits = ordered ^ (1 << 31) if ordered >> 31 else ordered ^ 0xFFFFFFFF
    return float(np.array(bits, np.uint32).view(np.float32))


def _histogram(pieces: Iterator[NDArray[np.uint32]]) -> NDArray[np.int64]:
    found = np.zeros(1 << _HALF, np.int64)
    for piece in pieces:
        found += np.bincount(piece, minlength=1 << _HALF)
    return found


def _from_above(counts: NDArray[np.int64], wanted: int) -> tuple[int, int]:
    """Return the bin in which the wanted-th from above lies, and how many lie above that bin."""
    reached = np.cumsum(counts[::-1])
    at = int(np.searchsorted(reached, wanted))
    return len(counts) - 1 - at, int(reached[at - 1]) if at else 0

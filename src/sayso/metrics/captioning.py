"""CIDEr: how much a caption agrees with what people said of the same picture.

Vedantam, Zitnick and Parikh, CVPR 2015. The score that everybody prints under this name is
the paper's CIDEr-D, times 10 for each picture: clipped counts and a Gaussian penalty on the
difference of lengths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np

from sayso.core.arrays import Floats
from sayso.metrics.caption_tokens import caption_tokens

MAX_N = 4
SIGMA = 6.0

NGram = tuple[str, ...]


def cider(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean CIDEr-D of N captions; published tables print it times 100.

    The inverse document frequencies are those of these N pictures: with few pictures, or
    others, the same captions have another score, so N belongs beside it.

    Args:
        candidates: (N,) one caption for each picture.
        references: (N, at least 1) what people wrote about each picture.

    Raises:
        ValueError: if the lengths differ, nothing is given, or a picture has no reference.
    """
    return float(cider_each(candidates, references).mean())


def cider_each(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """Return the CIDEr-D of each picture's caption, (N,), 0 to 10.

    Args:
        candidates: as for ``cider``.
        references: as for ``cider``.

    Raises:
        ValueError: as for ``cider``.
    """
    if len(candidates) != len(references) or not len(candidates):
        raise ValueError(f"{len(candidates)} captions for the references of {len(references)} pictures")
    if not all(len(texts) for texts in references):
        raise ValueError("a picture without a reference caption has no CIDEr")
    said = [[_counts(text) for text in texts] for texts in references]
    frequency = Counter(ngram for texts in said for ngram in set().union(*texts))
    idf = _IDF(frequency, len(candidates))
    return np.array(
        [_agreement(_counts(text), texts, idf) for text, texts in zip(candidates, said, strict=True)]
    )


class _IDF(dict[NGram, float]):
    """log N - log max(1, number of pictures any of whose references has the n-gram)."""

    def __init__(self, frequency: Counter[NGram], pictures: int) -> None:
        self.rare = log(pictures)
        super().__init__((ngram, self.rare - log(count)) for ngram, count in frequency.items())

    def __missing__(self, ngram: NGram) -> float:
        return self.rare


def _counts(text: str) -> Counter[NGram]:
    tokens = caption_tokens(text)
    return Counter(tuple(tokens[i : i + n]) for n in range(1, MAX_N + 1) for i in range(len(tokens) - n + 1))


def _agreement(candidate: Counter[NGram], references: list[Counter[NGram]], idf: _IDF) -> float:
    weighted, norms, length = _weighted(candidate, idf)
    total = 0.0
    for reference in references:
        other, other_norms, other_length = _weighted(reference, idf)
        common = [0.0] * MAX_N
        for ngram, weight in weighted.items():
            if ngram in other:
                common[len(ngram) - 1] += min(weight, other[ngram]) * other[ngram]
        cosines = [c / (a * b) if a and b else c for c, a, b in zip(common, norms, other_norms, strict=True)]
        total += sum(cosines) * exp(-((length - other_length) ** 2) / (2 * SIGMA**2))
    return 10 * total / (MAX_N * len(references))


def _weighted(counts: Counter[NGram], idf: _IDF) -> tuple[dict[NGram, float], list[float], int]:
    """Return TF-IDF weights, their norm for each n, and the number of bigrams: the length compared."""
    weights = {ngram: count * idf[ngram] for ngram, count in counts.items()}
    squares = [0.0] * MAX_N
    for ngram, weight in weights.items():
        squares[len(ngram) - 1] += weight**2
    bigrams = sum(count for ngram, count in counts.items() if len(ngram) == 2)
    return weights, [sqrt(square) for square in squares], bigrams

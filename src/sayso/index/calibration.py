"""From similarity to relevance: how far a query stands out from captions that an index hardly shows.

A similarity means nothing by itself: one model's strangers have a cosine of 0.3, another's of 0.7. So when
an index is built, a background of captions that it hardly shows is embedded, and noted is how near the
nearest clip comes to each of them (``sayso.index.background``). A clip is as relevant as it comes nearer:

    x = (similarity - mean) / spread  -  NEARNESS * (nearness - its mean) / its spread
    relevance = 1 / (1 + exp(-(SLOPE x + OFFSET)))

where mean and spread are those of the background's best similarities in this index, and nearness is that of
the query to its nearest captions of the background. Within one query relevance grows with similarity, so no
ranking changes. Pictures that are searched by are compared with how near clips of different files come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLOPE = 1.5
"""Of the logistic curve; with OFFSET all that was fitted to labels (docs/search.md)."""

OFFSET = -0.8
"""Of the logistic curve, if half of what is asked for is there."""

NEARNESS = 0.5
"""How much less a clip is relevant if the query is like the background anyway."""

NEAREST = 5
"""Captions of the background that a query is compared with."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spread:
    """Where values lie: their mean, and their standard deviation."""

    mean: float
    sd: float

    def standard(self, value: NDArray[Any] | float) -> NDArray[np.float64]:
        """Return values in standard deviations from the mean."""
        return (np.asarray(value, np.float64) - self.mean) / self.sd


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an index knows of similarities that mean nothing.

    Args:
        background: (B, D) float32, the captions that nobody asked for; B may be 0.
        words: best similarities of these captions in the index.
        nearness: of each of them to the nearest others.
        pictures: best similarities between clips of different files.
        strangers: the cosine of clips of different files that are nearest to each other, its median.
        clips: how many clips were measured.
    """

    background: Floats = field(repr=False)
    words: Spread
    nearness: Spread
    pictures: Spread
    strangers: float
    clips: int

    def of_words(self, similarity: NDArray[Any] | float, query: Floats) -> NDArray[np.float64]:
        """Return the relevance, from 0 to 1, of clips to words.

        Args:
            similarity: (N,) of the clips to the query.
            query: (D,) its embedding.
        """
        shift = 0.0
        if len(self.background):
            with np.errstate(invalid="ignore"):  # OpenBLAS may say so of finite numbers (numpy #24067)
                near = np.sort(self.background @ query)[-NEAREST:].mean()
            shift = NEARNESS * float(np.clip(self.nearness.standard(float(near)), -3, 3))
        return _logistic(self.words.standard(similarity) - shift)

    def of_pictures(self, similarity: NDArray[Any] | float) -> NDArray[np.float64]:
        """Return the relevance, from 0 to 1, of clips to a picture or a clip."""
        return _logistic(self.pictures.standard(similarity))

    @property
    def same_shot(self) -> float:
        """The cosine above which two windows in a row show the same: nearer to that than strangers are."""
        return (1 + min(self.strangers, 1.0)) / 2

    @property
    def same_content(self) -> float:
        """The cosine above which two clips are copies: ten times nearer to equal than strangers are."""
        return 1 - (1 - min(self.strangers, 0.99)) / 10


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(SLOPE * x + OFFSET, -500, 500)))

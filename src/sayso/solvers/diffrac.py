"""DIFFRAC, discriminative clustering: labels cost as much as ridge regression fails to explain them.

    h(Z) = min_{W, b}  1/N ||Z - X W - b||^2 + lambda ||W||^2

For fixed Z the best W has a closed form, so h is a convex quadratic of Z. With X
centred, G = X^T X + N lambda I, and W = G^-1 X^T Z:

    h(Z) = 1/N (||Z - mean||^2 - <X^T Z, W>),    gradient 2/N (Z - X W - b)

Only D x D and D x C matrices are held: nothing is N x N. Rows come in blocks (one a
film), each an array or a memory-mapped ``.npy`` file that is read a chunk at a time.

Sources
    Bach & Harchaoui, NeurIPS 2007; Bojanowski et al., ICCV 2013, section 4;
    Miech et al., ICCV 2017, section 3 (the bias as a constant feature).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.arrays import Floats, read_array
from sayso.core.errors import SaysoError

FeatureSource = ArrayLike | str | Path

_CHUNK = 1 << 22  # numbers read at once, 32 MB as float64: a film, mostly, which is then read once a pass


class Diffrac:
    """The objective over rows in one or several blocks.

    Args:
        X: (N, D) real features, a ``.npy`` file of them, or a list of blocks, each such an array or file.
        lambda_: weight of the ridge penalty, above 0.
        bias: without it the bias is free, by centring; a number is a constant feature of that
            size, whose weight is penalised as any other (Miech et al. use 100).
        weights: (N,) positive weights of the rows in the squares and in N; default 1.

    Attributes:
        blocks: (N_i, D) features of each block.
        slices: the rows of each block.
        rows: N.
        weights: (N,) of the rows.
        total: their sum.
        mean: (D,) mean feature; 0 where the bias is a feature.
        gram: (D, D) the matrix G.

    Raises:
        SaysoError: if a shape is wrong, ``lambda_`` or a weight is not above 0, or a feature is not finite.
    """

    def __init__(
        self,
        X: FeatureSource | Sequence[FeatureSource],
        lambda_: float,
        *,
        bias: float | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        if not (np.isfinite(lambda_) and lambda_ > 0):
            raise SaysoError(f"lambda_ must be a finite number above 0; got {lambda_}")
        several = isinstance(X, (list, tuple)) and bool(X) and (_is_block(X[0]))
        self.blocks = [_open_block(block) for block in (X if several else [X])]  # type: ignore[union-attr, arg-type]
        self.lambda_, self.bias = float(lambda_), bias
        ends = np.cumsum([len(block) for block in self.blocks])
        self.slices = [
            slice(int(end) - len(block), int(end)) for end, block in zip(ends, self.blocks, strict=True)
        ]
        self.rows = int(ends[-1])
        self.weights = _row_weights(weights, self.rows)
        self.total = float(self.weights.sum())
        self._last: tuple[int, int, Floats] = (-1, -1, np.zeros((0, 0)))
        self._moments()

    def value(self, Z: ArrayLike) -> float:
        """Return h(Z) for Z (N, C)."""
        Z = np.asarray(Z, dtype=np.float64)
        S = self.correlation(Z)
        return (self.scatter(Z) - float(np.vdot(S, self.regress(S)))) / self.total

    def gradient(self, Z: ArrayLike) -> Floats:
        """Return the gradient of h at Z, (N, C)."""
        Z = np.asarray(Z, dtype=np.float64)
        W, mean = self.regress(self.correlation(Z)), self.label_mean(Z)
        parts = [self.block_gradient(i, Z[rows], W, mean) for i, rows in enumerate(self.slices)]
        return np.concatenate(parts)

    def correlation(self, Z: Floats) -> Floats:
        """Return X^T Z over all rows, (D, C), with X centred and rows weighted."""
        parts = [self.block_correlation(i, Z[rows]) for i, rows in enumerate(self.slices)]
        return np.asarray(np.sum(parts, axis=0))

    def regress(self, S: Floats) -> Floats:
        """Return the regression weights W = G^-1 S, (D, C), for S = X^T Z."""
        return self._inverse @ S

    def label_mean(self, Z: Floats) -> Floats:
        """Return the weighted mean of Z's rows, (C,); zero where the bias is a feature."""
        if self.bias is not None:
            return np.zeros(Z.shape[1])
        return np.asarray(self.weights @ Z / self.total)

    def scatter(self, Z: Floats) -> float:
        """Return the weighted sum of squares of Z about its mean."""
        return float(self.weights @ np.square(Z).sum(1)) - self.total * float(
            np.square(self.label_mean(Z)).sum()
        )

    def block_scores(self, block: int, W: Floats, mean: Floats) -> Floats:
        """Return the regression's scores X W + b for a block, (N_i, C).

        Args:
            block: index of the block.
            W: (D, C) regression weights.
            mean: (C,) mean label.
        """
        offset, across = mean - self.mean @ W, np.ascontiguousarray(W.T)
        return np.concatenate([(across @ rows.T).T + offset for _, rows in self._chunks(block)])

    def block_gradient(self, block: int, Z: Floats, W: Floats, mean: Floats) -> Floats:
        """Return the rows of the gradient that belong to a block, (N_i, C).

        Args:
            block: index of the block.
            Z: (N_i, C) labels of the block.
            W: (D, C) regression weights of all labels.
            mean: (C,) mean label of all.
        """
        weights = self.weights[self.slices[block]]
        return (2 / self.total) * weights[:, None] * (Z - self.block_scores(block, W, mean))

    def block_correlation(self, block: int, Z: Floats) -> Floats:
        """Return the block's share of ``correlation``, (D, C)."""
        weighted = self.weights[self.slices[block]][:, None] * Z
        across = np.ascontiguousarray(weighted.T)  # with few classes BLAS is a third faster this way round
        S = np.zeros((Z.shape[1], len(self.mean)))
        for where, rows in self._chunks(block):
            S += across[:, where] @ rows
        return np.ascontiguousarray((S - np.outer(weighted.sum(0), self.mean)).T)

    def _moments(self) -> None:
        """Compute the mean feature and G^-1, reading every block once."""
        D = self.blocks[0].shape[1] + (self.bias is not None)
        gram, sums = np.zeros((D, D)), np.zeros(D)
        for block, span in enumerate(self.slices):
            if self.blocks[block].shape[1] != self.blocks[0].shape[1]:
                raise SaysoError(f"block {block} has another number of features than block 0")
            for where, rows in self._chunks(block):
                roots = np.sqrt(self.weights[span][where])
                weighted = roots[:, None] * rows
                gram += weighted.T @ weighted
                sums += roots @ weighted
        if not np.isfinite(gram).all():
            raise SaysoError("a feature is infinite or not a number; check the features")
        self.mean = sums / self.total if self.bias is None else np.zeros(D)
        gram -= self.total * np.outer(self.mean, self.mean)
        self.gram = gram + self.total * self.lambda_ * np.eye(D)
        self._inverse = np.linalg.inv(self.gram)

    def _chunks(self, block: int) -> Iterator[tuple[slice, Floats]]:
        """Yield a block's rows as float64, a chunk at a time, with the constant feature if there is one.

        The last chunk is kept: what is asked of one block in a row is read once.
        """
        features = self.blocks[block]
        size = max(64, _CHUNK // features.shape[1])
        for start in range(0, len(features), size):
            if self._last[:2] != (block, start):
                self._last = (-1, -1, np.zeros((0, 0)))  # so that there are never two
                rows = np.asarray(features[start : start + size], dtype=np.float64)
                if self.bias is not None:
                    rows = np.column_stack([rows, np.full(len(rows), self.bias)])
                self._last = (block, start, rows)
            yield slice(start, start + len(self._last[2])), self._last[2]


def _is_block(first: object) -> bool:
    return isinstance(first, (str, Path)) or np.ndim(first) == 2  # type: ignore[arg-type]


def _open_block(source: FeatureSource) -> NDArray[np.generic]:
    """Return a block's rows, memory-mapped where they are a file."""
    if isinstance(source, (str, Path)):
        block = read_array(source, "the features", mapped=True)
    else:
        block = np.asarray(source)
    if block.ndim != 2 or not len(block) or block.dtype.kind not in "fiub":
        raise SaysoError(f"expected features (N, D) of real numbers; got {block.shape} {block.dtype}")
    opened: NDArray[np.generic] = block
    return opened


def _row_weights(weights: ArrayLike | None, rows: int) -> Floats:
    given = np.ones(rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (rows,) or not (np.isfinite(given) & (given > 0)).all():
        raise SaysoError(f"weights must be {rows} finite numbers above 0; got shape {given.shape}")
    return given

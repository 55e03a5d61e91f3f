"""Discriminative clustering: the cost of a labelling is how badly ridge regression explains it.

    h(Z) = min_{W, b}  1/N ||Z - X W - b||^2 + lam ||W||^2

For fixed Z the best W has a closed form, so h is a convex quadratic of Z. With X
centred, G = X^T X + N lam I, and W = G^-1 X^T Z:

    h(Z) = 1/N (||Z - mean||^2 - <X^T Z, W>),    gradient 2/N (Z - X W - b)

Only D x D and D x K matrices are held: nothing is N x N. Rows come in blocks (one a
film), each an array or a memory-mapped ``.npy`` file that is read a piece at a time.

Sources
    Bach & Harchaoui, NeurIPS 2007; Bojanowski et al., ICCV 2013, section 4;
    Miech et al., ICCV 2017, section 3 (the bias as a constant feature).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sayso.core.errors import SaysoError

Floats = NDArray[np.float64]
Source = ArrayLike | str | Path

_PIECE = 1 << 18  # numbers read at once: as float64 they stay in the processor's cache


class Diffrac:
    """The objective over rows in one or several blocks.

    Args:
        X: (N, D) real features, a ``.npy`` file of them, or a list of blocks, each such an array or file.
        lam: weight of the ridge penalty, above 0.
        bias: without it the bias is free, by centring; a number is a constant feature of that
            size, whose weight is penalised as any other (Miech et al. use 100).
        weights: (N,) positive weights of the rows in the squares and in N; default 1.

    Raises:
        SaysoError: if a shape is wrong, ``lam`` or a weight is not above 0, or a feature is not finite.
    """

    def __init__(
        self,
        X: Source | Sequence[Source],
        lam: float,
        *,
        bias: float | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        if not (np.isfinite(lam) and lam > 0):
            raise SaysoError(f"lam must be a finite number above 0; got {lam}")
        several = isinstance(X, (list, tuple)) and bool(X) and (_is_block(X[0]))
        self.blocks = [_opened(block) for block in (X if several else [X])]  # type: ignore[union-attr, arg-type]
        self.lam, self.bias = float(lam), bias
        ends = np.cumsum([len(block) for block in self.blocks])
        self.slices = [
            slice(int(end) - len(block), int(end)) for end, block in zip(ends, self.blocks, strict=True)
        ]
        self.rows = int(ends[-1])
        self.weights = _row_weights(weights, self.rows)
        self.total = float(self.weights.sum())
        self._last: tuple[int, int, Floats] = (-1, -1, np.zeros((0, 0)))
        self._moments()

    @classmethod
    def from_kernel(cls, K: ArrayLike, lam: float) -> Diffrac:
        """Return the objective for a kernel: h(Z) = Tr(Z Z^T A), A = lam C (C K C + N lam I)^-1 C.

        C centres. The kernel is factored once, O(N^3); it is for small N.

        Args:
            K: (N, N) symmetric positive semi-definite.
            lam: as for the class.

        Raises:
            SaysoError: if the matrix is not square, symmetric and positive semi-definite.
        """
        kernel = np.asarray(K, dtype=np.float64)
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not np.allclose(kernel, kernel.T):
            raise SaysoError(f"a kernel must be a symmetric (N, N) matrix; got shape {kernel.shape}")
        values, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
        if values[0] < -1e-8 * max(1.0, values[-1]):
            raise SaysoError(
                f"a kernel must be positive semi-definite; its least eigenvalue is {values[0]:g}"
            )
        return cls(vectors * np.sqrt(np.maximum(values, 0)), lam)

    def value(self, Z: ArrayLike) -> float:
        """Return h(Z) for Z (N, K)."""
        Z = np.asarray(Z, dtype=np.float64)
        S = self.correlation(Z)
        return (self.spread(Z) - float(np.vdot(S, self.solve(S)))) / self.total

    def gradient(self, Z: ArrayLike) -> Floats:
        """Return the gradient of h at Z, (N, K)."""
        Z = np.asarray(Z, dtype=np.float64)
        W, mean = self.solve(self.correlation(Z)), self.label_mean(Z)
        parts = [self.block_gradient(i, Z[rows], W, mean) for i, rows in enumerate(self.slices)]
        return np.concatenate(parts)

    def correlation(self, Z: Floats) -> Floats:
        """Return X^T Z over all rows, (D, K), with X centred and rows weighted."""
        parts = [self.block_correlation(i, Z[rows]) for i, rows in enumerate(self.slices)]
        return np.asarray(np.sum(parts, axis=0))

    def solve(self, S: Floats) -> Floats:
        """Return W = G^-1 S, (D, K)."""
        return self._inverse @ S

    def label_mean(self, Z: Floats) -> Floats:
        """Return the weighted mean of Z's rows, (K,); zero where the bias is a feature."""
        if self.bias is not None:
            return np.zeros(Z.shape[1])
        return np.asarray(self.weights @ Z / self.total)

    def spread(self, Z: Floats) -> float:
        """Return the weighted sum of squares of Z about its mean."""
        return float(self.weights @ np.square(Z).sum(1)) - self.total * float(
            np.square(self.label_mean(Z)).sum()
        )

    def block_scores(self, block: int, W: Floats, mean: Floats) -> Floats:
        """Return the regression's answer X W + b for a block, (N_i, K), given W and the mean label."""
        offset = mean - self.mean @ W
        return np.concatenate([rows @ W + offset for _, rows in self._pieces(block)])

    def block_gradient(self, block: int, Z: Floats, W: Floats, mean: Floats) -> Floats:
        """Return the rows of the gradient that belong to a block whose labels are Z, (N_i, K)."""
        weights = self.weights[self.slices[block]]
        return (2 / self.total) * weights[:, None] * (Z - self.block_scores(block, W, mean))

    def block_correlation(self, block: int, Z: Floats) -> Floats:
        """Return the block's share of ``correlation``, (D, K)."""
        weighted = self.weights[self.slices[block]][:, None] * Z
        S = np.zeros((len(self.mean), Z.shape[1]))
        for where, rows in self._pieces(block):
            S += rows.T @ weighted[where]
        return np.asarray(S - np.outer(self.mean, weighted.sum(0)))

    def _moments(self) -> None:
        """Compute the mean feature and G^-1, reading every block once."""
        D = self.blocks[0].shape[1] + (self.bias is not None)
        gram, sums = np.zeros((D, D)), np.zeros(D)
        for block, span in enumerate(self.slices):
            if self.blocks[block].shape[1] != self.blocks[0].shape[1]:
                raise SaysoError(f"block {block} has another number of features than block 0")
            for where, rows in self._pieces(block):
                roots = np.sqrt(self.weights[span][where])
                weighted = roots[:, None] * rows
                gram += weighted.T @ weighted
                sums += roots @ weighted
        if not np.isfinite(gram).all():
            raise SaysoError("a feature is infinite or not a number; check the features")
        self.mean = sums / self.total if self.bias is None else np.zeros(D)
        gram -= self.total * np.outer(self.mean, self.mean)
        self.metric = gram + self.total * self.lam * np.eye(D)
        self._inverse = np.linalg.inv(self.metric)

    def _pieces(self, block: int) -> Iterator[tuple[slice, Floats]]:
        """Yield a block's rows as float64, a piece at a time, with the constant feature if there is one.

        The last piece is kept: what is asked of one block in a row is read once.
        """
        features = self.blocks[block]
        size = max(64, _PIECE // features.shape[1])
        for start in range(0, len(features), size):
            if self._last[:2] != (block, start):
                rows = np.asarray(features[start : start + size], dtype=np.float64)
                if self.bias is not None:
                    rows = np.column_stack([rows, np.full(len(rows), self.bias)])
                self._last = (block, start, rows)
            yield slice(start, start + len(self._last[2])), self._last[2]


def _is_block(first: object) -> bool:
    return isinstance(first, (str, Path)) or np.ndim(first) == 2  # type: ignore[arg-type]


def _opened(source: Source) -> NDArray[np.generic]:
    """Return a block's rows, memory-mapped where they are a file."""
    if isinstance(source, (str, Path)):
        try:
            block = np.load(source, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise SaysoError(f"{source} is no readable .npy file of features: {error}") from error
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

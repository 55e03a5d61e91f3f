"""How many rows of a bag hold its class: the exact posterior, by dynamic programming over counts.

A bag of n rows holds its class c times with probability P(c), and any c of its rows are as likely as
any other. With the odds o_i = p(x_i | class) / p(x_i | not) of its rows, a set S of them is the one that
holds the class with probability

    p(S | x)  proportional to  phi(|S|) prod_{i in S} o_i,    phi(c) = P(c) / binomial(n, c)

the conditional Bernoulli distribution where one count is possible, and the Poisson-binomial one cut off
where at least so many must be. Backward sums over counts give the normaliser, marginals and exact draws
in O(n^2).

Odds span hundreds of orders of magnitude. They are divided by one that parts the rows in the likeliest set
from the others, and phi is multiplied by its powers: so the sums near the likeliest count do not underflow.

Sources
    Chen, Dempster & Liu, Biometrika 1994 (conditional Bernoulli: sums, marginals, draws);
    Chen & Liu, Statistica Sinica 1997 (the Poisson-binomial distribution).
"""

from __future__ import annotations

import numpy as np

from sayso.core.arrays import Bools, Floats, Ints


class BagPosterior:
    """The posterior of which rows of each bag hold its class, of several bags and chains at once.

    Args:
        log_odds: (G, R, n) of the rows of G bags in R chains; what lies beyond a bag's size is not read.
        log_phi: (G, R, n + 1) of each count; -inf where a count cannot be. One at least is finite.
        sizes: (G,) rows of each bag, from the largest, n, to the smallest.

    Attributes:
        log_normalizer: (G, R) log sum over sets of phi times their odds: with phi as above, the bag's
            log likelihood ratio against "no row holds the class".
    """

    def __init__(self, log_odds: Floats, log_phi: Floats, sizes: Ints) -> None:
        n = log_odds.shape[2]
        real = (np.arange(n) < np.asarray(sizes)[:, None])[:, None]
        log_odds = np.where(real, log_odds, -np.inf)
        pivot, count = _likeliest(log_odds, log_phi)
        tilted = np.clip(log_odds - pivot[..., None], -700, 700)
        self._p, self._q = 1 / (1 + np.exp(-tilted)), 1 / (1 + np.exp(tilted))
        self._active: list[int] = (np.asarray(sizes)[:, None] > np.arange(n)).sum(0).tolist()
        most = int(np.flatnonzero(np.isfinite(log_phi).any((0, 1))).max())
        end = log_phi[..., : most + 1] + pivot[..., None] * np.arange(most + 1)
        top = np.take_along_axis(end, count, -1)
        end = np.exp(np.minimum(end - top, 600))
        self._later: list[Floats] = [
            np.zeros(0)
        ] * n  # of a place: what the rows after it sum to, by the count
        sums = end[:0]
        for i in range(n - 1, -1, -1):
            a = self._active[i]
            if a > len(sums):
                sums = np.concatenate([sums, end[len(sums) : a, :, : sums.shape[2]]])
            later = self._later[i] = sums[..., : i + 2]
            sums = self._q[:a, :, i, None] * later
            sums[..., :-1] += self._p[:a, :, i, None] * later[..., 1:]
        self._total = sums[..., 0]
        void = -np.log(np.where(real, self._q, 1)).sum(2)
        self.log_normalizer: Floats = np.log(self._total) + top[..., 0] + void

    def marginals(self) -> Floats:
        """Return the probability of each row to hold the class, (G, R, n)."""
        found = np.zeros_like(self._p)
        before = np.ones((*self._total.shape, 1))
        for i, (a, later) in enumerate(zip(self._active, self._later, strict=True)):
            p, w = self._p[:a, :, i], later.shape[2]
            before = before[:a]
            found[:a, :, i] = p * np.einsum("grc,grc->gr", before[..., : w - 1], later[..., 1:])
            now = np.zeros((*p.shape, min(before.shape[2] + 1, w)))
            now[..., : before.shape[2]] = self._q[:a, :, i, None] * before
            now[..., 1:] += p[..., None] * before[..., : now.shape[2] - 1]
            before = now
        total: Floats = found / self._total[..., None]
        return total

    def draw(self, rng: np.random.Generator) -> Bools:
        """Return one draw of the rows that hold the class, (G, R, n)."""
        G, R, n = self._p.shape
        drawn, chance = np.zeros((G, R, n), dtype=bool), rng.random((n, G, R))
        count = np.zeros((G, R), dtype=np.int64)
        g, r = np.ogrid[:G, :R]
        for i, (a, later) in enumerate(zip(self._active, self._later, strict=True)):
            own, p, w = count[:a], self._p[:a, :, i], later.shape[2]
            up = p * later[g[:a], r, np.minimum(own + 1, w - 1)] * (own + 1 < w)
            here = up + self._q[:a, :, i] * later[g[:a], r, own]
            drawn[:a, :, i] = chance[i, :a] * here < up
            own += drawn[:a, :, i]
        return drawn


def _likeliest(log_odds: Floats, log_phi: Floats) -> tuple[Floats, Ints]:
    """Return the log odds nearest to 0 between those in and out of the likeliest set, and its size.

    Shapes are (G, R) and (G, R, 1).
    """
    down = -np.sort(-log_odds, axis=-1)
    total = np.concatenate([np.zeros((*down.shape[:-1], 1)), np.cumsum(down, -1)], -1)
    count = (total + log_phi).argmax(-1)[..., None]
    fenced = np.pad(down, ((0, 0), (0, 0), (1, 1)), constant_values=((0, 0), (0, 0), (np.inf, -np.inf)))
    inside, outside = np.take_along_axis(fenced, count, -1), np.take_along_axis(fenced, count + 1, -1)
    return np.clip(0.0, outside, inside)[..., 0], count

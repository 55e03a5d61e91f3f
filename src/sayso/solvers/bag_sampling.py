"""Bags read by Gibbs sampling: classes of rows drawn as often as they are likely, given the bags.

    which rows a bag takes   given the means and the other bags: exactly (``bag_counts``)
    class of a row           one of those whose bags take it, as it looks; background where none does
    means of the classes     m_c ~ N(mu, tau I), and the rows of the class; those of the background alone
    mu, tau                  given the means: what classes have in common, and how far they are apart

Features have covariance I within a class. Where a class has few rows, many means explain them: drawn
means say so, where the likeliest ones believe in themselves. Bags that share rows are drawn in turn,
all others at once, and several chains together. What is kept of a sweep is not the draw but its
probability.

Sources
    Gelfand & Smith, JASA 1990 (Gibbs sampling, and averages of conditional probabilities);
    Lindley & Smith, JRSS B 1972 (means that share a normal prior); Kueck & de Freitas, UAI 2005
    (labels of the members of groups sampled given counts).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sayso.core.arrays import Bools, Floats, Ints
from sayso.solvers.bag_counts import BagPosterior
from sayso.solvers.bag_layers import BagLayers


class BagSampler:
    """R chains over which rows the bags take.

    Args:
        X: (M, D) features of the rows in bags, of covariance I within a class.
        outside: (D,) sum of the features of the background outside bags.
        count: of rows that are summed there.
        layers: the bags.
        log_phi: of each layer (G, n + 1), as ``BagPosterior`` has it.
        odds: (M, S) log odds of each row's bags to begin with.
        chains: R.
        rng: of all draws.
        aside: (R, B) bags that teach a chain nothing; default none.
        weights: (M,) what each row counts in the means; default 1.
    """

    def __init__(
        self,
        X: Floats,
        outside: Floats,
        count: float,
        layers: BagLayers,
        log_phi: Sequence[Floats],
        odds: Floats,
        chains: int,
        rng: np.random.Generator,
        aside: Bools | None = None,
        weights: Floats | None = None,
    ) -> None:
        self.X, self.outside, self.count, self.layers, self.rng = X, outside, count, layers, rng
        self.log_phi = [np.broadcast_to(one[:, None], (len(one), chains, one.shape[1])) for one in log_phi]
        M, S = layers.labels.shape
        self.classes, self.labels = np.unique(np.maximum(layers.labels, 0), return_inverse=True)
        if self.classes[0] != 0:
            self.classes, self.labels = np.append(0, self.classes), self.labels + 1
        self.labels = self.labels.reshape(M, S)  # among the classes that there are, background first
        self.teaches = np.ones((chains, M)) * (1 if weights is None else weights)
        for layer in layers.layers:
            for g, b in enumerate(layer.bags):
                if aside is not None:
                    self.teaches[:, layer.rows[g, : layer.sizes[g]]] *= ~aside[:, b, None]
        self.taken = np.zeros((chains, M, S), dtype=bool)
        self.ratios = np.broadcast_to(odds, (chains, M, S))
        self.chances, self.kept = np.zeros((M, S + 1)), 0
        self.seen: list[tuple[Floats, Floats]] = []
        self._shared: tuple[Floats, Floats] | None = None
        self._draw_bags(keep=False)

    def run(self, sweeps: int, *, keep: bool) -> None:
        """Draw everything so many times; with ``keep``, add up the probabilities of the rows."""
        for _ in range(sweeps):
            centres, widths = self._means_given(self._draw_labels())
            if keep:
                self.seen.append((centres, widths))
            self.look(self._draw_means(centres, widths))
            self._draw_bags(keep=keep)

    def look(self, means: Floats, variances: Floats | float = 0.0) -> None:
        """Set the log likelihood ratios of rows and their bags.

        Args:
            means: (R, classes, D).
            variances: (R, classes, 1) of each number of a mean that is not known exactly.
        """
        wide = 1 + np.broadcast_to(variances, (*means.shape[:2], 1)).transpose(0, 2, 1)
        square = np.square(self.X).sum(1)[:, None] + np.square(means).sum(2)[:, None]
        logs = (self.X @ means.transpose(0, 2, 1) - square / 2) / wide - self.X.shape[1] / 2 * np.log(wide)
        logs -= logs[..., :1]
        self.ratios = np.take_along_axis(logs, np.broadcast_to(self.labels, self.taken.shape), 2)

    def probabilities(self, classes: int) -> Floats:
        """Return the mean over kept sweeps and chains, (M, classes)."""
        found = np.zeros((len(self.X), classes))
        for s, labels in enumerate(self.layers.labels.T):
            rows = np.flatnonzero(labels >= 0)
            found[rows, labels[rows]] += self.chances[rows, s]
        found[:, 0] += self.chances[:, -1]
        return found / self.kept

    def log_likelihoods(self) -> Floats:
        """Return the log likelihood ratio against all background of each group of bags, (R, groups).

        Given the means now; exact but for bags that share rows: one after the other is drawn given those
        before it, and the likelihood, not its logarithm, is right on average.
        """
        held, self.taken = self.taken, np.zeros_like(self.taken)
        logs = self._draw_bags(keep=False)
        self.taken = held
        found = np.zeros((len(held), int(self.layers.groups.max()) + 1))
        np.add.at(found.T, self.layers.groups, logs.T)
        return found

    def _draw_labels(self) -> Ints:
        """Return the class of each row, among those whose bags take it, (R, M)."""
        near = np.where(self.taken, self.ratios + self.rng.gumbel(size=self.taken.shape), -np.inf)
        labels = np.broadcast_to(self.labels, self.taken.shape)
        drawn = np.take_along_axis(labels, near.argmax(2)[..., None], 2)[..., 0]
        return np.where(self.taken.any(2), drawn, 0)

    def _means_given(self, labels: Ints) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of each class's mean, (R, classes, D) and (R, classes, 1)."""
        K = len(self.classes)
        hot = (labels[..., None] == np.arange(K)) * self.teaches[..., None]
        counts, sums = hot.sum(1)[..., None], hot.transpose(0, 2, 1) @ self.X
        if self._shared is None:
            raw = sums[:, 1:] / np.maximum(counts[:, 1:], 1)
            mu = raw.mean(1, keepdims=True)
            tau = np.square(raw - mu).mean((1, 2)) - (1 / np.maximum(counts[:, 1:], 1)).mean((1, 2))
            self._shared = mu, np.maximum(tau, 1e-3)[:, None, None]
        mu, tau = self._shared
        first = counts[:, :1] + self.count + 1  # one row at the mean of all, lest there be none
        precision = counts[:, 1:] + 1 / tau
        base = (sums[:, :1] + self.outside) / first
        means = np.concatenate([base, (sums[:, 1:] + mu / tau) / precision], 1)
        return means, 1 / np.sqrt(np.concatenate([first, precision], 1))

    def _draw_means(self, centres: Floats, widths: Floats) -> Floats:
        """Return drawn means, (R, classes, D), and draw what they share."""
        means = centres + widths * self.rng.normal(size=centres.shape)
        (R, K, D), own = means.shape, means[:, 1:]
        tau = np.ones((R, 1, 1)) if self._shared is None else self._shared[1]
        mu = own.mean(1, keepdims=True) + np.sqrt(tau / (K - 1)) * self.rng.normal(size=(R, 1, D))
        square = np.square(own - mu).sum((1, 2))
        tau = (square / 2 + 1e-3) / self.rng.gamma((K - 1) * D / 2 + 1, size=R)
        self._shared = mu, tau[:, None, None]
        return means

    def _draw_bags(self, *, keep: bool) -> Floats:
        """Draw which rows each bag takes, layer after layer; return log likelihood ratios of bags, (R, B)."""
        logs = np.zeros((len(self.taken), len(self.layers.groups)))
        for layer, log_phi in zip(self.layers.layers, self.log_phi, strict=True):
            g, i = np.nonzero(layer.real)
            rows, slots = layer.rows[g, i], layer.slots[g, i]
            log_odds = own = self.ratios[:, rows, slots]
            others = self._others(rows, slots) if layer.crowded else None
            if others is not None:
                _, total, count = others
                without = np.where(count > 0, total - np.log(np.maximum(count, 1)), 0.0)
                log_odds = np.logaddexp(total, own) - np.log(count + 1) - without
            padded = np.zeros((len(layer.bags), len(own), layer.rows.shape[1]))
            padded[g, :, i] = log_odds.T + layer.log_weights[g, i, None]
            posterior = BagPosterior(padded, log_phi, layer.sizes)
            logs[:, layer.bags] = posterior.log_normalizer.T
            self.taken[:, rows, slots] = posterior.draw(self.rng)[g, :, i].T
            if keep:
                self._keep(rows, slots, posterior.marginals()[g, :, i].T, own, others)
        self.kept += keep * len(self.taken)
        return logs

    def _others(self, rows: Ints, slots: Ints) -> tuple[Floats, Floats, Ints]:
        """Return of the other bags that take a row: ratios (R, m, S), log sum of likelihoods, number."""
        itself = np.arange(self.taken.shape[2]) == slots[:, None]
        active = np.where(self.taken[:, rows] & ~itself, self.ratios[:, rows], -np.inf)
        top = np.maximum(active.max(2), -1e30)
        with np.errstate(divide="ignore"):
            total = top + np.log(np.exp(active - top[..., None]).sum(2))
        return active, total, np.isfinite(active).sum(2)

    def _keep(
        self,
        rows: Ints,
        slots: Ints,
        chance: Floats,
        own: Floats,
        others: tuple[Floats, Floats, Ints] | None,
    ) -> None:
        """Add the probabilities of a layer's rows, a part of those for each bag that the row is in."""
        part = 1 / (self.layers.labels[rows] >= 0).sum(1)
        if others is None:
            self.chances[rows, slots] += part * chance.sum(0)
            self.chances[rows, -1] += part * (1 - chance).sum(0)
            return
        active, total, count = others
        both = np.logaddexp(total, own)
        self.chances[rows, slots] += part * (chance * np.exp(own - both)).sum(0)
        self.chances[rows, -1] += part * ((1 - chance) * (count == 0)).sum(0)
        alone = np.where(count > 0, total, 0)[..., None]
        given = chance[..., None] * np.exp(active - both[..., None])
        given += (1 - chance)[..., None] * np.exp(active - alone)
        self.chances[rows, :-1] += part[:, None] * given.sum(0)

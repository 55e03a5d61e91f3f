"""Bags in layers: those that share no row lie in one, so that they can be read at once.

Beside that, what is said beforehand of how many rows of a bag hold its class: as many as it requires,
or a share of them, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from sayso.core.arrays import Bools, Floats, Ints

SLACK = 2.0  # each row more or less than a share says is less likely by exp(-SLACK)
FAR = 6  # rows more or less than a share says, at most


@dataclass(frozen=True, eq=False)
class RowBag:
    """Rows of which some hold a class.

    Attributes:
        rows: (n,) each once.
        label: the class, above 0: 0 is the background.
        least: how many hold it at least, as the text says.
        weights: (n,) how likely each row is to be meant, 0 to 1; default 1.
    """

    rows: Ints
    label: int
    least: float = 1
    weights: Floats | None = None

    @property
    def meant(self) -> float:
        """How many rows are meant."""
        return float(len(self.rows) if self.weights is None else self.weights.sum())


@dataclass(frozen=True, eq=False)
class Layer:
    """Bags that share no row, the largest (of n rows) first.

    Attributes:
        bags: (G,) their numbers.
        rows: (G, n) places in ``BagLayers.rows``; 0 beyond a bag's size.
        slots: (G, n) which of a row's bags this is.
        real: (G, n) whether there is a row.
        labels: (G,) the class.
        sizes: (G,) rows of each.
        log_weights: (G, n) log of the rows' weights.
        crowded: whether a row of it is in other bags too.
    """

    bags: Ints
    rows: Ints
    slots: Ints
    real: Bools
    labels: Ints
    sizes: Ints
    log_weights: Floats
    crowded: bool


class BagLayers:
    """All bags, in as few layers as a greedy colouring makes, the largest bags first.

    Args:
        bags: one at least, none of them empty.

    Attributes:
        bags: as given.
        rows: (M,) the rows in bags.
        labels: (M, S) the classes of each row's bags; -1 where it is in fewer than S.
        layers: of bags.
        groups: (B,) equal numbers for bags that hang together by rows that they share.
    """

    def __init__(self, bags: Sequence[RowBag]) -> None:
        self.bags, self.rows = list(bags), np.unique(np.concatenate([one.rows for one in bags]))
        self._places = [np.searchsorted(self.rows, one.rows) for one in bags]
        self._used = np.zeros(len(self.rows), dtype=np.int64)
        self._slots: list[Ints] = []
        for at in self._places:
            self._slots.append(self._used[at])
            self._used[at] += 1
        self.labels = np.full((len(self.rows), int(self._used.max())), -1, dtype=np.int64)
        for one, at, slot in zip(bags, self._places, self._slots, strict=True):
            self.labels[at, slot] = one.label
        self.groups = self._connected()
        self.layers = [self._layer(own) for own in self._coloured()]

    def count_prior(self, share: float | None) -> list[Floats]:
        """Return log phi of each count, as ``BagPosterior`` takes it, (G, n + 1) for each layer.

        Args:
            share: the part of a bag's rows that hold its class, but as many as it requires at least; 0 for
                just these; None: every count from 1 on is as likely as any other.
        """
        return [
            _count_prior([self.bags[b] for b in layer.bags], layer.rows.shape[1], share)
            for layer in self.layers
        ]

    def _coloured(self) -> list[list[int]]:
        colours: list[list[int]] = []
        taken: list[NDArray[np.bool_]] = []
        for b in sorted(range(len(self.bags)), key=lambda b: -len(self._places[b])):
            free = next((k for k, rows in enumerate(taken) if not rows[self._places[b]].any()), len(taken))
            if free == len(taken):
                taken.append(np.zeros(len(self.rows), dtype=bool))
                colours.append([])
            taken[free][self._places[b]] = True
            colours[free].append(b)
        return colours

    def _layer(self, own: list[int]) -> Layer:
        sizes = np.array([len(self._places[b]) for b in own])
        rows, slots = np.zeros((2, len(own), int(sizes.max())), dtype=np.int64)
        log_weights = np.zeros(rows.shape)
        for g, b in enumerate(own):
            rows[g, : sizes[g]], slots[g, : sizes[g]] = self._places[b], self._slots[b]
            weights = self.bags[b].weights
            if weights is not None:
                log_weights[g, : sizes[g]] = np.log(np.maximum(weights, 1e-6))
        real = np.arange(rows.shape[1]) < sizes[:, None]
        labels, crowded = np.array([self.bags[b].label for b in own]), self._used[rows][real] > 1
        return Layer(np.array(own), rows, slots, real, labels, sizes, log_weights, bool(crowded.any()))

    def _connected(self) -> Ints:
        owner, group = np.full(len(self.rows), -1), np.arange(len(self.bags))
        for b, at in enumerate(self._places):
            group[np.isin(group, group[owner[at][owner[at] >= 0]])] = b
            owner[at] = b
        return np.asarray(np.unique(group, return_inverse=True)[1])


def _count_prior(bags: Sequence[RowBag], most: int, share: float | None) -> Floats:
    """Return log phi of counts 0 to ``most``, (G, most + 1)."""
    sizes, counts = np.array([[len(one.rows)] for one in bags]), np.arange(most + 1)
    if share is None:
        log_p = np.where(counts >= 1, 0.0, -np.inf)
    else:
        wanted = np.minimum(sizes, [[max(one.least, share * one.meant)] for one in bags])
        away = np.abs(counts - wanted)
        log_p = np.where(away <= FAR, -SLACK * away, -np.inf)
    held = np.minimum(counts, sizes)
    log_p = np.where(counts <= sizes, log_p, -np.inf)
    log_p = log_p - np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    found: Floats = log_p - (gammaln(sizes + 1) - gammaln(held + 1) - gammaln(sizes - held + 1))
    return found
